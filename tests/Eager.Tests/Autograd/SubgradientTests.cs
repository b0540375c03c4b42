namespace Fusion.Tests;

/// <summary>The derivative at kinks and ties, and that what is not selected never shows.</summary>
public sealed class SubgradientTests
{
    private const double Inf = double.PositiveInfinity;

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    private static readonly Dictionary<string, (Func<NDArray, NDArray> F, double[] At, double[] Gradient)> s_cases = new()
    {
        ["relu'(0) = 0"] = (static x => x.Relu(), [-1, 0, 1], [0, 0, 1]),
        ["abs'(0) = 0"] = (static x => x.Abs(), [-2, 0, 2], [-1, 0, 1]),
        ["clip passes on the closed interval"] = (static x => x.Clip(-1, 1), [-2, -1, 0, 1, 2], [0, 1, 1, 1, 0]),
        ["clip with one bound"] = (static x => x.Clip(0, Inf), [-1, 0, 9], [0, 1, 1]),
        ["maximum of a number: ties go to x"] = (static x => x.Maximum(1), [0, 1, 2], [0, 1, 1]),
        ["maximum of a number first: ties go to the number"] = (static x => Nd.Maximum(1, x), [0, 1, 2], [0, 0, 1]),
        ["minimum of a number: ties go to x"] = (static x => x.Minimum(1), [0, 1, 2], [1, 1, 0]),
        ["maximum of itself"] = (static x => x.Maximum(x), [1, 2], [1, 1]),
        ["max shares equally among ties"] = (static x => x.Max(), [3, 1, 3, 3], [1 / 3.0, 0, 1 / 3.0, 1 / 3.0]),
        ["min shares equally among ties"] = (static x => x.Min(), [2, 1, 1], [0, 0.5, 0.5]),
        ["max along an axis"] = (static x => x.Reshape(2, 2).Max(1), [5, 5, 1, 2], [0.5, 0.5, 0, 1]),
        ["max of NaN: they are the ties"] = (static x => x.Max(), [double.NaN, 1, double.NaN, Inf], [0.5, 0, 0.5, 0]),
        ["min of NaN along an axis"] = (static x => x.Reshape(2, 2).Min(1), [double.NaN, 2, 2, 2], [1, 0, 0.5, 0.5]),
        ["max written where NaN is"] = (static x => Nd.IndexReduce(x, Nd.Array([1]), Nd.Array([5.0]).AsType(x.DType), ScatterReduction.Max), [1, double.NaN, 3], [1, 1, 1]),
        ["floor, sign, round"] = (static x => x.Floor() + x.Ceiling() + x.Round() + x.Sign() + x.Truncate(), [0.3, 2], [0, 0]),
        ["softplus is stable at both ends"] = (static x => x.Softplus(), [-1000, 0, 1000], [0, 0.5, 1]),
        ["sigmoid is stable at both ends"] = (static x => x.Sigmoid(), [-1000, 0, 1000], [0, 0.25, 0]),
        ["log-sigmoid is stable at both ends"] = (static x => x.LogSigmoid(), [-1000, 0, 1000], [1, 0.5, 0]),
        ["log-softmax of far apart values"] = (static x => x.LogSoftmax()[0..1], [1000, 0], [0, 0]),
        ["x⁰ is constant"] = (static x => x.Pow(0), [0, 2], [0, 0]),
        ["x¹ at 0"] = (static x => x.Pow(1), [0, 2], [1, 1]),
        ["x² at 0"] = (static x => x.Pow(2), [0, -3], [0, -6]),
        ["0 to the power x"] = (static x => Nd.Pow(0, x), [1, 2], [0, 0]),
        ["a product with zeros"] = (static x => x.Prod(), [0, 2, 3], [6, 0, 0]),
        ["a product with two zeros"] = (static x => x.Prod(), [0, 2, 0], [0, 0, 0]),
        ["log-sum-exp with −∞"] = (static x => x.LogSumExp(), [-Inf, 0, 0], [0, 0.5, 0.5]),
        ["log-add-exp of far apart values"] = (static x => x.LogAddExp(0), [-Inf, -1e3, 1e38, Inf], [0, 0, 1, 1]),
        ["log-add-exp beside infinities"] = (static x => Nd.LogAddExp(Nd.Array([Inf, -Inf]).AsType(x.DType), x), [1, 1], [0, 1]),
        ["hypot at 0"] = (static x => Nd.Hypot(x, x), [0], [0]),
        ["arc tangent at the origin"] = (static x => Nd.Atan2(x, x), [0], [0]),
        ["arc tangent, of squares that are no numbers"] = (static x => Nd.Atan2(x, 1e-30) * 1e-30, [-1e-30, 0, 1e-30], [0.5, 1, 0.5]),
        ["arc tangent, of squares that are infinite"] = (static x => Nd.Atan2(x * 1e30, 1e30), [-1, 0, 1], [0.5, 1, 0.5]),
        ["norm of 0"] = (static x => x.Norm(), [0, 0], [0, 0]),
        ["norms of rows, one of them 0"] = (static x => x.Reshape(2, 2).Norm(1), [0, 0, 3, -4], [0, 0, 0.6, -0.8]),
        ["an infinite slope at the norm of 0"] = (static x => x.Norm().Log(), [0, 0], [0, 0]),
        ["deviation of a constant"] = (static x => x.Std(), [2, 2, 2], [0, 0, 0]),
        ["deviation of one element"] = (static x => x.Std(), [7], [0]),
        ["norm of order ½ of 0"] = (static x => x.VectorNorm(0.5), [0, 0], [0, 0]),
        ["norm of order ½ with a 0"] = (static x => x.VectorNorm(0.5), [0, -2], [0, -1]),
        ["norm of order 3 of 0"] = (static x => x.VectorNorm(3), [0, 0], [0, 0]),
        ["norm of order −1 of 0"] = (static x => x.VectorNorm(-1), [0, 0], [0, 0]),
        ["norm of order ∞ of 0"] = (static x => x.VectorNorm(Inf), [0, 0], [0, 0]),
        ["norm of a matrix of 0"] = (static x => x.Reshape(2, 2).MatrixNorm(), [0, 0, 0, 0], [0, 0, 0, 0]),
        ["cosine of the angle to a target of 0"] = (static x => NN.Loss.CosineDistance(x, Nd.ZerosLike(x)), [1, 2], [0, 0]),
        ["square root of x, selected away from 0"] = (static x => Nd.Where(x > 0, Nd.Where(x > 0, x, 1).Sqrt(), 0), [0, 4], [0, 0.25]),
    };

