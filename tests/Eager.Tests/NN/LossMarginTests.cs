using Fusion.NN;
using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

/// <summary>Losses of probabilities, pairs and triples against their formulas in plain loops, their gradients, eager and compiled.</summary>
public sealed class LossMarginTests
{
    private static readonly NDArray s_x = Random((3, 4)), s_y = Random((3, 4), 2), s_z = Random((3, 4), 3), s_signs = Nd.Sign(Random((3, 4), 4)), s_p = Nd.Sigmoid(s_x * 3);

    private static readonly (string Name, Func<NDArray, NDArray, NDArray, Reduction, NDArray> Loss, Func<double, double, double, double> Term, NDArray[] Inputs)[] s_elementwise =
    [
        ("BinaryCrossEntropy", (p, t, _, r) => Loss.BinaryCrossEntropy(p, t, r), (p, t, _) => -t * Math.Log(p) - (1 - t) * Math.Log(1 - p), [s_p, Nd.Abs(s_y), s_x]),
        ("SquaredHinge", (x, t, _, r) => Loss.SquaredHinge(x, t, r, 0.7), (x, t, _) => Math.Pow(Math.Max(0, 0.7 - x * t), 2), [s_x, s_signs, s_x]),
        ("SoftMargin", (x, t, _, r) => Loss.SoftMargin(x, t, r), (x, t, _) => Math.Log(1 + Math.Exp(-x * t)), [s_x, s_signs, s_x]),
        ("MarginRanking", (x, y, t, r) => Loss.MarginRanking(x, y, t, r, 0.2), (x, y, t) => Math.Max(0, 0.2 - t * (x - y)), [s_x, s_y, s_signs]),
        ("GaussianNegativeLogLikelihood", (x, y, v, r) => Loss.GaussianNegativeLogLikelihood(x, y, v, r),
            (x, y, v) => 0.5 * (Math.Log(v) + (x - y) * (x - y) / v), [s_x, s_y, Nd.Abs(s_z) + 0.1]),
    ];

    public static TheoryData<int> ElementWise => [0, 1, 2, 3, 4];

    [Theory]
    [MemberData(nameof(ElementWise))]
    public void ElementWiseLossesMeetTheirFormulas(int index)
    {
        (string name, Func<NDArray, NDArray, NDArray, Reduction, NDArray> loss, Func<double, double, double, double> term, NDArray[] x) = s_elementwise[index];
        double[] a = x[0].Values(), b = x[1].Values(), c = x[2].Values(), terms = [.. a.Select((v, i) => term(v, b[i], c[i]))];
        Close(s_x.Shape, terms, loss(x[0], x[1], x[2], Reduction.None));
        Close([], [terms.Sum()], loss(x[0], x[1], x[2], Reduction.Sum));
        Close([], [terms.Average()], loss(x[0], x[1], x[2], Reduction.Mean));
        Gradients(v => loss(v[0], x[1], x[2], Reduction.Mean), x[0]);
        Expect.Throws<ShapeException>(() => loss(x[0], x[1][0], x[2], Reduction.Mean), name + ":", "(3, 4)", "(4,)", "Reshape");
        Expect.Throws<ArgumentOutOfRangeException>(() => loss(x[0], x[1], x[2], (Reduction)9), name + ": the reduction");
        Assert.Equal(DType.Float32, loss(x[0].AsType(DType.Float32), x[1].AsType(DType.Int32), x[2].AsType(DType.Float32), Reduction.Mean).DType);
    }

    [Fact]
    public void LogarithmsOfProbabilitiesEndAtMinusAHundred()
    {
        foreach (DType dtype in new[] { DType.Float32, DType.Float64 })
        {
            NDArray p = Leaf.Attached(Nd.Array([0.0, 0, 1, 1, 0.5]).AsType(dtype)), t = Doubles(0, 1, 0, 1, 1).AsType(dtype), y;
            using (Autograd.Record()) y = Loss.BinaryCrossEntropy(p, t, Reduction.None);
            Close([0, 100, 100, 0, Math.Log(2)], y, 1e-6);
            y.Backward();
            Close([1, 0, 0, -1, -2], p.Grad!);
        }
    }

