namespace Fusion.Tests;

/// <summary>Cutting a function out of a graph: order, dead code, effects, leaves.</summary>
public sealed class GraphFunctionTests
{
    private readonly GraphBuilder _graph = new();

    [Fact]
    public void OnlyWhatOutputsNeedIsListedInAnOrderThatWorks()
    {
        InputNode x = Input();
        GraphNode dead = Exp(x);
        GraphNode a = _graph.Apply(OpTable.Sin, [x], null);
        GraphNode b = _graph.Apply(OpTable.Add, [a, x], null);
        GraphFunction function = new([x], [b, a, b, x], []);
        Assert.Equal([a, b], function.Operators);
        Assert.DoesNotContain(dead, function.Order);
        Assert.Equal([b, a, b, x], function.Outputs);
    }

    [Fact]
    public void ADrawThatNobodyReadsTakesItsPartOfTheStream()
    {
        InputNode x = Input();
        OpNode dead = (OpNode)_graph.Apply(OpTable.RandomUniform, [], new RandomAttributes(65, DType.Float32, 0, 1));
        OpNode draw = (OpNode)_graph.Apply(OpTable.RandomUniform, [], new RandomAttributes(3, DType.Float32, 0, 1));
        GraphFunction function = new([x], [Exp(x), Exp(draw)], [dead, draw]);
        Assert.DoesNotContain(dead, function.Operators);
        Assert.Contains(dead, function.Order);
        Assert.Contains(draw, function.Operators);
        Assert.Equal((0ul, 32ul), (function.BlocksBefore(dead), function.BlocksBefore(draw)));
        Assert.Equal(48ul, function.DrawnBlocks);
        Assert.Equal(0ul, new GraphFunction([x], [Exp(x)], []).DrawnBlocks);
    }

    [Fact]
    public void NothingBehindALeafIsComputed()
    {
        InputNode x = Input();
        GraphNode given = Exp(Exp(x));
        GraphNode result = Exp(given);
        GraphFunction function = new([given], [result, given], []);
        Assert.Equal([result], function.Operators);
        Assert.DoesNotContain(x, function.Order);
    }

    [Fact]
    public void CapturedArraysAreListedUnlessTheyAreGiven()
    {
        CapturedNode captured = _graph.Capture(Nd.Ones((2, 3)));
        GraphNode result = _graph.Apply(OpTable.Add, [captured, Input()], null);
        Assert.Equal([captured], new GraphFunction([Input()], [result], []).Captured);
        Assert.Empty(new GraphFunction([captured], [result], []).Captured);
    }

    [Fact]
    public void DeepGraphsNeedNoStack()
    {
        GraphNode node = Input();
        for (int i = 0; i < 200_000; i++) node = new OpNode(i + 1, OpTable.Exp, [node], null, node.Type);
        Assert.Equal(200_001, GraphOrder.Sort([node]).Count);
    }

    [Fact]
    public void TheInterpreterComputesTheReferenceValues()
    {
        NDArray captured = TestArrays.Uniform((2, 3), 4);
        ListFunction f = Check.List(x => (x * captured + 2).Tanh().MatMul(x.Transpose()));
        NDArray x = TestArrays.Uniform((2, 3));
        GraphFunction function = Graphs.Of(f, x);
        Check.Same(f([x]), Interpreter.Run(function, [x]));
        Assert.Equal(function.Order.Count, Interpreter.Evaluate(function, [x]).Count);
        Assert.Throws<InvalidOperationException>(() => Interpreter.Run(function, []));
    }

    private InputNode Input() => _graph.Input(new TensorType(DType.Float32, (2, 3)), 0, "x");

    private GraphNode Exp(GraphNode x) => _graph.Apply(OpTable.Exp, [x], null);
}
