using Fusion.NN;

namespace Fusion.Tests;

/// <summary>Gradients of gradients through compiled functions, inside and outside.</summary>
[Collection(nameof(ProcessState))]
public sealed class HigherOrderTests
{
    private static readonly Lstm s_lstm = new(2, 2);

    private static readonly Gru s_gru = new(2, 2);

    private static readonly (string Name, ListFunction F, Shape[] Shapes)[] s_functions =
    [
        ("tanh", Check.List(static x => x.Tanh() * x), [5]),
        ("broadcast", Check.List(static (x, y) => (x * y).Sin() + y), [(3, 4), 4]),
        ("matmul", Check.List(static (x, w) => x.MatMul(w).Sigmoid()), [(3, 4), (4, 2)]),
        ("softmax", Check.List(static x => x.Softmax() * x), [(3, 4)]),
        ("views", Check.List(static x => x.Transpose()[1..].Reshape(-1).Square() * 3), [(3, 4)]),
        ("where", Check.List(static (x, y) => Nd.Where(x > y, x * x * x, y.Exp())), [6, 6]),
        ("LSTM", Check.List(static x => s_lstm.Forward(x)), [(3, 2, 2)]),
        ("GRU", Check.List(static (x, h) => s_gru.Forward(x, h).Output), [(3, 2, 2), (1, 2, 2)]),
        ("checkpoint", Check.List(static (x, y) => Autograd.Checkpoint(v => (v * 0.3).Tanh() * v.Exp() * y, x) * x), [5, 5]),
        ("a checkpoint in a checkpoint", Check.List(static x => Autograd.Checkpoint(static v => Autograd.Checkpoint(static w => w.Sin() * w, v) * v, x.Exp()) * x), [5]),
        ("two results", static x => [x[0] * x[1], x[0].Exp()], [4, 4]),
    ];

    public static TheoryData<string> Names => [.. s_functions.Select(static f => f.Name)];

