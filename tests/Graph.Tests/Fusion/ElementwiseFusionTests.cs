namespace Fusion.Tests;

/// <summary>Chains of element-wise operators become one kernel with the bits of eager execution.</summary>
public sealed class ElementwiseFusionTests
{
    public static TheoryData<int> Sizes => [0, 1, 3, 15, 16, 17, 64, 1000, 40_000];

    public static TheoryData<string, DType> Rows
    {
        get
        {
            TheoryData<string, DType> rows = [];
            foreach (Op op in OpTable.Rows.Where(static op => op.Element is not null))
            {
                rows.Add(op.Name, DType.Float32);
                rows.Add(op.Name, DType.Float64);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void TenOperatorsAreOneKernelAndTheirBackwardOneMore(int size)
    {
        HybridReport report = Check.Backward(Check.List(TenOperators), TestArrays.Uniform(size, 3));
        Assert.Equal(2, report.KernelCount);
        Assert.Equal(1, report.Groups.Count(static g => g is { IsBackward: false, Kind: "Elementwise" }));
        Assert.Equal(1, Check.Forward(Check.List(TenOperators), TestArrays.Special(size, 4)).KernelCount);
    }

    [Fact]
    public void BackwardOfAChainIsAtMostOneKernelPerOutputShape()
    {
        HybridReport report = Check.Backward(
            x => [TenOperators(x[0] * x[1] + x[2])], TestArrays.Uniform((6, 5), 1), TestArrays.Uniform((6, 5), 2), TestArrays.Uniform((6, 5), 3));
        Assert.Equal(2, report.KernelCount);
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void EveryElementRowFusesWithItsNeighbours(string name, DType dtype)
    {
        Op op = OpTable.Rows.Single(row => row.Name == name);
        bool[] masks = [.. Enumerable.Range(0, op.Arity).Select(op.Element!.IsMaskInput)];
        NDArray[] inputs = [.. masks.Select((_, i) => TestArrays.Special((7, 33), i + 1, dtype))];
        HybridReport report = Check.Forward(
            x =>
            {
                NDArray[] operands = [.. masks.Select((mask, i) => mask ? x[i] > 0.25 : x[i] * 1.5)];
                NDArray result = op.Apply(operands);
                return [result.DType == DType.Bool ? Nd.Where(result, x[0], 2) : result * 0.5];
            },
            inputs);
        // A formula that fills a kernel on its own may leave its neighbours outside.
        Assert.InRange(report.KernelCount, 1, op.Element.Weight < Grouper.MaxWeight - 10 ? 1 : 3);
    }

    [Fact]
    public void AValueUsedManyTimesIsComputedOnce()
    {
        HybridReport report = Check.Both(Check.List(x =>
        {
            NDArray t = x.Tanh();
            return t * t + t * x - t / (t.Square() + 1);
        }), TestArrays.Uniform((9, 9)));
        Assert.Equal(2, report.KernelCount);
        Assert.Single(report.Groups[0].Ops, "Tanh");
    }

    [Fact]
    public void LongChainsAreCutBelowTheLimit()
    {
        HybridReport report = Check.Both(Check.List(static x =>
        {
            for (int i = 0; i < 500; i++) x = x * 1.001 + 0.001;
            return x;
        }), TestArrays.Uniform(100));
        Assert.InRange(report.Groups.Count(static g => !g.IsBackward), 2, 20);
        Assert.Contains("expanded operations", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void DeadOperatorsAreNotRun()
    {
        HybridReport report = Check.Forward(Check.List(static x =>
        {
            NDArray unused = x.MatMul(x).Softmax();
            return unused.Rank == 2 ? x + 1 : unused;
        }), TestArrays.Uniform((5, 5)));
        Assert.Equal(1, report.KernelCount);
        Assert.Equal(["Add"], report.Groups.Single().Ops);
    }

    [Fact]
    public void EqualSubexpressionsAreOne()
    {
        HybridReport report = Check.Forward(Check.List(static (x, y) => (x * y).Exp() + (x * y).Exp()), TestArrays.Uniform(20), TestArrays.Uniform(20, 2));
        Assert.Equal(["Multiply", "Exp", "Add"], report.Groups.Single().Ops);
    }

    private static NDArray TenOperators(NDArray x) => (((x * 2 + 1).Tanh() - 0.5) * x).Sigmoid().Square().Sqrt() / 3 + x;
}
