namespace Fusion.Tests;

/// <summary>Values that are computed where they belong in larger ones, and movement that is no launch: counts of launches, and equal bits in every mode.</summary>
[Collection(TileModes.Name)]
public sealed class PartFusionTests
{
    // Launches of a call without and with gradients; in brackets what they were when every movement was a launch of its own.
    private static readonly (string Name, int Forward, int Gradients, Func<NDArray, NDArray> F)[] s_functions =
    [
        ("joined rows (4, 6)", 3, 6, static x => Nd.Concat([x.Tanh(), x.Exp()], 0) * 2 + 1),
        ("joined columns (4, 6)", 3, 6, static x => Nd.Concat([x.Tanh(), x.Exp()], 1) * 2 + 1),
        ("stacked (4, 8)", 3, 5, static x => Nd.Stack([x.Tanh(), x.Exp(), x * 2], 0)),
        ("stacked behind (4, 8)", 3, 5, static x => Nd.Stack([x.Tanh(), x.Exp(), x * 2], -1)),
        ("interleaved (3, 6)", 2, 4, static x => Nd.Stack([x.Tanh(), x.Exp()], -1).Reshape(x.Shape[0], -1)),
        ("padded (2, 3)", 1, 3, static x => Nd.Pad(x.Tanh(), [(1, 1), (2, 2)])),
        ("padded with -0 (2, 3)", 1, 3, static x => Nd.Pad(x.Tanh(), [(1, 1), (2, 2)], -0.0)),
        ("padded and computed with (3, 5)", 2, 5, static x => Nd.Pad(x.Tanh(), [(1, 1), (2, 2)]).Exp()),
        ("a row (2, 4)", 1, 2, static x => x[3].Tanh() * 2),
        ("a column (2, 4)", 1, 2, static x => x[.., 3].Tanh() * 2),
        ("split (1, 6)", 1, 3, static x => Third(x, static (a, b, c) => a.Sigmoid() * b.Tanh() + c)),
        ("gated unit (1, 5)", 1, 2, static x => Half(x, static (a, b) => a * b.Sigmoid())),
        ("rotated (3, 8)", 2, 4, static x => Half(x, static (a, b) => Nd.Concat([a * 0.5 - b * 0.25, a * 0.25 + b * 0.5], -1))),
        ("flattened transpose (2, 3)", 1, 3, static x => x.Transpose().Reshape(-1).Exp() + 1),
        ("transpose of a computed value, flattened (3, 5)", 2, 4, static x => x.Tanh().Transpose().Reshape(-1).Exp()),
        ("tiled (3, 5)", 2, 4, static x => x.Tanh().Tile(2, 1) + 1),
        ("neighbours (1, 5)", 1, 4, static x => x[1..] - x[..^1]),
        ("every second (1, 4)", 1, 4, static x => x.Slice(1, 0, null, 2) + x.Slice(1, 1, null, 2)),
        ("softmax of last rows (2, 4)", 1, 3, static x => x.Reshape(8, -1, x.Shape[1])[.., -1].Softmax() * 2),
    ];

