namespace Fusion.Tests;

/// <summary>
/// Arrays of more than 2³¹ elements or bytes, and axes near that: the right numbers, or an error that names the function. The tests that need gigabytes
/// run with <c>FUSION_SOAK=1</c> only.
/// </summary>
[Collection(nameof(ProcessState))]
public sealed class LargeArrayTests
{
    private const int Columns = 1 << 30;

    private static readonly bool s_soak = Environment.GetEnvironmentVariable("FUSION_SOAK") is not null;

    public static TheoryData<string> Functions => [.. s_functions.Keys];

    private static readonly Dictionary<string, Action<NDArray>> s_functions = new()
    {
        ["ArgMax"] = static x => x.ArgMax(),
        ["ArgMin"] = static x => x.ArgMin(),
        ["Unique"] = static x => x.Unique(),
        ["BinCount"] = static x => x.BinCount(),
        ["Gather"] = static x => x.Gather(Nd.Array([0, 0], (2, 1))),
        ["Scatter"] = static x => Nd.Array([1f]).Scatter(Nd.Array([0, 0], (2, 1)), x.Shape),
        ["ScatterUpdate"] = static x => x.ScatterUpdate(Nd.Array([0, 0], (2, 1)), Nd.Array([1])),
    };

    // A stretched element takes no memory.
    [Theory]
    [MemberData(nameof(Functions))]
    public void AnAxisThatWouldBeTooLongIsAnErrorOfTheFunction(string name)
    {
        NDArray x = Nd.Array([1]).BroadcastTo((3, Columns));
        ShapeException error = Assert.Throws<ShapeException>(() => s_functions[name](x));
        Assert.StartsWith($"{name}: an axis would have 3221225472 elements", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NumbersAreRight()
    {
        if (!s_soak) return;
        using NDArray x = Nd.Zeros((3, Columns), DType.UInt8);
        x[2, Columns - 1] = Nd.Scalar(7, DType.UInt8);
        x[1, 5] = Nd.Scalar(3, DType.UInt8);
        Assert.Equal(10, x.Sum().Item<long>());
        Assert.Equal([0, 5, Columns - 1L], x.ArgMax(1).ToArray<long>());
        Assert.Equal(7, x.Max().Item<byte>());
        Assert.Equal([1, 5, 2, Columns - 1L], x.NonZero().ToArray<long>());
        Assert.Equal(7, x.Reshape(3 << 10, -1)[-1, -1].Item<byte>());
        Assert.Equal([0, 7], x[2, (Columns - 2)..].ToArray<byte>());
        using (NDArray sum = x + 1) Assert.Equal(8, sum[2, Columns - 1].Item<byte>());
        using (NDArray large = x > 2) Assert.Equal(2, large.Sum().Item<long>());
        using (NDArray turned = x.Transpose().Copy()) Assert.Equal([0, 3, 0], turned[5].ToArray<byte>());
        using (NDArray taken = x.Take(Nd.Array([2, 1]))) Assert.Equal(3, taken[1, 5].Item<byte>());
        Assert.Throws<ShapeException>(() => x.ToArray<byte>());
    }

    /// <summary>The distance and the length of the axis together did not fit an int.</summary>
    [Theory]
    [InlineData(1, 0)]
    [InlineData(-1, -2)]
    [InlineData(int.MaxValue, -1)]
    [InlineData(int.MinValue, -2)]
    [InlineData(int.MaxValue - 1, -2)]
    public void ALongAxisIsRolledEveryWay(int shift, int at)
    {
        if (!s_soak) return;
        using NDArray line = Nd.Zeros(int.MaxValue, DType.UInt8);
        line[-1] = Nd.Scalar(3, DType.UInt8);
        using NDArray rolled = line.Roll(shift, 0);
        Assert.Equal(3, rolled[at].Item<byte>());
        Assert.Equal(3, rolled.Sum().Item<long>());
    }
}
