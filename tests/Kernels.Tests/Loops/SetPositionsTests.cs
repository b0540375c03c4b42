using Fusion.Kernels;

namespace Fusion.Tests;

public sealed unsafe class SetPositionsTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(200)]
    [InlineData(7, 65)]
    [InlineData(3, 0)]
    [InlineData(4, 1, 130)]
    [InlineData(2, 3, 4, 5)]
    public void NameEveryElementThatIsTrue(params int[] shape)
    {
        int size = shape.Aggregate(1, static (a, b) => a * b), rank = shape.Length;
        var block = new NativeBlock(Math.Max(64, size));
        byte* set = (byte*)block.Pointer;
        new Span<byte>(set, (int)block.Capacity).Fill(1); // what lies behind the array does not count
        var random = new Random(size);
        List<long> expected = [];
        for (int i = 0; i < size; i++)
        {
            set[i] = (byte)random.Next(2);
            if (set[i] == 0) continue;
            long[] index = new long[rank];
            for (int axis = rank - 1, rest = i; axis >= 0; rest /= shape[axis--]) index[axis] = rest % shape[axis];
            expected.AddRange(index);
        }

        long[] positions = new long[expected.Count + 1];
        positions[^1] = -1;
        fixed (long* to = positions) SetPositions.Write(set, shape, to);
        Assert.Equal(expected.Count / rank, SetPositions.Count(set, size));
        Assert.Equal([.. expected, -1], positions);
        block.Release();
    }
}
