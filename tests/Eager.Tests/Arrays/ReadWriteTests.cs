namespace Fusion.Tests;

/// <summary>Moving values between arrays and .NET, and what is said when that is impossible.</summary>
public sealed class ReadWriteTests
{
    [Fact]
    public void SpansAndArraysHoldTheElements()
    {
        NDArray x = Nd.Array(new float[,] { { 1, 2 }, { 3, 4 } });
        Assert.Equal([1, 2, 3, 4], x.AsSpan<float>().ToArray());
        Assert.Equal([1, 3, 2, 4], x.Transpose().ToArray<float>());
        Assert.Equal([3, 4], x[1].AsSpan<float>().ToArray());
        Assert.Empty(Nd.Zeros(0).ToArray<float>());
        Assert.True(Nd.Zeros((0, 2)).AsSpan<float>().IsEmpty);
    }

    [Fact]
    public void AStridedViewHasNoSpan()
    {
        ShapeException error = Assert.Throws<ShapeException>(() => Nd.Zeros((2, 3)).Transpose().AsSpan<float>().Length);
        Assert.Contains("AsSpan: the array (3, 2)", error.Message, StringComparison.Ordinal);
        Assert.Contains("Copy()", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ASpanOutlivesItsLargeArray()
    {
        ReadOnlySpan<float> span = Nd.Full(100_000, 3).AsSpan<float>();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        NDArray other = Nd.Full(100_000, 5);
        Assert.Equal(-1, span.IndexOfAnyExcept(3f));
        Assert.Equal(5f, other[99_999].Item<float>());
    }

    /// <summary>To ask for a span is to read: threads that read the array meanwhile find the same elements, wherever these lie.</summary>
    [Fact]
    public void ThreadsAskForSpansAndReadAtOnce()
    {
        long wrong = 0;
        for (int round = 0; round < 200; round++)
        {
            NDArray x = Nd.Ones(100_000), part = x[50_000..];
            Parallel.For(0, 8, thread =>
            {
                for (int i = 0; i < 4; i++)
                {
                    int kind = (thread + i) % 3;
                    bool right = kind switch
                    {
                        0 => x.AsSpan<float>().IndexOfAnyExcept(1f) < 0,
                        1 => part.AsSpan<float>().IndexOfAnyExcept(1f) < 0,
                        _ => (x + 0).Sum().Item<float>() == 100_000,
                    };
                    if (!right) Interlocked.Increment(ref wrong);
                    using NDArray other = Nd.Full(100_000, 5);
                }
            });
        }

        Assert.Equal(0, wrong);
    }

    /// <summary>The span of a view is a copy of its own: a write to the view or to its source is a new value.</summary>
    [Fact]
    public void SpansOfViewsFollowTheirView()
    {
        NDArray x = Nd.Ones(100_000), part = x[50_000..];
        Assert.Equal(1, part.AsSpan<float>()[0]);
        Assert.True(part.AsSpan<float>() == part.AsSpan<float>());
        x.Fill(2);
        Assert.Equal(1, part.AsSpan<float>()[49_999]);
        part.Fill(3);
        Assert.Equal(3, part.AsSpan<float>()[49_999]);
        Assert.Equal(2, x.AsSpan<float>()[99_999]);
    }

    [Fact]
    public void ItemReadsExactlyOneElement()
    {
        Assert.Equal(2.5f, Nd.Scalar(2.5).Item<float>());
        Assert.Equal(7L, Nd.Array([7L]).Reshape(1, 1, 1).Item<long>());
        Assert.Equal(5, Nd.Arange(0, 6, 1, DType.Int32).Reshape(2, 3).Transpose()[^1, ^1].Item<int>());
        Assert.Contains("(2,), 2 elements", Assert.Throws<ShapeException>(() => Nd.Zeros(2).Item<float>()).Message, StringComparison.Ordinal);
        Assert.Throws<ShapeException>(() => Nd.Zeros(0).Item<float>());
    }

    [Fact]
    public void AnotherElementTypeIsNamed()
    {
        NDArray x = Nd.Zeros(1);
        foreach (Action read in new Action[]
        {
            () => x.Item<double>(),
            () => x.ToArray<double>(),
            () => _ = x.AsSpan<double>().Length,
            () => x.CopyFrom([1.0]),
        })
        {
            DTypeException error = Assert.Throws<DTypeException>(read);
            Assert.Contains("<Double>: the array is Float32", error.Message, StringComparison.Ordinal);
            Assert.Contains("AsType(DType.Float64)", error.Message, StringComparison.Ordinal);
        }

        Assert.Throws<DTypeException>(() => x.Item<decimal>());
    }

    [Fact]
    public void CopyFromOverwritesInPlace()
    {
        NDArray x = Nd.Zeros((2, 2));
        x.CopyFrom([1f, 2, 3, 4]);
        Assert.Equal([1, 2, 3, 4], x.ToArray<float>());
        NDArray t = x.Transpose();
        t.CopyFrom([5f, 6, 7, 8]);
        Assert.Equal([5, 6, 7, 8], t.ToArray<float>());
        Assert.Equal([1, 2, 3, 4], x.ToArray<float>());
        ShapeException error = Assert.Throws<ShapeException>(() => x.CopyFrom([1f]));
        Assert.Contains("1 values for the shape (2, 2), which has 4 elements", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => x.CopyFrom((float[])null!));
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    [InlineData(DType.Int32)]
    [InlineData(DType.Int64)]
    [InlineData(DType.UInt8)]
    [InlineData(DType.Bool)]
    public void FillConvertsToEveryType(DType dtype)
    {
        NDArray x = Nd.Zeros((3, 7), dtype);
        x.Fill(1);
        Assert.All(x.AsType(DType.Float64).ToArray<double>(), v => Assert.Equal(1, v));
        x.Fill(0);
        Assert.All(x.AsType(DType.Float64).ToArray<double>(), v => Assert.Equal(0, v));
    }

    [Fact]
    public void AssignBroadcastsAndConverts()
    {
        NDArray x = Nd.Zeros((2, 3));
        x.Assign(Nd.Array([1, 2, 3]));
        Assert.Equal([1, 2, 3, 1, 2, 3], x.ToArray<float>());
        x.Assign(Nd.Scalar(4, DType.Float64));
        Assert.All(x.ToArray<float>(), v => Assert.Equal(4, v));
        NDArray source = Nd.Ones((2, 3));
        x.Assign(source);
        x[0, 0] = Nd.Scalar(9);
        Assert.Equal(1, source[0, 0].Item<float>());
        ShapeException error = Assert.Throws<ShapeException>(() => x.Assign(Nd.Zeros((3, 2))));
        Assert.Contains("(3, 2) does not broadcast to (2, 3)", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => x.Assign(null!));
    }

    [Fact]
    public void ADisposedArrayKnowsItsShapeOnly()
    {
        NDArray x = Nd.Ones((2, 2));
        NDArray view = x[0];
        x.Dispose();
        x.Dispose();
        Assert.Equal((2, 2), x.Shape);
        Assert.Equal([1, 1], view.ToArray<float>());
        foreach (Action use in new Action[]
        {
            () => x.ToArray<float>(),
            () => x.Item<float>(),
            () => x.Fill(0),
            () => x.Copy(),
            () => _ = x[0],
            () => x[0] = Nd.Scalar(1),
            () => view.Assign(x),
            () => view[0] = x[0],
        })
        {
            ObjectDisposedException error = Assert.Throws<ObjectDisposedException>(use);
            Assert.Contains("the array was disposed", error.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>New memory for a shared array has no elements yet: the source is that array.</summary>
    [Fact]
    public void AnArrayAssignedToItselfKeepsItsElements()
    {
        NDArray x = Nd.Array([1f, 2, 3]), view = x[..2];
        x.Assign(x);
        Assert.Equal([1f, 2, 3], x.ToArray<float>());
        NDArray transposed = Nd.Array(new float[,] { { 1, 2 }, { 3, 4 } }).Transpose();
        transposed.Assign(transposed);
        transposed[..] = transposed;
        Assert.Equal([1f, 3, 2, 4], transposed.ToArray<float>());
        Assert.Equal([1f, 2], view.ToArray<float>());
    }
}