    public static TheoryData<string> BorderCases => [.. s_borders.Keys];

    // Where a derivative is infinite the second one is, too, as long as its limit is one: with the sign of the formula, and never ∞ − ∞.
    private static readonly Dictionary<string, (Func<NDArray, NDArray> F, double[] At, double[] Second)> s_borders = new()
    {
        ["asin"] = (Nd.Asin, [-1, 0, 1e-30, 1], [-Inf, 0, 1e-30, Inf]),
        ["acos"] = (Nd.Acos, [-1, 0, 1e-30, 1], [Inf, 0, -1e-30, -Inf]),
        ["acosh"] = (Nd.Acosh, [1], [-Inf]),
        ["log-add-exp"] = (static x => x.LogAddExp(0), [-Inf, -1e3, 0, 1e3, Inf], [0, 0, 0.25, 0, 0]),
        ["atanh"] = (Nd.Atanh, [-1, 0, 1e-30, 1], [-Inf, 0, 2e-30, Inf]),
        ["inverse error function"] = (Nd.ErfInv, [-1, 1], [-Inf, Inf]),
        ["square root"] = (Nd.Sqrt, [0], [-Inf]),
        ["reciprocal square root"] = (Nd.ReciprocalSqrt, [0], [Inf]),
        ["reciprocal"] = (Nd.Reciprocal, [0], [Inf]),
        ["logarithm"] = (Nd.Log, [0], [-Inf]),
        ["logarithm of 1 + x"] = (Nd.LogP1, [-1], [-Inf]),
        ["logarithm of Γ"] = (Nd.LogGamma, [0], [Inf]),
        ["digamma"] = (Nd.Digamma, [0, -0.0], [-Inf, Inf]),
        ["x⁰"] = (static x => x.Pow(0), [0, -0.0, 2], [0, 0, 0]),
        ["x¹"] = (static x => x.Pow(1), [0, -0.0, 2], [0, 0, 0]),
        ["x^½"] = (static x => x.Pow(0.5), [0], [-Inf]),
        ["0ˣ"] = (static x => Nd.Pow(0, x), [1, 2], [0, 0]),
    };