    /// <summary>A value inside the function, to which gradients of several orders flow, is one place where they meet, as eagerly.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void EveryOrderToTheThird(string name)
    {
        (_, ListFunction f, Shape[] shapes) = s_functions.Single(row => row.Name == name);
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        for (int order = 1; order <= 3; order++)
        {
            NDArray[] expected = Derivatives(f, shapes, order);
            NDArray[] first = Derivatives(compiled.Invoke, shapes, order);
            Check.Same(expected, first, $"order {order}, gradient");
            Check.Same(first, Derivatives(compiled.Invoke, shapes, order), $"order {order} again, gradient");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void GradInsideAHybridizedFunction(string name)
    {
        (_, ListFunction f, Shape[] shapes) = s_functions.Single(row => row.Name == name);
        for (int order = 1; order <= 3; order++)
        {
            int n = order;
            Check.Forward(x => Derivatives(f, [.. x], n), [.. shapes.Select(static (s, i) => TestArrays.Uniform(s, i + 1))]);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void AHybridizedFunctionInsideGradInsideAHybridizedFunction(string name)
    {
        (_, ListFunction f, Shape[] shapes) = s_functions.Single(row => row.Name == name);
        HybridFunction<ListFunction> inner = f.Hybridize(Check.Strict);
        NDArray[] inputs = [.. shapes.Select(static (s, i) => TestArrays.Uniform(s, i + 1))];
        HybridFunction<ListFunction> outer = Hybrid.Hybridize((ListFunction)(x => Derivatives(inner.Invoke, [.. x], 2)), Check.Strict);
        Check.Same(Derivatives(f, shapes, 2), outer.Invoke(inputs), "gradient");
    }

    [Fact]
    public void TheGradientOfAGradientInsideIsDifferentiableOutside()
    {
        Func<NDArray, NDArray> slope = static x =>
        {
            NDArray v = x.Source is null ? x.Detach() : x;
            if (v.Source is null) v.AttachGrad();
            using (Autograd.Record()) return Autograd.Grad(v * v * v, v, createGraph: true);
        };
        Check.Backward(Check.List(slope), TestArrays.Uniform(5));
    }

    [Fact]
    public void AConstantGradientInsideHasTheGradientZero()
    {
        ListFunction f = static x =>
        {
            NDArray v = x[0].Source is null ? x[0].Detach() : x[0];
            if (v.Source is null) v.AttachGrad();
            using RecordScope scope = Autograd.Record();
            NDArray slope = Autograd.Grad(v.Relu(), v, createGraph: true);
            return [slope, slope * slope + v, Autograd.Grad(slope, v, createGraph: true)];
        };
        Check.Backward(f, TestArrays.Uniform(5));
    }

    /// <summary>Also where the call cannot be repeated, since it changes gradients, and where another result depends on the variable.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AConstantGradientOutsideHasTheGradientZero(bool delivers)
    {
        NDArray w = TestArrays.Uniform(3, 7);
        ListFunction f = x =>
        {
            if (delivers)
                using (Autograd.Record()) (w * 2).Backward();
            return [x[0] * x[1], Nd.Where(x[0] > x[1], x[0], x[1] * 2)];
        };
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        (NDArray?[] expected, NDArray?[] actual) = (Penalty(f), Penalty(compiled.Invoke));
        Check.Same(expected, actual);
        Check.Same(Nd.Zeros(3), actual[1]);

        NDArray?[] Penalty(ListFunction g)
        {
            NDArray x = TestArrays.Uniform(3), y = TestArrays.Uniform(3, 2);
            foreach (NDArray variable in (NDArray[])[x, y, w]) variable.AttachGrad();
            NDArray slope, choice;
            using (Autograd.Record())
            {
                IReadOnlyList<NDArray> heads = g([x, y]);
                slope = Autograd.Grad(heads[0], x, createGraph: true);
                choice = Autograd.Grad(heads[1], x, createGraph: true);
            }

            // The slope is y: a function of x, too, by the gradient zero.
            NDArray[] second = Autograd.Grad([slope], [x, y], retainGraph: true);
            choice.Backward();
            Assert.True(x.FreshGrad);
            return [second[1], second[0], x.Grad];
        }
    }

    [Fact]
    public void ACompiledCallInACheckpointIsAFunctionOfWhatItReads()
    {
        NDArray w = TestArrays.Uniform(3), x = TestArrays.Uniform(3, 2);
        w.AttachGrad();
        x.AttachGrad();
        ListFunction f = v => [v[0].StopGradient() * w, v[0] * w];
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        Check.Same(Second(f), Second(compiled.Invoke));

        NDArray Second(ListFunction g)
        {
            using RecordScope scope = Autograd.Record();
            NDArray y = Autograd.Checkpoint(v => g([x])[0] * v, w);
            NDArray slope = Autograd.Grad(y * x.Sum(), x, createGraph: true);
            return Autograd.Grad(slope.Sum(), x);
        }
    }

    [Fact]
    public void OnlySomeResultsHaveGradients()
    {
        ListFunction f = static x => [x[0] * x[1], x[0].Exp(), (x[0] > 0).AsType(DType.Float32), x[1] * 3];
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        for (int chosen = 0; chosen < 4; chosen++)
        {
            if (chosen == 2) continue;
            int head = chosen;
            Check.Same(Check.Gradients(x => [f(x)[head]], Inputs()).Gradients, Check.Gradients(x => [compiled.Invoke(x)[head]], Inputs()).Gradients, $"head {chosen}, gradient");
        }

        static NDArray[] Inputs() => [TestArrays.Uniform(4), TestArrays.Uniform(4, 2)];
    }

    /// <summary>A layer that is one node keeps the bits of that node, which are not those of its steps.</summary>
    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    [InlineData(DType.Float16)]
    public void OnlySomeResultsOfARecurrentLayerHaveGradients(DType dtype)
    {
        Gru layer = new(5, 4, dtype: dtype);
        ListFunction f = x => [layer.Forward(x[0]), x[0] * 2];
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        NDArray x = TestArrays.Uniform((3, 2, 5), 1, dtype);
        Check.Same(Check.Gradients(v => [f(v)[0]], x).Gradients, Check.Gradients(v => [compiled.Invoke(v)[0]], x).Gradients, "gradient");
    }

    /// <summary>What is recorded again draws the same numbers and goes the same way.</summary>
    [Fact]
    public void GradientsOfCheckpointsThatDrawAndBranch()
    {
        Func<NDArray, NDArray> part = static v => Nd.Cond(v.Sum() > 0, () => (v * 0.3).Tanh().Dropout(0.4) * Nd.Random.Normal(0, 1, v.Shape), () => v.Exp()) * v;
        ListFunction f = Check.List(x => Autograd.Checkpoint(part, x) * x + Nd.Random.Uniform(0, 1, x.Shape) * x);
        ListFunction second = x => Derivatives(f, [.. x], 3);
        NDArray[] inputs = [TestArrays.Uniform(50).Abs()];
        HybridFunction<ListFunction> whole = second.Hybridize(Check.Strict), inner = f.Hybridize(Check.Strict);
        NDArray[] expected = Seeded(() => second(inputs));
        for (int call = 0; call < 2; call++)
        {
            Check.Same(expected, Seeded(() => whole.Invoke(inputs)), "whole");
            Check.Same(expected, Seeded(() => Derivatives(inner.Invoke, inputs, 3)), "inside");
        }

        static NDArray[] Seeded(Func<IReadOnlyList<NDArray>> call)
        {
            Nd.Random.Seed(3);
            return [.. call(), Nd.Random.Uniform(0, 1, 3)];
        }
    }

    [Fact]
    public void RetainedGraphsGoBackwardTwice()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x.Exp() * x, Check.Strict);
        NDArray x = TestArrays.Uniform(4);
        x.AttachGrad(GradReq.Add);
        NDArray y;
        using (Autograd.Record()) y = f.Invoke(x);
        y.Backward(retainGraph: true);
        NDArray once = x.Grad!.Copy();
        y.Backward();
        Check.Same(once * 2, x.Grad);
        Assert.Contains("already", Assert.Throws<AutogradException>(() => y.Backward()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RequestsAddAndNullAreHonoured()
    {
        HybridFunction<Func<NDArray, NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x, NDArray y) => x * y, Check.Strict);
        NDArray x = Nd.Full(3, 2);
        NDArray y = Nd.Full(3, 5);
        x.AttachGrad(GradReq.Add);
        for (int i = 1; i <= 3; i++)
        {
            using (Autograd.Record()) f.Invoke(x, y).Backward();
            Check.Same(Nd.Full(3, 5 * i), x.Grad);
        }

        Assert.Null(y.Grad);
    }

    [Fact]
    public void AGradientAttachedToAResultIsDelivered()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x * 3, Check.Strict);
        NDArray x = Nd.Ones(2);
        x.AttachGrad();
        using (Autograd.Record())
        {
            NDArray y = f.Invoke(x);
            y.AttachGrad();
            (y * y).Backward();
            Check.Same(Nd.Full(2, 6), y.Grad);
        }

        Check.Same(Nd.Full(2, 18), x.Grad);
    }

    [Fact]
    public void GradientsOfFloat64AndOfMixedTypes() =>
        Check.Both(Check.List(static (x, y) => x.AsType(DType.Float64) * y), TestArrays.Uniform(5), TestArrays.Uniform(5, 2, DType.Float64));

    [Fact]
    public void AHeadGradientOfAnotherShapeIsRefused()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x * 3, Check.Strict);
        NDArray x = Nd.Ones((2, 3));
        x.AttachGrad();
        using (Autograd.Record()) Assert.Throws<ShapeException>(() => f.Invoke(x).Backward(Nd.Ones(3)));
    }

    private static NDArray[] Derivatives(ListFunction f, Shape[] shapes, int order) =>
        Derivatives(f, [.. shapes.Select(static (s, i) => TestArrays.Uniform(s, i + 1))], order);

    private static NDArray[] Derivatives(ListFunction f, NDArray[] inputs, int order)
    {
        NDArray[] x = [.. inputs.Select(static i => i.Detach())];
        foreach (NDArray variable in x) variable.AttachGrad();
        using RecordScope scope = Autograd.Record();
        NDArray[] heads = [.. f(x)];
        for (int k = 1; k <= order; k++)
        {
            heads = Autograd.Grad(heads, x, createGraph: k < order, allowUnused: true);
            heads = k == order ? heads : [.. heads.Where(static h => h.Source is not null).Select(static h => h * h)];
            if (heads.Length == 0) return [];
        }

        return heads;
    }
}
