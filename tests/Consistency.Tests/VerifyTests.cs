namespace Fusion.Tests;

/// <summary>What counts as a difference between two results.</summary>
public class VerifyTests
{
    [Fact]
    public void NumbersAndZerosAreComparedBitByBit()
    {
        Assert.Equal(-1, BitComparison.FirstDifference(Nd.Array([1f, -0f, 2f]), Nd.Array([1f, -0f, 2f])));
        Assert.Equal(1, BitComparison.FirstDifference(Nd.Array([1f, -0f, 2f]), Nd.Array([1f, 0f, 2f])));
        Assert.Equal(2, BitComparison.FirstDifference(Nd.Array([1.0, double.NaN, 2]), Nd.Array([1.0, double.NaN, Math.BitIncrement(2.0)])));
        Assert.Equal(0, BitComparison.FirstDifference(Nd.Array([1L]), Nd.Array([257L])));
        Assert.Equal(-1, BitComparison.FirstDifference(Nd.Zeros((0, 3)), Nd.Zeros((0, 3))));
    }

    [Fact]
    public void EveryNaNIsNaN()
    {
        float other = BitConverter.UInt32BitsToSingle(0x7FC00001);
        Assert.Equal(-1, BitComparison.FirstDifference(Nd.Array([float.NaN, 1f, other]), Nd.Array([other, 1f, float.NaN])));
        Assert.Equal(2, BitComparison.FirstDifference(Nd.Array([float.NaN, 1f, other]), Nd.Array([other, 1f, 0f])));
    }

    /// <summary>acos passes on another NaN at 128 bits than at 512: no reason to call a compiled function wrong.</summary>
    [Fact]
    public void AVerifiedFunctionMayReturnNaN()
    {
        Func<NDArray, NDArray> f = static x => Nd.Acos(x) + Nd.Log(x - 5);
        NDArray y = f.Hybridize(new HybridOptions { Verify = HybridVerify.Always }).Invoke(Nd.Array([float.NaN, 2f, -3f, float.PositiveInfinity]));
        Assert.All(y.ToArray<float>(), static v => Assert.True(float.IsNaN(v)));
    }
}
