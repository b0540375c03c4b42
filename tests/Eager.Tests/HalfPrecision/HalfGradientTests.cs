namespace Fusion.Tests;

/// <summary>Gradients of arrays of half precision: of their type, computed in Float32 operator by operator.</summary>
public sealed class HalfGradientTests
{
    public static TheoryData<DType> Halves => [DType.Float16, DType.BFloat16];

    [Theory]
    [MemberData(nameof(Halves))]
    public void TheGradientHasTheTypeOfTheArray(DType half)
    {
        NDArray x = Attached([0.5, -1, 2], half), w = Attached([3, 0.25, -1], half);
        Assert.Equal(half, x.Grad!.DType);
        using (Autograd.Record()) Nd.Sum(Nd.Tanh(x * w)).Backward();
        Assert.Equal((half, half), (x.Grad.DType, w.Grad!.DType));
        NDArray wide = Attached([0.5, -1, 2], DType.Float32), wideW = Attached([3, 0.25, -1], DType.Float32);
        using (Autograd.Record()) Nd.Sum(Nd.Tanh(wide * wideW)).Backward();
        Expect.Near(half == DType.Float16 ? 2e-3 : 2e-2, x.Grad, Expect.Doubles(wide.Grad!));
        Expect.Near(half == DType.Float16 ? 2e-3 : 2e-2, w.Grad, Expect.Doubles(wideW.Grad!));
    }

    /// <summary>Each path arrives rounded; the paths are added in Float32 and the sum is rounded.</summary>
    [Theory]
    [MemberData(nameof(Halves))]
    public void PathsAreAddedUpAndRounded(DType half)
    {
        NDArray x = Attached([0.3, 0.7], half), a = Array([1.7, 2.3], half), b = Array([0.011, -0.013], half);
        using (Autograd.Record()) Nd.Sum(x * a + x * b).Backward();
        Assert.Null(Bits.Difference(a + b, x.Grad));
        NDArray y = Attached([0.3, 0.7], half, GradReq.Add);
        for (int i = 0; i < 3; i++)
            using (Autograd.Record()) Nd.Sum(y * a).Backward();
        Assert.Null(Bits.Difference(Nd.Zeros(2, half) + a + a + a, y.Grad));
    }

    /// <summary>The conversion to Float32 and back is a row like any other: gradients flow between the types.</summary>
    [Fact]
    public void GradientsCrossConversions()
    {
        NDArray master = Attached([0.1, 0.2], DType.Float32);
        using (Autograd.Record()) Nd.Sum(Nd.Square(master.AsType(DType.BFloat16)).AsType(DType.Float64)).Backward();
        Assert.Equal(DType.Float32, master.Grad!.DType);
        Assert.Null(Bits.Difference((master.AsType(DType.BFloat16) * 2).AsType(DType.Float32), master.Grad));
        NDArray x = Attached([1.5], DType.Float16), wide = Attached([2], DType.Float32);
        using (Autograd.Record()) (x * wide).Backward();
        Assert.Equal((DType.Float16, DType.Float32), (x.Grad!.DType, wide.Grad!.DType));
        Expect.Elements(x.Grad, 2);
        Expect.Elements(wide.Grad, 1.5);
    }

    [Theory]
    [MemberData(nameof(Halves))]
    public void HigherOrders(DType half)
    {
        NDArray x = Attached([0.5, 1.5], half);
        using RecordScope scope = Autograd.Record();
        NDArray first = Autograd.Grad(Nd.Sum(x * x * x), x, createGraph: true);
        NDArray second = Autograd.Grad(Nd.Sum(first), x, createGraph: true);
        NDArray third = Autograd.Grad(Nd.Sum(second), x);
        Assert.Equal((half, half, half), (first.DType, second.DType, third.DType));
        Expect.Elements(first, 0.75, 6.75);
        Expect.Elements(second, 3, 9);
        Expect.Elements(third, 6, 6);
    }

    /// <summary>What an operator reads again in backward is kept in two bytes an element, as the array itself.</summary>
    [Fact]
    public void OperandsAreKeptInTheirType()
    {
        NDArray x = Attached([1, 2], DType.BFloat16), w = Attached([3, 4], DType.BFloat16);
        NDArray head;
        using (Autograd.Record()) head = x * w;
        TapeNode product = (TapeNode)((TapeNode)head.Source!).Edge(0).Source;
        Assert.Same(OpTable.Multiply, product.Op);
        Assert.Same(x, product.SavedInput(0));
        Assert.Same(w, product.SavedInput(1));
        w.Fill(7);
        Expect.Throws<AutogradException>(() => head.Backward(), "Multiply", "overwritten");
    }

    [Fact]
    public void TheSymbolShowsTheConversions()
    {
        NDArray x = Attached([1], DType.Float16);
        NDArray head;
        using (Autograd.Record()) head = Nd.Exp(x);
        Assert.Equal(["var0", "cast0", "exp0", "cast1"], Autograd.GetSymbol(head).Nodes.Select(static n => n.Name));
        Assert.Equal(DType.Float16, Autograd.GetSymbol(head).Nodes[^1].DType);
    }

    [Theory]
    [MemberData(nameof(Halves))]
    public void FunctionsAndCheckpoints(DType half)
    {
        NDArray x = Attached([0.5, -2], half);
        using (Autograd.Record()) Nd.Sum(new Twice().Apply(x)[0]).Backward();
        Expect.Elements(x.Grad, 2, 2);
        using (Autograd.Record()) Nd.Sum(Autograd.Checkpoint(static a => Nd.Square(a) * 3, x)).Backward();
        Expect.Elements(x.Grad, 3, -12);
        Assert.True(Autograd.CheckGradients(static a => Nd.Sum(Nd.Sigmoid(a[0])), [x]).Passed);
    }

    [Fact]
    public void HeadGradientsAreConverted()
    {
        NDArray x = Attached([1, 2], DType.Float16);
        using (Autograd.Record()) (x * 2).Backward(Nd.Array([0.5, 0.25]));
        Expect.Elements(x.Grad, 1, 0.5);
        NDArray gradient = Nd.Zeros(2, DType.Float16);
        Autograd.MarkVariables(x, gradient);
        using (Autograd.Record()) Nd.Sum(x * 4).Backward();
        Expect.Elements(gradient, 4, 4);
    }

    private static NDArray Array(double[] values, DType dtype) => Nd.Array(values).AsType(dtype);

    private static NDArray Attached(double[] values, DType dtype, GradReq request = GradReq.Write) => Leaf.Attached(Array(values, dtype), request);

    private sealed class Twice : Autograd.Function
    {
        protected override IReadOnlyList<NDArray> Forward(IReadOnlyList<NDArray> inputs) => [inputs[0] * 2];

        protected override IReadOnlyList<NDArray?> Backward(IReadOnlyList<NDArray> outputGradients) => [outputGradients[0] * 2];
    }
}
