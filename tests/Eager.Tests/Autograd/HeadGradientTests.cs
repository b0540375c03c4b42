namespace Fusion.Tests;

/// <summary>The gradient that the caller hands to backward.</summary>
public sealed class HeadGradientTests
{
    [Fact]
    public void ItScalesEveryElement()
    {
        NDArray x = Leaf.Of(1, 2, 3);
        using (Autograd.Record()) (x * x).Backward(headGradient: Nd.Array([1f, 10, 100]));
        Expect.Elements(x.Grad, 2, 40, 600);
    }

    [Theory]
    [InlineData(new[] { 3 })]
    [InlineData(new[] { 1 })]
    [InlineData(new int[0])]
    [InlineData(new[] { 2, 1 })]
    [InlineData(new[] { 1, 2 })]
    public void ItMustHaveTheHeadsShape(int[] shape)
    {
        // MXNet #19021: a head gradient of another shape was accepted.
        NDArray x = Leaf.Of(1, 2);
        NDArray y;
        using (Autograd.Record()) y = x * x;
        Expect.Throws<ShapeException>(() => y.Backward(Nd.Ones(shape)), "Backward", new Shape(shape).ToString(), "(2,)");
        Expect.Throws<ShapeException>(() => Autograd.Grad(y, x, headGradient: Nd.Ones(shape)), new Shape(shape).ToString());
        Expect.Elements(x.Grad, 0, 0);
        y.Backward();
        Expect.Elements(x.Grad, 2, 4);
    }

    [Fact]
    public void ItIsConvertedToTheHeadsType()
    {
        NDArray x = Leaf.Of(3);
        using (Autograd.Record()) (x * x).Backward(Nd.Array([2.0]));
        Assert.Equal(DType.Float32, x.Grad!.DType);
        Expect.Elements(x.Grad, 12);
    }

    [Fact]
    public void ItMustBeAliveAndFloatingPoint()
    {
        NDArray x = Leaf.Of(3);
        NDArray y;
        using (Autograd.Record()) y = x * x;
        Expect.Throws<DTypeException>(() => y.Backward(Nd.Ones(1, DType.Int32)), "head gradient", "Int32");
        NDArray gone = Nd.Ones(1);
        gone.Dispose();
        Expect.Throws<ObjectDisposedException>(() => y.Backward(gone));
        y.Backward();
        Expect.Elements(x.Grad, 6);
    }

    [Fact]
    public void ThereIsOnePerHead()
    {
        NDArray x = Leaf.Of(3);
        NDArray a, b;
        using (Autograd.Record()) (a, b) = (x * 2, x * 5);
        Expect.Throws<ArgumentException>(() => Autograd.Backward([a, b], [Nd.Ones(1)]), "2 heads and 1 head gradients");
        Expect.Throws<ArgumentException>(() => Autograd.Backward([]), "no head");
        Autograd.Backward([a, b], [null, Nd.Full(1, 10)]);
        Expect.Elements(x.Grad, 52);
    }

    [Fact]
    public void TheCallersArrayIsNeitherChangedNorHandedOut()
    {
        NDArray x = Leaf.Adding(1, 2);
        NDArray head = Nd.Array([3f, 4]);
        NDArray y;
        using (Autograd.Record()) y = x + 1;
        y.AttachGrad();
        Autograd.Backward([y, y], [head, head], retainGraph: true);
        y.Backward(head, retainGraph: true);
        Expect.Elements(head, 3, 4);
        y.Grad!.Fill(0);
        x.Grad!.Fill(0);
        NDArray[] gradients = Autograd.Grad([y], [x, x, y], [head]);
        gradients[0].Fill(-1);
        gradients[2].Fill(-2);
        Expect.Elements(gradients[1], 3, 4);
        Expect.Elements(head, 3, 4);
        head.Fill(9);
        Expect.Elements(gradients[1], 3, 4);
    }

    [Fact]
    public void AStridedHeadGradientIsFine()
    {
        NDArray x = Leaf.Attached(Nd.Ones((2, 3)));
        NDArray head = Nd.Arange(0, 6).Reshape(3, 2).Transpose();
        using (Autograd.Record()) (x * 2).Backward(head);
        Expect.Elements(x.Grad, 0, 4, 8, 2, 6, 10);
        x.Backward(head);
        Assert.Equal([0, 2, 4, 1, 3, 5], x.Grad!.AsSpan<float>().ToArray());
    }
}
