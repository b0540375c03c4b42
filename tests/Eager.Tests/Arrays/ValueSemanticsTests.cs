namespace Fusion.Tests;

/// <summary>Arrays are values: whoever shares storage, a write is seen through the written array only.</summary>
public sealed class ValueSemanticsTests
{
    public static TheoryData<string> Sharers => ["slice", "all", "reshape", "transpose", "broadcast", "detach", "view of a view"];

    [Theory]
    [MemberData(nameof(Sharers))]
    public void AWriteToTheSourceIsNotSeenInTheView(string sharer)
    {
        NDArray x = Nd.Arange(0, 6).Reshape(2, 3);
        NDArray view = Share(sharer, x);
        float[] before = view.ToArray<float>();
        x.Fill(-1);
        x[0, 0] = Nd.Scalar(7);
        Assert.Equal(before, view.ToArray<float>());
        Assert.Equal([7, -1, -1, -1, -1, -1], x.ToArray<float>());
    }

    [Theory]
    [MemberData(nameof(Sharers))]
    public void AWriteToTheViewIsNotSeenInTheSource(string sharer)
    {
        NDArray x = Nd.Arange(0, 6).Reshape(2, 3);
        NDArray view = Share(sharer, x);
        float[] expected = view.ToArray<float>();
        view.SetValue(9, AxisIndex.Ellipsis, 0);
        Assert.Equal([0, 1, 2, 3, 4, 5], x.ToArray<float>());
        int last = view.Shape[-1];
        for (int i = 0; i < expected.Length; i += last) expected[i] = 9;
        Assert.Equal(expected, view.ToArray<float>());
    }

    /// <summary>A function that finds nothing to do gives another handle, not the argument.</summary>
    [Theory]
    [MemberData(nameof(Idle))]
    public void AWriteToAnUnchangedResultIsNotSeenInTheArgument(string name)
    {
        NDArray x = Nd.Ones((1, 1, 2, 2));
        x.AttachGrad();
        NDArray y = s_idle[name](x);
        y.Fill(7);
        Assert.Equal([1, 1, 1, 1], x.ToArray<float>());
        using (Autograd.Record()) y = (s_idle[name](x) * 3).Sum();
        y.Backward();
        Assert.Equal([3, 3, 3, 3], x.Grad!.ToArray<float>());
    }

    public static TheoryData<string> Idle => [.. s_idle.Keys];

    private static readonly Dictionary<string, Func<NDArray, NDArray>> s_idle = new()
    {
        ["difference of order 0"] = static x => x.Diff(0),
        ["no padding"] = static x => x.Pad(new (int, int)[4], PadMode.Edge),
        ["the same size"] = static x => x.Resize(2, 2),
        ["einsum"] = static x => Nd.Einsum("abij->abij", x),
        ["first power"] = static x => x.MatrixPower(1),
        ["no turn"] = static x => x.Rot90(4),
        ["no element masked"] = static x => x.MaskedAssign(Nd.Zeros(x.Shape, DType.Bool), Nd.Zeros(0)),
        ["the pooled size"] = static x => x.AdaptiveAvgPool(2),
        ["broadcast"] = static x => x.BroadcastTo((1, 1, 2, 2)),
        ["product over no axes"] = static x => x.Prod([]),
        ["running sum of exponentials of one"] = static x => x.LogCumSumExp(0),
        ["turned shape"] = static x => x.Reshape(1, 1, 2, 2),
    };

    [Fact]
    public void SiblingsAreApart()
    {
        NDArray x = Nd.Arange(0, 4);
        NDArray a = x[0..2];
        NDArray b = x[1..3];
        a.Fill(10);
        Assert.Equal([1, 2], b.ToArray<float>());
        b.Fill(20);
        Assert.Equal([10, 10], a.ToArray<float>());
        Assert.Equal([0, 1, 2, 3], x.ToArray<float>());
    }

    [Fact]
    public void OverlappingAssignmentsReadBeforeTheyWrite()
    {
        NDArray x = Nd.Arange(0, 5);
        x[1..5] = x[0..4];
        Assert.Equal([0, 0, 1, 2, 3], x.ToArray<float>());
        x[0..4] = x[1..5];
        Assert.Equal([0, 1, 2, 3, 3], x.ToArray<float>());
        x[..] = x;
        Assert.Equal([0, 1, 2, 3, 3], x.ToArray<float>());
        x[..] = x.Flip(0);
        Assert.Equal([3, 3, 2, 1, 0], x.ToArray<float>());
        NDArray square = Nd.Arange(0, 9).Reshape(3, 3);
        square[..] = square.Transpose();
        Assert.Equal([0, 3, 6, 1, 4, 7, 2, 5, 8], square.ToArray<float>());
        square[1..] = square[0];
        Assert.Equal([0, 3, 6, 0, 3, 6, 0, 3, 6], square.ToArray<float>());
    }

    [Fact]
    public void AssignedValuesAreConvertedAndBroadcast()
    {
        NDArray x = Nd.Zeros((2, 3), DType.Int32);
        x[.., 1..] = Nd.Array([1.9f, -1.9f]);
        Assert.Equal([0, 1, -1, 0, 1, -1], x.ToArray<int>());
        x[.., 0] = Nd.Array([5L, 6L]);
        Assert.Equal([5, 1, -1, 6, 1, -1], x.ToArray<int>());
        x.SetValue(3, ^1);
        Assert.Equal([5, 1, -1, 3, 3, 3], x.ToArray<int>());
        ShapeException error = Assert.Throws<ShapeException>(() => x[0] = Nd.Zeros(2));
        Assert.Contains("(2,) does not broadcast to the indexed part (3,) of the array (2, 3)", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => x[0] = null!);
    }

    [Fact]
    public void WritesIntoATransposedArray()
    {
        NDArray x = Nd.Arange(0, 6).Reshape(2, 3).Transpose();
        x[1] = Nd.Array([10f, 20f]);
        Assert.Equal([0, 3, 10, 20, 2, 5], x.ToArray<float>());
    }

    [Fact]
    public void WritesWhileRecordingAreRefused()
    {
        NDArray w = Nd.Ones(2);
        w.AttachGrad();
        NDArray buffer = Nd.Zeros(2);
        using (Autograd.Record())
        {
            Assert.Contains("Inplace operations", Assert.Throws<AutogradException>(() => w[0] = Nd.Scalar(1)).Message, StringComparison.Ordinal);
            Assert.Contains("Detach()", Assert.Throws<AutogradException>(() => buffer[0] = w[1] * 2).Message, StringComparison.Ordinal);
            buffer[0] = (w[1] * 2).Detach();
            buffer[1] = Nd.Scalar(5);
        }

        Assert.Equal([2, 5], buffer.ToArray<float>());
    }

    private static NDArray Share(string sharer, NDArray x) => sharer switch
    {
        "slice" => x[.., 1..],
        "all" => x[..],
        "reshape" => x.Reshape(3, 2),
        "transpose" => x.Transpose(),
        "broadcast" => x.BroadcastTo((2, 2, 3)),
        "detach" => x.Detach(),
        _ => x.Transpose()[1..][.., 0..1].Transpose(),
    };
}
