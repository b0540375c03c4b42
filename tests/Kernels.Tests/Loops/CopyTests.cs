using Fusion.Kernels;

namespace Fusion.Tests;

[Collection(nameof(ProcessState))]
public sealed unsafe class CopyTests : IDisposable
{
    private static readonly int[] s_elementSizes = [1, 2, 4, 8];

    private readonly int _threads = WorkerPool.Threads;

    public void Dispose() => WorkerPool.Threads = _threads;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void StridedToContiguousAndBack(int elementSize)
    {
        for (int seed = 0; seed < 1500; seed++)
        {
            var random = new Random(seed);
            Check(random, StridedCase.RandomShape(random), elementSize, $"seed {seed}");
        }
    }

    [Theory]
    [InlineData(700, 500)]
    [InlineData(33, 4000)]
    [InlineData(4000, 10)]
    [InlineData(4, 61, 67, 9)]
    [InlineData(16, 3, 31, 32)]
    [InlineData(200_000)]
    public void LargeShapes(params int[] shape)
    {
        for (int seed = 0; seed < 8 * s_elementSizes.Length; seed++)
        {
            WorkerPool.Threads = 1 + (seed % 3);
            Check(new Random(seed), shape, s_elementSizes[seed / 8], $"seed {seed}");
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(15, 16)]
    [InlineData(16, 16)]
    [InlineData(17, 64)]
    [InlineData(2, 777)]
    [InlineData(777, 2)]
    [InlineData(100, 1)]
    [InlineData(1, 100)]
    [InlineData(129, 1027)]
    [InlineData(1024, 512)]
    public void Transposes(int rows, int columns)
    {
        WorkerPool.Threads = 2;
        long* strides = stackalloc long[2] { 1, rows };
        foreach (int elementSize in s_elementSizes)
        {
            int bytes = rows * columns * elementSize;
            var source = new NativeBlock(bytes);
            var target = new NativeBlock(bytes + 64);
            byte* from = (byte*)source.Pointer, to = (byte*)target.Pointer;
            new Random(rows).NextBytes(new Span<byte>(from, bytes));
            new Span<byte>(to + bytes, 64).Fill(0xAB);
            Copy.Strided((nint)from, strides, (nint)to, [rows, columns], elementSize);
            for (int i = 0; i < rows; i++)
            {
                for (int j = 0; j < columns; j++)
                {
                    for (int b = 0; b < elementSize; b++)
                        if (to[(((i * columns) + j) * elementSize) + b] != from[(((j * rows) + i) * elementSize) + b]) Assert.Fail($"{elementSize}: {i}, {j}");
                }
            }
            Assert.Equal(-1, new Span<byte>(to + bytes, 64).IndexOfAnyExcept((byte)0xAB));
            source.Release();
            target.Release();
        }
    }

    [Theory]
    [InlineData(DType.Float32, 0)]
    [InlineData(DType.Float32, 100_000)]
    [InlineData(DType.Float64, 70_000)]
    [InlineData(DType.Int32, 13)]
    [InlineData(DType.Int64, 65_536)]
    [InlineData(DType.UInt8, 200_001)]
    [InlineData(DType.Float16, 70_001)]
    [InlineData(DType.BFloat16, 33)]
    [InlineData(DType.Bool, 65_537)]
    public void FillWritesExactly(DType dtype, int count)
    {
        WorkerPool.Threads = 2;
        var block = new NativeBlock((count * dtype.Size) + 64);
        var bytes = new Span<byte>((void*)block.Pointer, (count * dtype.Size) + 64);
        bytes.Fill(0xAB);
        Copy.Fill(block.Pointer, count, dtype, 7.0);
        var values = new double[count];
        fixed (double* p = values) Cast.Run(dtype, DType.Float64, block.Pointer, (nint)p, count);
        Assert.All(values, v => Assert.Equal(dtype == DType.Bool ? 1 : 7, v));
        Assert.Equal(-1, bytes[(count * dtype.Size)..].IndexOfAnyExcept((byte)0xAB));
        block.Release();
    }

    private static void Check(Random random, int[] shape, int elementSize, string what)
    {
        int size = shape.Aggregate(1, (a, b) => a * b);
        StridedCase view = StridedCase.Random(random, shape, elementSize);
        List<nint> addresses = view.Addresses(shape);
        byte[] expected = new byte[size * elementSize];
        for (int i = 0; i < size; i++) new Span<byte>((void*)addresses[i], elementSize).CopyTo(expected.AsSpan(i * elementSize));

        byte[] copy = new byte[(size * elementSize) + 64];
        copy.AsSpan(size * elementSize).Fill(0xAB);
        fixed (byte* p = copy)
        fixed (long* strides = view.Strides) Copy.Strided((nint)view.Data, strides, (nint)p, shape, elementSize);
        Assert.True(copy.AsSpan(0, expected.Length).SequenceEqual(expected), what);
        Assert.Equal(-1, copy.AsSpan(expected.Length).IndexOfAnyExcept((byte)0xAB));

        if (Enumerable.Range(0, shape.Length).Any(axis => view.Strides[axis] == 0 && shape[axis] > 1)) return;
        byte[] whole = new Span<byte>((void*)view.Block.Pointer, (int)view.Block.Capacity).ToArray();
        byte[] other = new byte[expected.Length + 64];
        random.NextBytes(other);
        fixed (byte* p = other)
        fixed (long* strides = view.Strides) Copy.IntoStrided((nint)p, (nint)view.Data, strides, shape, elementSize);
        for (int i = 0; i < size; i++) other.AsSpan(i * elementSize, elementSize).CopyTo(whole.AsSpan((int)(addresses[i] - view.Block.Pointer)));
        Assert.True(new Span<byte>((void*)view.Block.Pointer, whole.Length).SequenceEqual(whole), what);
        GC.KeepAlive(view);
    }
}
