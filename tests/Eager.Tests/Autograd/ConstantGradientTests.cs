namespace Fusion.Tests;

/// <summary>A gradient that does not depend on its variable, as those of relu, abs, clip and radians in MXNet's tests of second order, has the gradient zero.</summary>
public sealed class ConstantGradientTests
{
    [Theory]
    [InlineData("relu")]
    [InlineData("leaky relu")]
    [InlineData("abs")]
    [InlineData("clip")]
    [InlineData("radians")]
    [InlineData("maximum")]
    [InlineData("where")]
    [InlineData("product")]
    [InlineData("dropout")]
    [InlineData("sum")]
    public void BackwardThroughItGivesZeros(string name)
    {
        NDArray x = Leaf.Of(2, -3), other = Leaf.Of(4, 5);
        Func<NDArray, NDArray> f = name switch
        {
            "relu" => static x => x.Relu(),
            "leaky relu" => static x => x.LeakyRelu(0.1),
            "abs" => static x => x.Abs(),
            "clip" => static x => x.Clip(-1, 1),
            "radians" => static x => x.DegreesToRadians(),
            "maximum" => static x => Nd.Maximum(x, 0.5),
            "where" => static x => Nd.Where(x > 0, x, 1),
            "product" => x => x * other,
            "dropout" => static x => x.Dropout(),
            _ => static x => x.Sum(),
        };
        NDArray first;
        foreach (bool given in new[] { false, true })
        {
            x.Grad!.Fill(9);
            x.FreshGrad = false;
            using (Autograd.Record())
            {
                NDArray y = f(x);
                first = Autograd.Grad(y, x, given ? Nd.Full(y.Shape, 3) : null, createGraph: true);
            }

            first.Backward(Nd.Array([5f, 7f]));
            Expect.Elements(x.Grad, 0, 0);
            Assert.True(x.FreshGrad);
            using (Autograd.Record())
            {
                NDArray y = f(x);
                for (int order = 1; order <= 4; order++) y = Autograd.Grad(y, x, given ? Nd.Full(y.Shape, 3) : null, createGraph: true);
                Expect.Elements(y, 0, 0);
                first = Autograd.Grad(f(x), x, createGraph: true);
                Expect.Elements(Autograd.Grad(Autograd.Grad((first * first).Sum() + (x * x * x).Sum(), x, createGraph: true), x), 12, -18);
            }
        }
    }

    /// <summary>More than one walk of the tape tells apart; two in three gradients depend on their variable, next to it or far away.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public void EachOfManyVariablesHasItsOwn(int distance)
    {
        NDArray[] x = [.. Enumerable.Range(0, 150).Select(static i => Leaf.Of(i + 1))];
        using RecordScope scope = Autograd.Record();
        NDArray[] far = [.. x];
        for (int i = 0; i < x.Length; i++)
            for (int k = 0; k < distance; k++) far[i] *= 1;
        NDArray y = Nd.Zeros(1);
        for (int i = 0; i < x.Length; i++) y += i % 3 == 0 ? far[i].Relu() * x[(i + 1) % x.Length].Detach() : far[i] * far[i];
        NDArray[] first = Autograd.Grad([y], x, createGraph: true);
        for (int i = 0; i < x.Length; i++) Expect.Elements(Autograd.Grad(first[i], x[i], retainGraph: true), i % 3 == 0 ? 0 : 2);
    }

    [Fact]
    public void TheVariableMayBeAnIntermediateOrOneOfSeveralOutputs()
    {
        NDArray x = Leaf.Of(2, -3);
        using RecordScope scope = Autograd.Record();
        NDArray y = x * x;
        NDArray first = Autograd.Grad(y.Relu() + y, y, createGraph: true);
        Expect.Elements(Autograd.Grad(first, x, retainGraph: true), 0, 0);
        Expect.Elements(Autograd.Grad(first * y, x, retainGraph: true), 8, -12);
        NDArray[] parts = Nd.Split(y, 2);
        NDArray slope = Autograd.Grad(parts[0].Relu() * parts[1], parts[0], createGraph: true);
        Expect.Elements(Autograd.Grad(slope, parts[0], retainGraph: true), 0);
        Expect.Elements(Autograd.Grad(slope, parts[1]), 1);
    }

    [Fact]
    public void TheHeadGradientMayHaveAGradient()
    {
        NDArray x = Leaf.Of(2, -3), head = Leaf.Of(5, 7);
        x.Grad!.Fill(9);
        using RecordScope scope = Autograd.Record();
        Autograd.Grad(x.Relu(), x, head, createGraph: true).Backward();
        Expect.Elements(x.Grad, 0, 0);
        Expect.Elements(head.Grad, 1, 0);
    }

    [Fact]
    public void ACheckpointMayMakeIt()
    {
        NDArray x = Leaf.Of(2, -3);
        x.Grad!.Fill(9);
        using RecordScope scope = Autograd.Record();
        Autograd.Checkpoint(
            static v =>
            {
                using RecordScope inner = Autograd.Record();
                return Autograd.Grad(v.Relu(), v, createGraph: true);
            },
            x).Backward();
        Expect.Elements(x.Grad, 0, 0);
    }

    [Fact]
    public void AGradientThatIsConstantIsAnArrayOfItsOwn()
    {
        NDArray x = Leaf.Of(2), h = Nd.Array([3f]);
        using (Autograd.Record())
        {
            NDArray dx = Autograd.Grad(x + 1, x, h, createGraph: true);
            Expect.Elements(Autograd.Grad(dx, x, createGraph: true), 0);
            using (Autograd.Pause()) dx.Fill(5);
            Expect.Elements(h, 3);
        }
    }
}
