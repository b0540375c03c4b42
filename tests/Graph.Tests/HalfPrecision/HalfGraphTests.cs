namespace Fusion.Tests;

/// <summary>Functions of arrays of half precision have the eager bits when they are compiled: every result is rounded where eager execution rounds it.</summary>
public sealed class HalfGraphTests
{
    private static readonly Dictionary<string, ListFunction> s_functions = new()
    {
        ["chain"] = Check.List(static (x, y, _) => (((x * 2 + 0.1).Tanh() - y) / 3).Exp()),
        ["values used twice"] = Check.List(static (x, y, _) => x.Sigmoid() * x + (x - y) * (x - y)),
        ["broadcast"] = Check.List(static (x, y, row) => (x * row + y) * row.Exp() - row),
        ["a mask"] = Check.List(static (x, y, _) => Nd.Where(x > 0.1, y * 3, x) + Nd.Maximum(x, y)),
        ["constants"] = Check.List(static (x, _, _) => x * Nd.Full((6, 8), 0.3, x.DType) + Nd.OnesLike(x) - Nd.Scalar(7, x.DType)),
        ["views"] = Check.List(static (x, y, row) => x.Transpose().Reshape(6, 8) * y + Nd.Concat([row, row * 2], 0).Reshape(2, 8)[1]),
        ["reductions"] = Check.List(static (x, y, _) => x.Sum(0) * y.Mean(0) + (x * y).Max(0) + x.Softmax(0)[1]),
        ["products"] = Check.List(static (x, y, row) => (x.MatMul(y.Transpose()) + 1).Gelu().MatMul(x) * row),
        ["a layer"] = Check.List(static (x, y, row) => Nd.FullyConnected(x, y, y[.., 0]).Relu().Square().LayerNorm() * row[0..6]),
        ["types mixed"] = Check.List(static (x, y, row) => (x.AsType(DType.Float32) * y).AsType(row.DType) + row.AsType(DType.Float64)),
        ["both halves"] = Check.List(static (x, y, _) => x.AsType(DType.Float16) * y.AsType(DType.BFloat16)),
        ["integers"] = Check.List(static (x, y, _) => x * (y * 100).AsType(DType.Int32) + x.AsType(DType.UInt8)),
        ["loss"] = Check.List(static (x, y, _) => NN.Loss.MeanSquaredError(x.Tanh(), y) + NN.Loss.SoftmaxCrossEntropy(x, Nd.Array([0, 1, 2, 3, 4, 5]))),
        ["selection"] = Check.List(static (x, y, _) => x.Take(Nd.Array([1, 1, 3]), 0) * y.Sort(0)[0..3] + x.Pick(Nd.Array([0, 1, 2, 3, 4, 5]))[0]),
    };

