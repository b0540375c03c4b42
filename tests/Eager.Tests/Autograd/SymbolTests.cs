namespace Fusion.Tests;

/// <summary><c>Autograd.GetSymbol</c>: the recorded computation as a graph to read.</summary>
public sealed class SymbolTests
{
    [Fact]
    public void ArgumentsAreTheArraysNotTheNumbers()
    {
        // MXNet's test_get_symbol.
        NDArray x = Leaf.Of(1), z = Leaf.Of(1);
        using (Autograd.Record())
        {
            Assert.Single(Autograd.GetSymbol(x * x + 2 * x - 1).ListArguments());
            Assert.Equal(["var0", "var1"], Autograd.GetSymbol(x * x + 2 * z - 1).ListArguments());
        }
    }

    [Fact]
    public void NodesComeBeforeTheirUsersAndTheHeadIsLast()
    {
        NDArray x = Leaf.Attached(Nd.Ones((2, 3))), w = Nd.Ones((4, 3));
        Symbol symbol;
        using (Autograd.Record())
        {
            NDArray y = Nd.FullyConnected(x, w).Relu();
            symbol = Autograd.GetSymbol((y + y * 0.5).Sum());
        }

        HashSet<SymbolNode> seen = new(ReferenceEqualityComparer.Instance);
        foreach (SymbolNode node in symbol.Nodes)
        {
            Assert.All(node.Inputs, input => Assert.Contains(input, seen));
            Assert.True(seen.Add(node));
        }

        Assert.Equal(symbol.Nodes.Count, symbol.Nodes.Select(static n => n.Name).Distinct().Count());
        Assert.Equal(["MatMul", "Relu", "Constant", "Multiply", "Add", "Sum"], symbol.Nodes.Where(static n => n.Op is not null).Select(static n => n.Op!));
        Assert.Equal((new Shape(), "Sum"), (symbol.Nodes[^1].Shape, symbol.Nodes[^1].Op));
        Assert.Equal(new Shape(2, 4), symbol.Nodes.Single(static n => n.Op == "Relu").Shape);
        Assert.Equal(0.5, symbol.Nodes.Single(static n => n.Op == "Constant").Value);
        Assert.Equal([new Shape(2, 3), new Shape(4, 3)], symbol.Nodes.Where(static n => n.Op is null).Select(static n => n.Shape));
    }

    [Fact]
    public void TextAndDot()
    {
        NDArray x = Leaf.Of(1, 2);
        Symbol symbol;
        using (Autograd.Record()) symbol = Autograd.GetSymbol((x * x).Exp() - 1.5);
        Assert.Equal(
            """
            var0: Float32 (2,)
            multiply0 = Multiply(var0, var0)
            exp0 = Exp(multiply0)
            constant0 = 1.5
            subtract0 = Subtract(exp0, constant0)

            """.ReplaceLineEndings("\n"),
            symbol.ToString());
        string dot = symbol.ToDot();
        Assert.StartsWith("digraph {\n", dot, StringComparison.Ordinal);
        Assert.EndsWith("}\n", dot, StringComparison.Ordinal);
        Assert.Contains("var0 [label=\"var0\\nFloat32 (2,)\", shape=box];", dot, StringComparison.Ordinal);
        Assert.Contains("constant0 [label=\"1.5\"];", dot, StringComparison.Ordinal);
        Assert.Equal(2, dot.Split("var0 -> multiply0;").Length - 1);
        Assert.Contains("exp0 -> subtract0;", dot, StringComparison.Ordinal);
    }

    [Fact]
    public void CustomFunctionsAppearByTheirName()
    {
        NDArray x = Leaf.Of(1), y = Leaf.Of(2);
        using (Autograd.Record())
        {
            Symbol symbol = Autograd.GetSymbol(new CustomFunctionTests.QuotientAndProduct().Apply(x, y)[1] * 2);
            Assert.Equal(["QuotientAndProduct", "Constant", "Multiply"], symbol.Nodes.Where(static n => n.Op is not null).Select(static n => n.Op!));
            Assert.Equal(2, symbol.ListArguments().Count);
        }
    }

    [Fact]
    public void AnArrayWithoutHistoryIsItsOwnArgument()
    {
        Assert.Equal(["var0"], Autograd.GetSymbol(Nd.Ones(2)).ListArguments());
        Assert.Equal(["var0"], Autograd.GetSymbol(Leaf.Of(1)).ListArguments());
        Expect.Throws<ArgumentNullException>(() => Autograd.GetSymbol(null!));
    }

    [Fact]
    public void AReleasedGraphCannotBeShown()
    {
        NDArray x = Leaf.Of(1);
        NDArray y;
        using (Autograd.Record()) y = x * x;
        y.Backward();
        Expect.Throws<AutogradException>(() => Autograd.GetSymbol(y), "already released");
    }
}
