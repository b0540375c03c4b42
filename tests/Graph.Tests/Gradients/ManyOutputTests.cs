namespace Fusion.Tests;

/// <summary>Functions of many outputs: what is done for one of them does not grow with their number, or the larger of these would take minutes.</summary>
public sealed class ManyOutputTests
{
    private const int Count = 65_536;

    [Fact]
    public void GradientsOfSlicesAreOne()
    {
        Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> f = static x => (x[0] * 2).Split(Count);
        HybridFunction<Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>>> hybrid = f.Hybridize();
        NDArray x = TestArrays.Uniform(Count);
        x.AttachGrad();
        IReadOnlyList<NDArray> parts;
        using (Autograd.Record()) parts = hybrid.Invoke([x]);
        Autograd.Backward(parts);
        Assert.Equal(Count, parts.Count);
        Assert.True(x.Grad!.ArrayEqual(Nd.Full(Count, 2)));
    }

    [Fact]
    public void SlicesOfAPartLeaveZeros()
    {
        Func<NDArray, NDArray> f = static x => Nd.Stack([.. Enumerable.Range(0, Count / 8).Select(i => x[4 * i] * x[(4 * i) + 2])]).Sum();
        NDArray x = TestArrays.Uniform(Count / 2), expected = Gradient(f);
        Assert.Null(Bits.Difference([expected], [Gradient(f.Hybridize().Invoke)]));

        NDArray Gradient(Func<NDArray, NDArray> g)
        {
            x.AttachGrad();
            using (Autograd.Record()) g(x).Backward();
            return x.Grad!.Copy();
        }
    }
}
