namespace Fusion.Tests;

/// <summary>Nodes are hash-consed, numbered and typed.</summary>
public sealed class GraphBuilderTests
{
    private readonly GraphBuilder _graph = new();

    [Fact]
    public void EqualCallsAreOneNode()
    {
        GraphNode x = Input();
        Assert.Same(_graph.Apply(OpTable.Exp, [x], null), _graph.Apply(OpTable.Exp, [x], null));
        Assert.Same(Slice(x, 1), Slice(x, 1));
        Assert.NotSame(Slice(x, 1), Slice(x, 0));
        Assert.NotSame(_graph.Apply(OpTable.Subtract, [x, Input()], null), _graph.Apply(OpTable.Subtract, [Input(), x], null));
        Assert.Equal(6 + 2, _graph.CallCount);

        GraphNode Slice(GraphNode node, int start) =>
            _graph.Apply(OpTable.Slice, [node], new SliceAttributes(new IntList([start, 0]), new IntList([1, 3]), new IntList([1, 1]), node.Shape));
    }

    [Fact]
    public void EveryOpRowMergesWithItselfButRandomOnes()
    {
        RandomAttributes attributes = new((2, 3), DType.Float32, 0, 1);
        Assert.NotSame(_graph.Apply(OpTable.RandomUniform, [], attributes), _graph.Apply(OpTable.RandomUniform, [], attributes));
    }

    [Fact]
    public void NumbersAreOneNodePerBitsAndType()
    {
        Assert.Same(_graph.Constant(1, DType.Float32), _graph.Constant(1, DType.Float32));
        Assert.NotSame(_graph.Constant(1, DType.Float32), _graph.Constant(1, DType.Float64));
        Assert.NotSame(_graph.Constant(0, DType.Float32), _graph.Constant(-0.0, DType.Float32));
        Assert.Same(_graph.Constant(double.NaN, DType.Float32), _graph.Constant(double.NaN, DType.Float32));
    }

    [Fact]
    public void ArraysAreOneNodePerReference()
    {
        NDArray a = Nd.Ones(3);
        Assert.Same(_graph.Capture(a), _graph.Capture(a));
        Assert.NotSame(_graph.Capture(a), _graph.Capture(Nd.Ones(3)));
        Assert.Equal(2, _graph.Captured.Count);
    }

    [Fact]
    public void IdsRiseFromInputsToUsers()
    {
        GraphNode x = Input();
        GraphNode y = _graph.Apply(OpTable.Add, [_graph.Apply(OpTable.Exp, [x], null), x], null);
        Assert.All(_graph.Nodes, static n => Assert.All(n.Inputs, i => Assert.True(i.Id < n.Id)));
        Assert.Equal(Enumerable.Range(0, _graph.Nodes.Count), _graph.Nodes.Select(static n => n.Id));
        Assert.Equal(new TensorType(DType.Float32, (2, 3)), y.Type);
    }

    [Fact]
    public void ErrorsOfTypesAreThrownAtTheCall() =>
        Assert.Throws<ShapeException>(() => _graph.Apply(OpTable.Add, [Input(), _graph.Input(new TensorType(DType.Float32, (5, 7)), 1, "y")], null));

    private InputNode Input() => _graph.Input(new TensorType(DType.Float32, (2, 3)), 0, "x");
}
