using Fusion.Kernels;

namespace Fusion.Tests;

[Collection(nameof(ProcessState))]
public sealed unsafe class GatherTests : IDisposable
{
    private readonly int _threads = WorkerPool.Threads;

    public void Dispose() => WorkerPool.Threads = _threads;

    public static TheoryData<int, int, int, int> Forms() => new()
    {
        { 1, 10, 1, 7 }, { 3, 5, 4, 11 }, { 1, 1000, 64, 3000 }, { 4, 7, 33, 900 }, { 1, 1, 1, 1 }, { 2, 9, 1, 40_000 }, { 3, 4, 0, 5 }, { 2, 3, 5, 0 },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void TakeCopiesRows(int outer, int axis, int inner, int count)
    {
        foreach (int elementSize in new[] { 1, 2, 4, 8 })
        {
            foreach (int threads in new[] { 1, 2 })
            {
                WorkerPool.Threads = threads;
                byte[] source = new byte[outer * axis * inner * elementSize], target = new byte[(outer * count * inner * elementSize) + 1];
                new Random(1).NextBytes(source);
                int[] indices = RandomIndices(count, axis);
                long[] wide = Array.ConvertAll(indices, i => (long)i);
                fixed (byte* s = TestData.WithSlack(source), t = target)
                fixed (int* i32 = TestData.WithSlack(indices))
                fixed (long* i64 = TestData.WithSlack(wide))
                {
                    (nint at, DType type) = threads == 2 ? ((nint)i64, DType.Int64) : ((nint)i32, DType.Int32);
                    Assert.Equal(-1, Gather.Take((nint)s, (nint)t, outer, axis, inner, elementSize, at, type, count));
                }
                int row = inner * elementSize;
                for (int o = 0; o < outer; o++)
                {
                    for (int i = 0; i < count; i++)
                    {
                        int at = indices[i] < 0 ? indices[i] + axis : indices[i];
                        Assert.True(source.AsSpan(((o * axis) + at) * row, row).SequenceEqual(target.AsSpan(((o * count) + i) * row, row)));
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void ScatterAddKeepsTheOrderOfTheIndices(int outer, int axis, int inner, int count)
    {
        var random = new Random(2);
        float[] source = Enumerable.Range(0, outer * count * inner).Select(_ => (float)random.NextDouble() - 0.3f).ToArray();
        float[] expected = Enumerable.Range(0, outer * axis * inner).Select(_ => (float)random.NextDouble()).ToArray();
        int[] indices = RandomIndices(count, axis);
        float[][] targets = [[.. expected, 0], [.. expected, 0], [.. expected, 0]];
        for (int o = 0; o < outer; o++)
        {
            for (int i = 0; i < count; i++)
            {
                int at = indices[i] < 0 ? indices[i] + axis : indices[i];
                for (int n = 0; n < inner; n++) expected[(((o * axis) + at) * inner) + n] += source[(((o * count) + i) * inner) + n];
            }
        }
        for (int threads = 1; threads <= 3; threads++)
        {
            WorkerPool.Threads = threads;
            fixed (float* s = TestData.WithSlack(source), t = targets[threads - 1])
            fixed (int* x = TestData.WithSlack(indices)) Assert.Equal(-1, GatherAdd.ScatterAdd((nint)s, (nint)t, outer, axis, inner, DType.Float32, (nint)x, DType.Int32, count));
            Assert.True(expected.AsSpan().SequenceEqual(targets[threads - 1].AsSpan(0, expected.Length)), $"{threads} threads");
        }
    }

    [Theory]
    [InlineData(1, 10, 1, 1)]
    [InlineData(5, 10, 1, 1)]
    [InlineData(3, 4, 6, 1)]
    [InlineData(3, 4, 6, 9)]
    [InlineData(7, 40, 1, 9000)]
    public void PickAndItsGradient(int outer, int axis, int inner, int count)
    {
        double[] source = Enumerable.Range(0, outer * axis * inner).Select(i => i + 0.5).ToArray();
        int size = outer * count * inner;
        double[] picked = new double[size], gradient = new double[source.Length], expected = new double[source.Length];
        int[] indices = RandomIndices(size, axis);
        fixed (double* s = TestData.WithSlack(source), p = picked, g = gradient)
        fixed (int* x = TestData.WithSlack(indices))
        {
            Assert.Equal(-1, Gather.Pick((nint)s, (nint)p, outer, axis, inner, 8, (nint)x, DType.Int32, count));
            Assert.Equal(-1, GatherAdd.PickGradient((nint)p, (nint)g, outer, axis, inner, DType.Float64, (nint)x, DType.Int32, count));
        }
        for (int i = 0; i < size; i++)
        {
            int o = i / (count * inner), n = i % inner, at = indices[i] < 0 ? indices[i] + axis : indices[i];
            int place = (((o * axis) + at) * inner) + n;
            Assert.Equal(source[place], picked[i]);
            expected[place] += source[place];
        }
        Assert.Equal(expected, gradient);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void PutKeepsTheLastOfSeveral(int outer, int axis, int inner, int count)
    {
        int[] indices = RandomIndices(count, axis);
        foreach (int elementSize in new[] { 1, 4, 8 })
        {
            int row = inner * elementSize;
            byte[] source = new byte[outer * count * row], expected = new byte[outer * axis * row];
            new Random(3).NextBytes(source);
            new Random(4).NextBytes(expected);
            byte[] target = [.. expected, 0xAB];
            for (int o = 0; o < outer; o++)
            {
                for (int i = 0; i < count; i++)
                {
                    int at = indices[i] < 0 ? indices[i] + axis : indices[i];
                    source.AsSpan(((o * count) + i) * row, row).CopyTo(expected.AsSpan(((o * axis) + at) * row, row));
                }
            }

            fixed (byte* s = TestData.WithSlack(source), t = target)
            fixed (int* x = TestData.WithSlack(indices)) Assert.Equal(-1, Gather.Put((nint)s, (nint)t, outer, axis, inner, elementSize, (nint)x, DType.Int32, count));
            Assert.Equal([.. expected, 0xAB], target);
        }
    }

    [Fact]
    public void TheFirstBadIndexIsNamedWhicheverThreadFindsOne()
    {
        const int N = 100_000;
        long[] index = TestData.WithSlack(new long[N]);
        fixed (long* x = index)
        {
            Assert.Equal(-1, new GatherIndex((nint)x, DType.Int64, 9).FirstBad(N));
            index[N - 1] = -10;
            Assert.Equal(N - 1, new GatherIndex((nint)x, DType.Int64, 9).FirstBad(N));
            index[70_000] = index[40_001] = 9;
            Assert.Equal(40_001, new GatherIndex((nint)x, DType.Int64, 9).FirstBad(N));
        }
    }

    [Fact]
    public void TuplesBecomePositions()
    {
        const int N = 70;
        int[] tuples = [.. Enumerable.Range(0, N).Select(static i => (i % 3) - 3), .. Enumerable.Range(0, N).Select(static i => (i % 5) - (i % 2 * 5))];
        long[] wide = [.. tuples.Select(static i => (long)i)], positions = new long[N], same = new long[N];
        fixed (long* p = positions, q = same, w = wide)
        fixed (int* t = tuples)
        {
            Assert.Equal((-1, -1), RavelIndex.Run((nint)t, DType.Int32, N, [3, 5], p));
            Assert.Equal((-1, -1), RavelIndex.Run((nint)w, DType.Int64, N, [3, 5], q));
            tuples[N + 69] = 5;
            Assert.Equal((1, 69), RavelIndex.Run((nint)t, DType.Int32, N, [3, 5], p));
        }

        Assert.Equal(positions, same);
        Assert.Equal([.. Enumerable.Range(0, N).Select(static i => ((i % 3) * 5L) + (i % 5))], positions);
    }

    [Fact]
    public void PickMovesElementsOfEverySize()
    {
        foreach (int elementSize in new[] { 1, 2, 4, 8 })
        {
            byte[] source = new byte[4 * 3 * elementSize], target = new byte[4 * elementSize];
            new Random(3).NextBytes(source);
            int[] indices = [2, -3, 1, -1];
            fixed (byte* s = TestData.WithSlack(source), t = target)
            fixed (int* x = TestData.WithSlack(indices)) Assert.Equal(-1, Gather.Pick((nint)s, (nint)t, 4, 3, 1, elementSize, (nint)x, DType.Int32));
            for (int i = 0; i < 4; i++)
            {
                int at = (i * 3) + ((indices[i] + 3) % 3);
                Assert.True(source.AsSpan(at * elementSize, elementSize).SequenceEqual(target.AsSpan(i * elementSize, elementSize)));
            }
        }
    }

    [Fact]
    public void TheFirstBadIndexIsNamedAndNothingIsWritten()
    {
        float[] source = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], target = [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9];
        int[] indices = [2, -3, 3, -4];
        fixed (float* s = TestData.WithSlack(source), t = target)
        fixed (int* x = TestData.WithSlack(indices))
        {
            Assert.Equal(2, Gather.Take((nint)s, (nint)t, 1, 3, 1, 4, (nint)x, DType.Int32, 4));
            Assert.Equal(2, GatherAdd.ScatterAdd((nint)s, (nint)t, 1, 3, 1, DType.Float32, (nint)x, DType.Int32, 4));
            Assert.Equal(2, Gather.Put((nint)s, (nint)t, 1, 3, 1, 4, (nint)x, DType.Int32, 4));
            Assert.Equal(2, Gather.Pick((nint)s, (nint)t, 4, 3, 1, 4, (nint)x, DType.Int32));
            Assert.Equal(2, GatherAdd.PickGradient((nint)s, (nint)t, 4, 3, 1, DType.Float32, (nint)x, DType.Int32));
            Assert.Equal(1, Gather.OneHot((nint)t, 3, DType.Float32, (nint)x, DType.Int32, 4)); // no negative labels
            Assert.All(target, v => Assert.Equal(9, v));
            Assert.Equal(-1, Gather.Take((nint)s, (nint)t, 1, 4, 1, 4, (nint)x, DType.Int32, 4));
            Assert.Equal([3, 2, 4, 1], target[..4]);
        }
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Int64)]
    [InlineData(DType.Bool)]
    public void OneHotSetsOneElementARow(DType dtype)
    {
        long[] indices = [3, 0, 4];
        byte[] target = new byte[15 * dtype.Size];
        double[] values = new double[15];
        target.AsSpan().Fill(0xAB);
        fixed (byte* t = target)
        fixed (long* x = TestData.WithSlack(indices))
        fixed (double* v = values)
        {
            Assert.Equal(-1, Gather.OneHot((nint)t, 5, dtype, (nint)x, DType.Int64, 3));
            Cast.Run(dtype, DType.Float64, (nint)t, (nint)v, 15);
        }
        Assert.Equal([0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1], values);
    }

    [Fact]
    public void IndicesOfOtherTypesAreRefused() =>
        Assert.Throws<DTypeException>(() => Gather.Take(0, 0, 1, 1, 1, 4, 0, DType.Float32, 1));

    private static int[] RandomIndices(int count, int axis)
    {
        var random = new Random(count);
        return Enumerable.Range(0, count).Select(_ => random.Next(-axis, axis)).ToArray();
    }
}
