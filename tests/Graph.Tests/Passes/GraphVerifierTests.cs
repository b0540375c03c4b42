namespace Fusion.Tests;

/// <summary>The verifier sees every way in which a pass could break a graph.</summary>
public sealed class GraphVerifierTests
{
    private static readonly TensorType s_type = new(DType.Float32, (2, 3));

    [Fact]
    public void TracedGraphsAreSound() =>
        GraphVerifier.Verify(Graphs.Of(Check.List(static (x, y) => (x.MatMul(y) + 1).Softmax().Sum(0)), Nd.Ones((2, 3)), Nd.Ones((3, 4))));

    [Fact]
    public void AWrongTypeIsSeen()
    {
        Assert.Contains("its type is", Broken(new TensorType(DType.Float32, (3, 2)), new InputNode(0, s_type, 0, "x0")), StringComparison.Ordinal);
        Assert.Contains("its type is", Broken(new TensorType(DType.Float64, (2, 3)), new InputNode(0, s_type, 0, "x0")), StringComparison.Ordinal);
    }

    [Fact]
    public void AnInputThatComesLaterIsSeen() => Assert.Contains("comes after it", Broken(s_type, new InputNode(9, s_type, 0, "x0")), StringComparison.Ordinal);

    [Fact]
    public void AWrongNumberOfInputsIsSeen()
    {
        InputNode x = new(0, s_type, 0, "x0");
        Assert.Contains("it has 2 inputs, its row says 1", Broken(s_type, x, x), StringComparison.Ordinal);
    }

    private static string Broken(TensorType type, params GraphNode[] inputs)
    {
        OpNode node = new(5, OpTable.Exp, inputs, null, type);
        string message = Assert.Throws<InvalidOperationException>(() => GraphVerifier.Verify(new GraphFunction([.. inputs.Distinct()], [node], []))).Message;
        Assert.Contains("%5 = Exp", message, StringComparison.Ordinal);
        return message;
    }
}
