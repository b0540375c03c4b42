namespace Fusion.Tests;

public sealed class BitTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(100)]
    public void OperationsAreThoseOfTheElementType(int n)
    {
        Random random = new(n);
        int[] a = [.. Enumerable.Range(0, n).Select(_ => random.Next(int.MinValue, int.MaxValue))], b = [.. Enumerable.Range(0, n).Select(_ => random.Next(0, 40))];
        NDArray x = Nd.Array(a), y = Nd.Array(b);
        Assert.Equal(a.Zip(b, (i, j) => i & j), Nd.BitwiseAnd(x, y).ToArray<int>());
        Assert.Equal(a.Zip(b, (i, j) => i | j), Nd.BitwiseOr(x, y).ToArray<int>());
        Assert.Equal(a.Zip(b, (i, j) => i ^ j), Nd.BitwiseXor(x, y).ToArray<int>());
        Assert.Equal(a.Select(i => ~i), Nd.BitwiseNot(x).ToArray<int>());
        Assert.Equal(a.Zip(b, (i, j) => j < 32 ? i << j : 0), Nd.ShiftLeft(x, y).ToArray<int>());
        Assert.Equal(a.Zip(b, (i, j) => i >> Math.Min(j, 31)), Nd.ShiftRight(x, y).ToArray<int>());
        Assert.Equal(a.Zip(b, (i, j) => j < 8 ? (byte)((byte)i << j) : (byte)0), Nd.ShiftLeft(x.AsType(DType.UInt8), y.AsType(DType.UInt8)).ToArray<byte>());
        Assert.Equal(a.Zip(b, (i, j) => (long)i >> j), Nd.ShiftRight(x.AsType(DType.Int64), y).ToArray<long>());
    }

    [Fact]
    public void ScalarsTakeTheArraysTypeAndShapesBroadcast()
    {
        NDArray x = Nd.Array((byte[])[1, 2, 255]);
        Assert.Equal([(byte)1, (byte)2, (byte)15], Nd.BitwiseAnd(x, 15).ToArray<byte>());
        Assert.Equal([(byte)254, (byte)253, (byte)0], Nd.BitwiseNot(x).ToArray<byte>());
        Assert.Equal(new Shape(2, 3), Nd.BitwiseOr(Nd.Array([1, 2], (2, 1)), Nd.Array([4, 8, 16])).Shape);
        Assert.Equal([5, 9, 17, 6, 10, 18], Nd.BitwiseOr(Nd.Array([1, 2], (2, 1)), Nd.Array([4, 8, 16])).ToArray<int>());
        Assert.Equal([0, -1], Nd.ShiftRight(Nd.Array([5, -5]), 64).ToArray<int>());
        Assert.Equal([1, 3], Nd.BitwiseXor(Nd.Array([1, 2], (1, 2)).Transpose(), Nd.Array([0, 1], (2, 1))).ToArray<int>());
    }

    [Fact]
    public void BoolsAreLogical()
    {
        NDArray x = Nd.Array([true, true, false]), y = Nd.Array([true, false, false]);
        Assert.Equal([true, false, false], Nd.BitwiseAnd(x, y).ToArray<bool>());
        Assert.Equal([false, true, false], Nd.BitwiseXor(x, y).ToArray<bool>());
        Assert.Equal([false, false, true], Nd.BitwiseNot(x).ToArray<bool>());
    }

    [Fact]
    public void OperatorsAreTheFunctions()
    {
        NDArray x = Nd.Array([1f, 2, 3, 4]), i = Nd.Array([6, 5, -8]), j = Nd.Array([3, 1, 2]);
        Assert.Equal([false, true, true, false], ((x > 1) & (x < 4)).ToArray<bool>());
        Assert.Equal([true, false, false, true], ((x <= 1) | (x >= 4)).ToArray<bool>());
        Assert.Equal([true, false, false, true], (~((x > 1) & (x < 4))).ToArray<bool>());
        Assert.Equal([false, true, false, false], ((x > 1) ^ (x > 2)).ToArray<bool>());
        Assert.Equal([false, true], (!Nd.Array([2f, 0])).ToArray<bool>());
        Assert.Equal([2, 1, 0, 7, 5, -6, 5, 4, -6, -7, -6, 7], Nd.Concat([i & j, i | j, i ^ j, ~i]).ToArray<int>());
        Assert.Equal([48, 10, -32, 0, 2, -2, 12, 10, -16, 3, 2, -4], Nd.Concat([i << j, i >> j, i << 1, i >> 1]).ToArray<int>());
        Assert.Equal([2, 1, 0, 2, 1, 0, 7, 7, -5, 5, 6, -5], Nd.Concat([i & 3, 3 & i, i | 3, 3 ^ i]).ToArray<int>());
        Assert.Equal([7, 7, -5], (3 | i).ToArray<int>());
        Assert.Equal([5, 6, -5], (i ^ 3).ToArray<int>());
    }

    [Fact]
    public void FloatsAreRefused()
    {
        Assert.Throws<DTypeException>(() => Nd.Ones(2) & Nd.Ones(2));
        Assert.Throws<DTypeException>(() => ~Nd.Ones(2));
        Assert.Throws<ArgumentNullException>(() => Nd.Array([1]) | null!);
        Assert.Throws<DTypeException>(() => Nd.BitwiseAnd(Nd.Ones(2), Nd.Ones(2)));
        Assert.Throws<DTypeException>(() => Nd.ShiftLeft(Nd.Ones(2), 1));
        Assert.Throws<ShapeException>(() => Nd.BitwiseAnd(Nd.Array([1, 2]), Nd.Array([1, 2, 3])));
    }
}
