using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

public sealed class SpacingTests
{
    [Fact]
    public void PowersAndFactorsAreEvenlySpaced()
    {
        Close([1, 10, 100], Nd.LogSpace(0, 2, 3, dtype: DType.Float64));
        Close([0.5, 2, 8, 32], Nd.LogSpace(-1, 5, 4, 2, DType.Float64));
        Close([8], Nd.LogSpace(3, 5, 1, 2));
        Close([1, 10, 100, 1000], Nd.GeomSpace(1, 1000, 4, DType.Float64));
        Close([-1000, -100, -10, -1], Nd.GeomSpace(-1000, -1, 4, DType.Float64));
        Close([4], Nd.GeomSpace(4, 9, 1));
        Close([], Nd.GeomSpace(4, 9, 0));
        Assert.Equal(0.3, Nd.GeomSpace(0.1, 0.3, 7, DType.Float64)[^1].Item<double>());
        Assert.Equal(DType.Float32, Nd.LogSpace(0, 1, 2).DType);
        Assert.Equal(Device.Debug, Nd.GeomSpace(1, 2, 3, device: Device.Debug).Device);
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.GeomSpace(0, 1, 2), "GeomSpace: from 0 to 1");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.GeomSpace(1, -1, 2), "GeomSpace", "both must be positive or both negative");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.GeomSpace(1, double.NaN, 2), "GeomSpace");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.LogSpace(1, 2, -1), "LogSpace: count is -1");
    }

    [Fact]
    public void WindowsAreSymmetric()
    {
        Close([0, 0.5, 1, 0.5, 0], Nd.Hanning(5, DType.Float64));
        Close([0.08, 0.54, 1, 0.54, 0.08], Nd.Hamming(5, DType.Float64));
        Close([0, 0.34, 1, 0.34, 0], Nd.Blackman(5, DType.Float64));
        Close([0, 2.0 / 3, 2.0 / 3, 0], Nd.Bartlett(4, DType.Float64));
        Func<int, DType, Device?, NDArray>[] all = [Nd.Hanning, Nd.Hamming, Nd.Blackman, Nd.Bartlett];
        foreach (Func<int, DType, Device?, NDArray> window in all)
        {
            Close([1], window(1, DType.Float32, null));
            Assert.Equal(0, window(0, DType.Float32, null).Size);
            NDArray odd = window(101, DType.Float64, null), even = window(64, DType.Float64, null);
            Assert.Equal(odd.Values(), odd.Flip(0).Values());
            Assert.Equal(even.Values(), even.Flip(0).Values());
            Assert.Throws<ArgumentOutOfRangeException>(() => window(-1, DType.Float32, null));
        }

        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Hamming(-2), "Hamming: n is -2");
    }

    [Fact]
    public void PositionsOfTrianglesGoRowByRow()
    {
        (NDArray rows, NDArray columns) = Nd.TriuIndices(3, 1);
        Assert.Equal((DType.Int64, DType.Int64), (rows.DType, columns.DType));
        Close([0, 0, 1], rows);
        Close([1, 2, 2], columns);
        (rows, columns) = Nd.TrilIndices(2, 0, 3);
        Close([0, 1, 1], rows);
        Close([0, 0, 1], columns);
        foreach (int k in (int[])[int.MinValue, -4, -1, 0, 2, 9, int.MaxValue])
        {
            NDArray upper = Nd.Triu(Nd.Ones((4, 3)), k), lower = Nd.Tril(Nd.Ones((4, 3)), k);
            (rows, columns) = Nd.TriuIndices(4, k, 3);
            Close(upper, Nd.Scatter(Nd.Ones(rows.Shape), Nd.Stack([rows, columns]), (4, 3)));
            (rows, columns) = Nd.TrilIndices(4, k, 3);
            Close(lower, Nd.Scatter(Nd.Ones(rows.Shape), Nd.Stack([rows, columns]), (4, 3)));
        }

        Assert.Equal(0, Nd.TriuIndices(0).Rows.Size);
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.TriuIndices(-1), "TriuIndices: rows is -1");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.TrilIndices(1, 0, -1), "TrilIndices: columns is -1");
    }
}
