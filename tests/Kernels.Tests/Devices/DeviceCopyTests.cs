using Fusion.Kernels;
using Fusion.Tests.Devices;
using static Fusion.Tests.DeviceArrays;

namespace Fusion.Tests;

/// <summary>Device copies against the processor's, over whole blocks: nothing beside the target is written.</summary>
[Collection(nameof(OneDevice))]
public sealed unsafe class DeviceCopyTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void SmallShapesOnTheDebugDevice(int elementSize)
    {
        for (int seed = 0; seed < 12; seed++)
        {
            var random = new Random(seed);
            int[] shape = [.. Enumerable.Range(0, random.Next(5)).Select(_ => 1 + random.Next(5))];
            Check(Debug, random, shape, elementSize, $"seed {seed}");
        }
    }

    [Theory]
    [InlineData(1, 9, 21)]
    [InlineData(2, 9, 21)]
    [InlineData(4, 16, 16)]
    [InlineData(8, 7, 9)]
    public void TransposesOnTheDebugDevice(int elementSize, int rows, int columns) => Transpose(Debug, elementSize, rows, columns);

    [AcceleratorTheory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void RandomLayouts(int elementSize)
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            Check(Accelerator, random, StridedCase.RandomShape(random), elementSize, $"seed {seed}");
        }
    }

    [AcceleratorTheory]
    [InlineData(700, 500)]
    [InlineData(33, 4000)]
    [InlineData(4, 61, 67, 9)]
    [InlineData(16, 3, 31, 32)]
    [InlineData(1_000_000)]
    [InlineData(2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3)]
    public void LargeShapes(params int[] shape)
    {
        for (int seed = 0; seed < 6; seed++) Check(Accelerator, new Random(seed), shape, seed % 3 == 0 ? 1 : 4 * (seed % 3), $"seed {seed}");
    }

    [AcceleratorTheory]
    [InlineData(1, 1000, 1000)]
    [InlineData(2, 1000, 1000)]
    [InlineData(4, 1000, 1000)]
    [InlineData(8, 1000, 1000)]
    [InlineData(4, 17, 40_000)]
    [InlineData(4, 31, 33)]
    [InlineData(4, 32, 64)]
    public void Transposes(int elementSize, int rows, int columns) => Transpose(Accelerator, elementSize, rows, columns);

    [Fact]
    public void RowsOfWholeUnitsAreMovedSixteenBytesAtATime()
    {
        // (64, 32) out of (64, 48), floats: both sides have rows of multiples of four.
        long[] strides = [48, 1];
        Span<long> scratch = stackalloc long[6];
        var plan = new DeviceCopyPlan(4, strides, 0, default, [64, 32], 4, scratch);
        Assert.Equal((16, 2, 8L, 12L), (plan.UnitBytes, plan.Rank, plan.Sizes[0], plan.From[1]));
        Assert.Equal(4, new DeviceCopyPlan(1, strides, 0, default, [64, 32], 4, scratch).UnitBytes);
    }

    [Theory]
    [InlineData(DType.Float32, 0)]
    [InlineData(DType.Float32, 77)]
    [InlineData(DType.Float64, 77)]
    [InlineData(DType.Int64, 16)]
    [InlineData(DType.UInt8, 33)]
    [InlineData(DType.BFloat16, 33)]
    [InlineData(DType.Bool, 65)]
    public void FillWritesExactly(DType dtype, int count) => Fill(Debug, dtype, count);

    [AcceleratorTheory]
    [InlineData(DType.Float32, 1_000_003)]
    [InlineData(DType.Float64, 70_000)]
    [InlineData(DType.Int32, 1)]
    [InlineData(DType.UInt8, 200_001)]
    [InlineData(DType.Float16, 200_001)]
    public void FillWritesExactlyOnTheAccelerator(DType dtype, int count) => Fill(Accelerator, dtype, count);

    [Fact]
    public void CopiesAreCompiledToWideLoadsWithoutCalls()
    {
        string ptx = DevicePtx.Of(typeof(DeviceCopyKernels), nameof(DeviceCopyKernels.Strided), typeof(DeviceQuad));
        DevicePtx.AssertClean(ptx);
        Assert.Equal(5, DevicePtx.Count(ptx, @"ld\.global\.v4\.b32"));
        Assert.Equal(5, DevicePtx.Count(ptx, @"st\.global\.v4\.b32"));
        Assert.Equal(0, DevicePtx.Count(ptx, @"\b(div|rem)\."));

        ptx = DevicePtx.Of(typeof(DeviceCopyKernels), nameof(DeviceCopyKernels.Transposed), typeof(uint));
        DevicePtx.AssertClean(ptx);
        Assert.Equal((4, 4), (DevicePtx.Count(ptx, @"ld\.global\.b32"), DevicePtx.Count(ptx, @"st\.shared\.b32")));
        Assert.Equal(1, DevicePtx.Count(ptx, @"\bbar(rier)?\."));
    }

    [Fact]
    public void DivisionByMultiplicationIsExact()
    {
        var random = new Random(1);
        int[] divisors =
        [
            1, 2, 3, 5, 7, 10, 641, 65_535, 65_536, 65_537, 1 << 30, int.MaxValue - 1, int.MaxValue,
            .. Enumerable.Range(0, 200).Select(_ => random.Next(1, int.MaxValue)),
        ];
        foreach (int d in divisors)
        {
            var divisor = new DeviceDivisor(d);
            for (int i = 0; i < 2000; i++)
            {
                int n = i < 500 ? i : i < 1000 ? int.MaxValue - i : random.Next();
                if (i % 3 == 0) n -= n % d;
                Assert.Equal(n / d, DeviceDivisor.Divide(n, divisor));
            }
        }

        Assert.Equal(0, DeviceDivisor.Divide(int.MaxValue, DeviceDivisor.Infinite));
    }

    private static void Check(GpuDevice device, Random random, int[] shape, int elementSize, string what)
    {
        StridedCase from = StridedCase.Random(random, shape, elementSize), to;
        do to = StridedCase.Random(random, shape, elementSize);
        while (Enumerable.Range(0, shape.Length).Any(axis => to.Strides[axis] == 0 && shape[axis] > 1));
        byte[] source = Bytes(from), expected = Bytes(to);
        using var arrays = new DeviceArrays(device);
        DeviceBlock x = arrays.Upload<byte>(source), y = arrays.Upload<byte>(expected);
        DeviceCopy.Run(device, x, from.Origin, from.Strides, y, to.Origin, to.Strides, shape, elementSize);
        fixed (byte* p = source, q = expected)
        fixed (long* fromStrides = from.Strides, toStrides = to.Strides)
            Copy.Run((nint)(p + (from.Origin * elementSize)), fromStrides, (nint)(q + (to.Origin * elementSize)), toStrides, shape, elementSize);
        AssertSame<byte>(expected, Download<byte>(y, 0, expected.Length), what);
        from.Block.Release();
        to.Block.Release();
    }

    private static byte[] Bytes(StridedCase view) => new Span<byte>((void*)view.Block.Pointer, (int)view.Block.Capacity).ToArray();

    private static void Transpose(GpuDevice device, int elementSize, int rows, int columns)
    {
        byte[] source = new byte[rows * columns * elementSize], expected = new byte[source.Length + 64];
        new Random(rows).NextBytes(source);
        expected.AsSpan().Fill(0xAB);
        using var arrays = new DeviceArrays(device);
        DeviceBlock x = arrays.Upload<byte>(source), y = arrays.Upload<byte>(expected);
        DeviceCopy.Run(device, x, 0, [1, rows], y, 0, default, [rows, columns], elementSize);
        for (int i = 0; i < rows * columns; i++)
            source.AsSpan(((i % columns * rows) + (i / columns)) * elementSize, elementSize).CopyTo(expected.AsSpan(i * elementSize));
        AssertSame<byte>(expected, Download<byte>(y, 0, expected.Length), $"{rows} × {columns}");
    }

    private static void Fill(GpuDevice device, DType dtype, int count)
    {
        byte[] expected = new byte[((count + 2) * dtype.Size) + 8];
        expected.AsSpan().Fill(0xAB);
        using var arrays = new DeviceArrays(device);
        DeviceBlock block = arrays.Upload<byte>(expected);
        foreach (double value in new[] { 7.0, 0.0 })
        {
            DeviceFill.Run(device, block, 1, count, dtype, value);
            fixed (byte* p = expected) Copy.Fill((nint)(p + dtype.Size), count, dtype, value);
            AssertSame<byte>(expected, Download<byte>(block, 0, expected.Length), $"{dtype} {value}");
        }
    }
}