    public static TheoryData<string> Names => [.. s_functions.Select(static f => f.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void LaunchesOfWholeRegisters(string name)
    {
        (_, int forward, int gradients, Func<NDArray, NDArray> f) = Find(name);
        NDArray x = TestArrays.Uniform((64, 96));
        Assert.Equal(forward, TileModes.AssertSame(Check.List(f), x).KernelCount);
        Assert.Equal(gradients, TileModes.AssertSameGradients(Check.List(f), x).KernelCount);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void AnySize(string name)
    {
        Func<NDArray, NDArray> f = Find(name).F;
        foreach (Shape shape in (Shape[])[(8, 6), (16, 30), (24, 258), (40, 384), (200, 612)]) TileModes.AssertSameGradients(Check.List(f), TileModes.Random(shape.Dimensions[0], shape));
        TileModes.AssertSameGradients(Check.List(f), TileModes.Random(3, (8, 18), DType.Float64));
        TileModes.AssertSameGradients(Check.List(f), TileModes.Random(4, (8, 66), DType.Float16));
    }

    [Fact]
    public void StepsOfOneElementAreNone()
    {
        ListFunction f = static x =>
        {
            NDArray first = x[0].Slice(0, 0, 1, 3);
            return [(Nd.Stack([first, x[0][..1]], 0) * 0.3).Sum() + (first.CumSum(1) * 0.4).Sum()];
        };
        foreach (Shape shape in (Shape[])[(1, 3), (1, 48), (4, 16)]) TileModes.AssertSameGradients(f, TestArrays.Uniform(shape));
    }

    [Fact]
    public void GradientsOfALstmCellLieSideBySide()
    {
        ListFunction cell = Check.List(static x =>
        {
            NDArray[] gates = x.Split(4, 1);
            NDArray c = (gates[1].Sigmoid() * 0.5) + (gates[0].Sigmoid() * gates[2].Tanh());
            return gates[3].Sigmoid() * c.Tanh();
        });
        HybridReport report = TileModes.AssertSameGradients(cell, TileModes.Random(1, (32, 64)));
        Assert.Equal(["forward", "backward"], report.Groups.Where(static g => g.Kind != "View").Select(static g => g.IsBackward ? "backward" : "forward"));
    }

    [Fact]
    public void NegativeZerosOfGradientsBecomeZerosAsOnTheTape()
    {
        ListFunction f = Check.List(static x => Half(x, static (a, b) => Nd.Concat([b * -0.0, a * -0.0], 1)));
        TileModes.AssertSameGradients(f, TestArrays.Special((4, 6)));
        TileModes.AssertSameGradients(Check.List(static x => x[.., 1..3] * -0.0 + x[.., 4..6] * 0.0), TestArrays.Special((5, 7)));
        TileModes.AssertSameGradients(Check.List(static x => x[.., 4..6] * -0.0 + x[.., ..2] * -0.0 + x[.., 2..4]), TestArrays.Special((5, 7)));
        TileModes.AssertSameGradients(Check.List(static x => x[.., 1..3] * x[.., 2..4]), TestArrays.Special((5, 7)));
    }

    /// <summary>What is filled around a part that is put together itself: by the first launch that writes there.</summary>
    [Fact]
    public void PartsOfWhatIsPaddedAreComputedInPlaceToo()
    {
        (int Kernels, Func<NDArray, NDArray> F)[] functions =
        [
            (2, static x => Nd.Pad(Nd.Concat([x, x.Tanh()], 1), [(0, 3), (0, 0)])),
            (2, static x => Nd.Pad(Nd.Concat([x, x.Tanh()], 1).Reshape(1, -1), [(0, 0), (5, 3)], value: 2)),
            (2, static x => Nd.Pad(Nd.Concat([x, x.Tanh()], 1).Reshape(1, -1), [(0, 0), (64, 64)], value: 2)),
            (2, static x => Nd.Pad(Nd.Concat([x.Exp(), x.Tanh()], 0), [(2, 1), (0, 0)])),
            (2, static x => Nd.Pad(Nd.Concat([x.Exp(), x.Tanh()], 1), [(2, 1), (0, 0)], value: 7)),
            (1, static x => Nd.Pad(Nd.Pad(x.Tanh(), [(1, 1), (0, 0)], value: 3), [(2, 2), (0, 0)], value: 5)),
            (4, static x => Nd.Concat([Nd.Pad(Nd.Concat([x, x.Exp()], 1), [(1, 0), (0, 0)]), Nd.Concat([x.Sin(), x * 2], 1)], 0)),
            (2, static x => Nd.Stack([Nd.Pad(Nd.Stack([x.Tanh(), x.Exp()], 0), [(1, 1), (0, 0), (0, 0)]), Nd.Ones((4, x.Shape[0], x.Shape[1]))], 0)),
        ];
        List<int> counts = [];
        foreach ((_, Func<NDArray, NDArray> f) in functions)
        {
            counts.Add(TileModes.AssertSame(Check.List(f), TileModes.Random(1, (16, 64))).KernelCount);
            foreach (Shape shape in (Shape[])[(4, 6), (16, 64), (5, 7), (40, 384)]) TileModes.AssertSameGradients(Check.List(f), TileModes.Random(shape.Dimensions[0], shape));
        }

        Assert.Equal(functions.Select(static f => f.Kernels), counts);
    }

    [Fact]
    public void PartsOfPartsLieInTheOutermostValue()
    {
        HybridReport report = TileModes.AssertSame(Check.List(static x => Nd.Concat([Nd.Concat([x.Exp(), x.Sin()], 1), Nd.Concat([x.Cos(), x.Tanh()], 1)], 0)), TileModes.Random(1, (16, 32)));
        Assert.Equal(4, report.KernelCount);
        TileModes.AssertSame(Check.List(static x => Nd.Concat([Nd.Pad(x.Exp(), [(0, 1), (0, 2)]), Nd.Pad(x.Sin(), [(1, 0), (2, 0)])], 0)), TileModes.Random(1, (5, 7)));
    }

    [Fact]
    public void ResultsAndArraysThatAreReadElsewhereKeepTheirOwnMemory()
    {
        TileModes.AssertSameGradients(static x =>
        {
            NDArray a = x[0].Tanh(), b = x[0].MatMul(x[0]);
            NDArray joined = Nd.Concat([a, b, a, x[0]], 1);
            return [joined, a, joined.Softmax(), b[1..].Exp(), Nd.Concat([b, b], 0)];
        }, TileModes.Random(1, (16, 16)));
    }

    [Fact]
    public void ProductsAndRowsAreComputedInTheirPart()
    {
        HybridReport report = TileModes.AssertSame(
            Check.List(static x => Nd.Concat([x.MatMul(x), x.Softmax(), (x * 2).Sum([1], keepDims: true) + x.Exp()], 0)), TileModes.Random(1, (32, 32)));
        Assert.DoesNotContain("Concat", report.Groups.Where(static g => g.Kind != "View").SelectMany(static g => g.Ops));
        TileModes.AssertSame(Check.List(static x => Nd.Concat([x.MatMul(x), x.Softmax(), x.Exp()], 0)), TileModes.Random(1, (7, 7)));
    }

    [Fact]
    public void ArraysWrittenInPlaceMayBeWholes()
    {
        NDArray state = Nd.Zeros((4, 32)), twin = Nd.Zeros((4, 32));
        Func<NDArray, NDArray> step = Step(state), eager = Step(twin);
        HybridFunction<Func<NDArray, NDArray>> compiled = step.Hybridize(Check.Strict);
        for (int i = 0; i < 3; i++)
        {
            NDArray x = TestArrays.Uniform((4, 16), i);
            Check.Same(eager(x), compiled.Invoke(x));
            Check.Same(twin, state, "the array");
        }

        static Func<NDArray, NDArray> Step(NDArray state) => x =>
        {
            state.Assign(Nd.Concat([x.Exp(), state[.., ..16] + 1], 1));
            return state.Sum();
        };
    }

    [Fact]
    public void SteadyCallsAllocateNoHandles()
    {
        HybridFunction<ListFunction> f = Check.List(static x => Nd.Concat([x[..1].Tanh(), Nd.Pad(x[1..].Exp(), [(1, 1), (0, 0)]), x], 0)).Hybridize(Check.Strict);
        NDArray[] x = [TestArrays.Uniform((6, 5))];
        for (int i = 0; i < 3; i++) f.Invoke(x);
        long before = GC.GetAllocatedBytesForCurrentThread();
        f.Invoke(x);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1000, $"{GC.GetAllocatedBytesForCurrentThread() - before} bytes");
    }

    private static NDArray Half(NDArray x, Func<NDArray, NDArray, NDArray> f)
    {
        NDArray[] parts = x.Split(2, 1);
        return f(parts[0], parts[1]);
    }

    private static NDArray Third(NDArray x, Func<NDArray, NDArray, NDArray, NDArray> f)
    {
        NDArray[] parts = x.Split(3, 1);
        return f(parts[0], parts[1], parts[2]);
    }

    private static (string Name, int Forward, int Gradients, Func<NDArray, NDArray> F) Find(string name) => s_functions.Single(f => f.Name == name);
}
