namespace Fusion.Tests;

/// <summary>Every rewrite is applied where it is exact, and nowhere else: what remains of the graph, and the bits for every special value.</summary>
public sealed class SimplifyRulesTests
{
    private static readonly NDArray s_row = Nd.Ones(5);
    private static readonly NDArray s_wide = Nd.Ones((3, 4, 5));

    private static readonly (string Name, Func<NDArray, NDArray> F, string[] Remains)[] s_rules =
    [
        ("x·1", static x => x * 1, []),
        ("1·x", static x => 1 * x, []),
        ("x/1", static x => x / 1, []),
        ("x − 0", static x => x - 0, []),
        ("x + (−0)", static x => x + -0.0, []),
        ("−(−x)", static x => -(-x), []),
        ("c ? x : x", static x => Nd.Where(x > 0, x, x), []),
        ("stop gradient", static x => x.StopGradient(), []),
        ("copy", static x => x.Copy(), []),
        ("cast to the same type", static x => x.AsType(DType.Float32), []),
        ("reshape to the same shape", static x => x.Reshape(4, 5), []),
        ("stretch to the same shape", static x => x.BroadcastTo((4, 5)), []),
        ("reshape of reshape", static x => x.Reshape(20).Reshape(10, 2), ["Reshape"]),
        ("stretch of stretch", static x => x.BroadcastTo((2, 4, 5)).BroadcastTo((3, 2, 4, 5)), ["BroadcastTo"]),
        ("transposed twice", static x => x.Transpose().Transpose(), []),
        ("transposes composed", static x => x.Reshape(2, 2, 5).Transpose(1, 2, 0).Transpose(1, 2, 0), ["Reshape", "Transpose"]),
        ("transposed with nothing moved", static x => x.Transpose(0, 1), []),
        ("a stretched operand", static x => x * s_row.BroadcastTo((4, 5)), ["Multiply"]),
        ("equal calls", static x => x.Exp() * x.Exp(), ["Exp", "Multiply"]),
        ("equal calls with operands in another order", static x => (x * s_row).Exp() + (s_row * x).Exp(), ["Multiply", "Exp", "Add"]),
        ("equal comparisons in another order", static x => Nd.LogicalAnd(Nd.Equal(x, s_row), Nd.Equal(s_row, x)), ["Equal", "LogicalAnd"]),
        ("the largest of what was stretched", static x => x.ExpandDims(1).BroadcastTo((4, 6, 5)).Max(1), []),
        ("the smallest of it along two axes", static x => x.ExpandDims(1).BroadcastTo((4, 6, 5)).Min([0, 1]), ["Reshape", "Min", "Reshape"]),
        ("any of it, kept", static x => (x > 0).BroadcastTo((3, 4, 5)).Any(0, keepDims: true), ["Greater", "Reshape"]),
        ("a row stretched along an axis that is kept", static x => x.Max(0, keepDims: true).BroadcastTo((4, 5)).Max(0), ["Max", "Reshape"]),
    ];

    private static readonly (string Name, Func<NDArray, NDArray> F, string[] Remains)[] s_exceptions =
    [
        ("x + 0 keeps −0 apart from 0", static x => x + 0, ["Add"]),
        ("x − (−0) likewise", static x => x - -0.0, ["Subtract"]),
        ("0 − x is not −x", static x => 0 - x, ["Subtract"]),
        ("the larger of two zeros is the first", static x => x.Maximum(s_row) + s_row.Maximum(x), ["Maximum", "Maximum", "Add"]),
        ("a sum of what was stretched is added up", static x => x.BroadcastTo((3, 4, 5)).Sum(0), ["BroadcastTo", "Sum"]),
        ("x·0 is NaN for infinities", static x => x * 0, ["Multiply"]),
        ("x − x is NaN for infinities", static x => x - x, ["Subtract"]),
        ("x/x", static x => x / x, ["Divide"]),
        ("x·(−1) is not −x for NaN's sign", static x => x * -1, ["Multiply"]),
        ("exp of log", static x => x.Log().Exp(), ["Log", "Exp"]),
        ("sums in another order", static x => (x + 1e8) + -1e8, ["Add", "Add"]),
        ("a stretch that makes the shape", static x => x.BroadcastTo((3, 4, 5)) * 2, ["BroadcastTo", "Multiply"]),
        ("c ? x : x that stretches", static x => Nd.Where(s_wide > 0, x, x), ["Greater", "Where"]),
        ("a product that widens", static x => x * s_wide, ["Multiply"]),
        ("cast to a narrower type and back", static x => x.AsType(DType.Int32).AsType(DType.Float32), ["Cast", "Cast"]),
    ];

    public static TheoryData<string> Names => [.. s_rules.Concat(s_exceptions).Select(static r => r.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void WhatRemainsIsWhatMust(string name)
    {
        (_, Func<NDArray, NDArray> f, string[] remains) = s_rules.Concat(s_exceptions).Single(r => r.Name == name);
        NDArray x = TestArrays.Special((4, 5));
        GraphFunction function = Graphs.Of(Check.List(f), x);
        Assert.Equal(remains, Graphs.Names(function));
        GraphVerifier.Verify(function);
        Check.Same(f(x), Interpreter.Run(function, [x])[0]);
        Check.Forward(Check.List(f), x);
    }

    [Theory]
    [InlineData(DType.Int32)]
    [InlineData(DType.Int64)]
    [InlineData(DType.Float64)]
    public void RulesHoldForEveryType(DType dtype)
    {
        NDArray x = TestArrays.Indices((4, 5), 9).AsType(dtype);
        Assert.Empty(Graphs.Names(Graphs.Of(Check.List(static x => x * 1 - 0), x)));
        Check.Forward(Check.List(static x => x * 1 - 0 + 3), x);
    }

    [Fact]
    public void ANumberIsFoldedWithTheKernelThatWouldRun()
    {
        GraphBuilder graph = new();
        foreach (double value in (double[])[0.1, 3, -0.0, double.NaN, 1e-40, 88])
        {
            GraphNode folded = graph.Apply(OpTable.Exp, [graph.Constant(value, DType.Float32)], null);
            ConstantNode constant = Assert.IsType<ConstantNode>(folded);
            Check.Same(Nd.Scalar(value).Exp(), Nd.Scalar(constant.Value), $"exp {value}");
        }
    }

    [Fact]
    public void IntegersAndMasksAreNotFolded()
    {
        GraphBuilder graph = new();
        Assert.IsType<OpNode>(graph.Apply(OpTable.Add, [graph.Constant(1, DType.Int32), graph.Constant(2, DType.Int32)], null));
        Assert.IsType<OpNode>(graph.Apply(OpTable.Less, [graph.Constant(1, DType.Float32), graph.Constant(2, DType.Float32)], null));
    }
}