    [Fact]
    public void PairsAndTriplesOfVectorsMeetTheirFormulas()
    {
        double[] x = s_x.Values(), y = s_y.Values(), z = s_z.Values(), target = [1, -1, -1], embedding = new double[3], triplet = new double[3];
        for (int i = 0; i < 3; i++)
        {
            double dot = 0, xx = 0, yy = 0, near = 0, far = 0;
            for (int k = 4 * i; k < 4 * i + 4; k++)
            {
                (dot, xx, yy) = (dot + x[k] * y[k], xx + x[k] * x[k], yy + y[k] * y[k]);
                (near, far) = (near + Math.Pow(x[k] - y[k] + 1e-6, 2), far + Math.Pow(x[k] - z[k] + 1e-6, 2));
            }

            double cosine = dot / Math.Sqrt(xx * yy);
            embedding[i] = target[i] > 0 ? 1 - cosine : Math.Max(0, cosine + 0.9);
            triplet[i] = Math.Max(0, Math.Sqrt(near) - Math.Sqrt(far) + 1);
        }

        Close([3], embedding, Loss.CosineEmbedding(s_x, s_y, Doubles(target), Reduction.None, margin: -0.9));
        Close([embedding.Average()], Loss.CosineEmbedding(s_x, s_y, Nd.Array([1, -1, -1]), margin: -0.9));
        Close([3], triplet, Loss.TripletMargin(s_x, s_y, s_z, Reduction.None));
        Close([triplet.Sum()], Loss.TripletMargin(s_x, s_y, s_z, Reduction.Sum));
        Close([], [triplet[0]], Loss.TripletMargin(s_x[0], s_y[0], s_z[0], Reduction.None));
        Gradients(v => Loss.CosineEmbedding(v[0], v[1], Doubles(target), margin: -0.9), s_x, s_y);
        Gradients(v => Loss.TripletMargin(v[0], v[1], v[2]), s_x, s_y, s_z);
        NDArray same = Leaf.Attached(s_x.Copy());
        using (Autograd.Record()) Loss.TripletMargin(same, s_x, s_y).Backward();
        Assert.True(Nd.IsFinite(same.Grad!).All().Item<bool>());
        Expect.Throws<ShapeException>(() => Loss.CosineEmbedding(s_x, s_y, s_x), "CosineEmbedding: the target is (3, 4)", "(3,)");
        Expect.Throws<ShapeException>(() => Loss.CosineEmbedding(s_x, s_y[0], Doubles(target)), "CosineEmbedding: the first is (3, 4), the second (4,)");
        Expect.Throws<ShapeException>(() => Loss.TripletMargin(s_x, s_y, s_z[0]), "TripletMargin: the first is (3, 4), the third (4,)");
        Expect.Throws<ShapeException>(() => Loss.TripletMargin(Nd.Scalar(1), Nd.Scalar(1), Nd.Scalar(1)), "TripletMargin", "scalar");
        Expect.Throws<ShapeException>(() => Loss.GaussianNegativeLogLikelihood(s_x, s_y, Nd.Ones(3)), "GaussianNegativeLogLikelihood: the variance (3,)");
        Close(Loss.GaussianNegativeLogLikelihood(s_x, s_y, Nd.Full((3, 4), 0.5)), Loss.GaussianNegativeLogLikelihood(s_x, s_y, Nd.Scalar(0.5)));
    }

    [Fact]
    public void CompiledBitsAreThoseOfEagerExecution()
    {
        NDArray y = s_y.AsType(DType.Float32), signs = s_signs.AsType(DType.Float32);
        Func<NDArray, NDArray> f = x => Loss.BinaryCrossEntropy(Nd.Sigmoid(x), Nd.Abs(y)) + Loss.SquaredHinge(x, signs) + Loss.SoftMargin(x, signs) + Loss.MarginRanking(x, y, signs)
            + Loss.CosineEmbedding(x, y, signs[.., 0]) + Loss.TripletMargin(x, y, y * signs) + Loss.GaussianNegativeLogLikelihood(x, y, Nd.Abs(y));
        HybridFunction<Func<NDArray, NDArray>> compiled = f.Hybridize();
        (NDArray value, NDArray gradient) = Both(f);
        for (int call = 0; call < 2; call++)
        {
            (NDArray later, NDArray gradientLater) = Both(compiled.Invoke);
            Assert.Null(Bits.Difference(value, later));
            Assert.Null(Bits.Difference(gradient, gradientLater));
        }

        Assert.False(compiled.Report.FellBack, compiled.Report.FallbackReason);

        (NDArray Value, NDArray Gradient) Both(Func<NDArray, NDArray> loss)
        {
            NDArray x = Leaf.Attached(s_x.AsType(DType.Float32)), value;
            using (Autograd.Record()) value = loss(x);
            value.Backward();
            return (value, x.Grad!);
        }
    }
}