    public static TheoryData<string, DType> Functions
    {
        get
        {
            TheoryData<string, DType> data = [];
            foreach (string name in s_functions.Keys)
                foreach (DType half in new[] { DType.Float16, DType.BFloat16 }) data.Add(name, half);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Functions))]
    public void EveryBitIsThatOfEagerExecution(string name, DType half)
    {
        ListFunction f = s_functions[name];
        Check.Both(f, TestArrays.Uniform((6, 8), 1, half), TestArrays.Uniform((6, 8), 2, half), TestArrays.Uniform(8, 3, half));
        Check.Forward(f, TestArrays.Special((6, 8), 1, half), TestArrays.Special((6, 8), 2, half), TestArrays.Special(8, 3, half));
    }

    [Theory]
    [InlineData(DType.Float16)]
    [InlineData(DType.BFloat16)]
    public void LargeArrays(DType half) =>
        Check.Both(s_functions["broadcast"], TestArrays.Uniform((300, 517), 1, half), TestArrays.Uniform((300, 517), 2, half), TestArrays.Uniform(517, 3, half));

    /// <summary>Gradients that come from inside and outside of compiled functions are rounded after every addition, as on the tape.</summary>
    [Theory]
    [InlineData(DType.Float16)]
    [InlineData(DType.BFloat16)]
    public void SumsOfGradientsHaveTheOrderOfTheTape(DType half)
    {
        Func<NDArray, NDArray, NDArray> f = static (v, w) => (v * w).Tanh() * v + w.Sin() * v;
        HybridFunction<Func<NDArray, NDArray, NDArray>> compiled = f.Hybridize(Check.Strict);
        NDArray Step(Func<NDArray, NDArray, NDArray> g, NDArray x, NDArray w) => x.Sin() + g(x, w) * x + g(w, x) + g(x, x) * w;
        (IReadOnlyList<NDArray> results, NDArray?[] gradients) = Check.Gradients(v => [Step(f, v[0], v[1])], Inputs(half));
        (IReadOnlyList<NDArray> own, NDArray?[] ownGradients) = Check.Gradients(v => [Step(compiled.Invoke, v[0], v[1])], Inputs(half));
        Check.Same(results, own);
        Check.Same(gradients, ownGradients);
    }

    [Theory]
    [InlineData(DType.Float16)]
    [InlineData(DType.BFloat16)]
    public void HigherOrders(DType half)
    {
        Func<NDArray, NDArray> f = static x => (x.Tanh() * x).Exp() / 2;
        HybridFunction<Func<NDArray, NDArray>> compiled = f.Hybridize(Check.Strict);
        Func<NDArray, NDArray> second = x => Second(f, x);
        HybridFunction<Func<NDArray, NDArray>> whole = second.Hybridize(Check.Strict);
        NDArray x = TestArrays.Uniform((5, 7), 4, half);
        NDArray expected = Second(f, x);
        Assert.Equal(half, expected.DType);
        Check.Same(expected, Second(compiled.Invoke, x), "outside");
        Check.Same(expected, whole.Invoke(x), "inside");

        static NDArray Second(Func<NDArray, NDArray> f, NDArray x)
        {
            NDArray variable = x.Detach();
            variable.AttachGrad();
            using RecordScope scope = Autograd.Record();
            NDArray first = Autograd.Grad(f(variable).Sum(), variable, createGraph: true);
            return Autograd.Grad(first.Square().Sum(), variable);
        }
    }

    [Fact]
    public void ATapeBecomesAFunction()
    {
        NDArray x = TestArrays.Uniform((4, 5), 1, DType.BFloat16), w = TestArrays.Uniform(5, 2, DType.BFloat16);
        x.AttachGrad();
        NDArray head;
        using (Autograd.Record()) head = (x * w + 0.5).Tanh() * x;
        HybridFunction<ListFunction> lifted = Hybrid.FromTape(head, x);
        Check.Same(head, lifted.Invoke([x])[0]);
        NDArray other = TestArrays.Uniform((4, 5), 9, DType.BFloat16);
        Check.Same((other * w + 0.5).Tanh() * other, lifted.Invoke([other])[0]);
    }

    [Fact]
    public void ACheckedCallAgrees()
    {
        Func<NDArray, NDArray> f = static x => (x * 1.7).Sigmoid().LayerNorm() * x;
        HybridFunction<Func<NDArray, NDArray>> compiled = f.Hybridize(Check.Strict with { Verify = HybridVerify.Always });
        NDArray x = TestArrays.Special((9, 33), 1, DType.Float16);
        Check.Same(f(x), compiled.Invoke(x));
    }

    [Theory]
    [InlineData(DType.Float16)]
    [InlineData(DType.BFloat16)]
    public void AFunctionOnAnAcceleratorHasTheBitsOfTheProcessor(DType half)
    {
        Func<NDArray, NDArray> f = static x => (x * 1.5 + 0.25).Tanh() * x - 1;
        HybridFunction<Func<NDArray, NDArray>> compiled = f.Hybridize(Check.Strict);
        NDArray x = TestArrays.Special((5, 7), 3, half);
        Check.Same(f(x), compiled.Invoke(x.To(Device.Debug)).To(Device.Cpu));
    }

    private static NDArray[] Inputs(DType half) => [TestArrays.Uniform((6, 8), 1, half), TestArrays.Uniform((6, 8), 2, half)];
}