    [Theory]
    [MemberData(nameof(BorderCases))]
    public void SecondOrderAtBorders(string name)
    {
        (Func<NDArray, NDArray> f, double[] at, double[] second) = s_borders[name];
        foreach (NDArray x in new[] { Leaf.Doubles(at), Leaf.Of(at) })
        {
            using (Autograd.Record())
            {
                NDArray first = Autograd.Grad(f(x).Sum(), x, createGraph: true);
                first.Sum().Backward();
            }

            double[] actual = Expect.Doubles(x.Grad!);
            for (int i = 0; i < at.Length; i++)
                Assert.True(actual[i].Equals(second[i]) || Math.Abs(actual[i] - second[i]) <= 1e-6 * Math.Abs(second[i]), $"{x.DType} at {at[i]}: {actual[i]}");
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Convention(string name)
    {
        (Func<NDArray, NDArray> f, double[] at, double[] gradient) = s_cases[name];
        NDArray x = Leaf.Doubles(at);
        using (Autograd.Record()) f(x).Backward();
        Expect.Near(1e-15, x.Grad, gradient);
        NDArray single = Leaf.Of(at);
        using (Autograd.Record()) f(single).Backward();
        Expect.Near(1e-7, single.Grad, gradient);
    }

    [Fact]
    public void TiesOfTwoArraysGoToTheFirst()
    {
        NDArray x = Leaf.Of(1, 2, 3), y = Leaf.Of(1, 3, 2);
        using (Autograd.Record()) x.Maximum(y).Backward();
        Expect.Elements(x.Grad, 1, 0, 1);
        Expect.Elements(y.Grad, 0, 1, 0);
        using (Autograd.Record()) x.Minimum(y).Backward();
        Expect.Elements(x.Grad, 1, 1, 0);
        Expect.Elements(y.Grad, 0, 0, 1);
    }

    [Fact]
    public void WhereSelectsGradientsAndNeverMultipliesByZero()
    {
        NDArray x = Leaf.Of(double.NaN, 4), y = Leaf.Of(2, double.PositiveInfinity);
        using (Autograd.Record()) Nd.Where(Nd.Array([false, true]), x, y).Backward(Nd.Array([3f, 5]));
        Expect.Elements(x.Grad, 0, 5);
        Expect.Elements(y.Grad, 3, 0);
        using (Autograd.Record()) Nd.Where(x > 0, x, y).Backward();
        Expect.Elements(x.Grad, 0, 1);
        Expect.Elements(y.Grad, 1, 0);
        using (Autograd.Record()) Nd.Where(x > 0, x, 0).Backward(Nd.Array([float.PositiveInfinity, 1]));
        Expect.Elements(x.Grad, 0, 1);
    }

    [Fact]
    public void AnOperatorWhoseDerivativeIsZeroDeliversZeros()
    {
        NDArray x = Nd.Array([0.3f, 2.7f]);
        x.AttachGrad();
        x.Grad!.Fill(9);
        using (Autograd.Record()) Nd.Sum(x.Floor() * 2).Backward();
        Assert.True(x.FreshGrad);
        Expect.Elements(x.Grad, 0, 0);
        using (Autograd.Record()) Expect.Elements(Autograd.Grad(Nd.Sum(x.Round()), x), 0, 0);
    }
}
