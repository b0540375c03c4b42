using Fusion.Kernels;
using Fusion.Tests.Devices;
using static Fusion.Tests.DeviceArrays;

namespace Fusion.Tests;

/// <summary>Device gathers against the processor's, with negative indices and repeats; and what becomes of indices out of range.</summary>
[Collection(nameof(ProcessState))]
public sealed unsafe class DeviceGatherTests
{
    [Theory]
    [InlineData(1, 5, 3, 7, 4)]
    [InlineData(3, 4, 1, 9, 4)]
    [InlineData(2, 6, 4, 3, 4)]
    [InlineData(2, 6, 2, 3, 8)]
    [InlineData(2, 6, 16, 3, 1)]
    [InlineData(2, 6, 5, 3, 1)]
    [InlineData(2, 6, 5, 3, 2)]
    [InlineData(2, 6, 16, 3, 2)]
    public void TakeOnTheDebugDevice(int outer, int axis, int inner, int count, int elementSize) => CheckTake(Debug, outer, axis, inner, count, elementSize);

    [AcceleratorTheory]
    [InlineData(1, 10_000, 128, 4096, 4)]
    [InlineData(1, 1000, 33, 3000, 4)]
    [InlineData(1000, 100, 1, 1000, 4)]
    [InlineData(7, 100, 24, 501, 1)]
    [InlineData(7, 100, 11, 501, 8)]
    public void Take(int outer, int axis, int inner, int count, int elementSize) => CheckTake(Accelerator, outer, axis, inner, count, elementSize);

    [Theory]
    [InlineData(20, 5, 1, 1, 4)]
    [InlineData(3, 5, 2, 4, 8)]
    [InlineData(4, 7, 1, 9, 1)]
    [InlineData(4, 7, 3, 9, 2)]
    public void PickOnTheDebugDevice(int outer, int axis, int inner, int count, int elementSize) => CheckPick(Debug, outer, axis, inner, count, elementSize);

    [AcceleratorTheory]
    [InlineData(100_000, 10, 1, 1, 4)]
    [InlineData(1000, 300, 1, 1000, 4)]
    [InlineData(50, 70, 30, 11, 8)]
    [InlineData(50, 70, 30, 11, 1)]
    public void Pick(int outer, int axis, int inner, int count, int elementSize) => CheckPick(Accelerator, outer, axis, inner, count, elementSize);

    [Theory]
    [InlineData(DType.Float32, 9, 5)]
    [InlineData(DType.Bool, 3, 17)]
    [InlineData(DType.Float16, 3, 17)]
    [InlineData(DType.Int64, 4, 1)]
    public void OneHotOnTheDebugDevice(DType dtype, int count, int depth) => CheckOneHot(Debug, dtype, count, depth);

    [AcceleratorTheory]
    [InlineData(DType.Float32, 100_000, 10)]
    public void OneHot(DType dtype, int count, int depth) => CheckOneHot(Accelerator, dtype, count, depth);

    [Fact]
    public void BadIndicesOnTheDebugDevice() => BadIndices(Debug);

    [AcceleratorFact]
    public void BadIndicesOnTheAccelerator() => BadIndices(Accelerator);

    [Fact]
    public void ManyCallsBetweenTwoReads()
    {
        DeviceIndexFaults faults = new(Debug, 64);
        using var arrays = new DeviceArrays(Debug);
        DeviceBlock good = arrays.Upload<int>([1]), bad = arrays.Upload<int>([2]);
        faults.Queue("First", bad, 0, DType.Int32, 1, 2);
        var error = Assert.Throws<ArgumentOutOfRangeException>(() =>
        {
            for (int i = 0; i < 64; i++) faults.Queue("Later", good, 0, DType.Int32, 1, 2);
        });
        Assert.Contains("First: index 2 at position 0", error.Message, StringComparison.Ordinal);
        faults.ThrowIfAny();
    }

    [Fact]
    public void RowsAreMovedSixteenBytesAtATimeWithoutCalls()
    {
        string ptx = DevicePtx.Of(typeof(DeviceGatherKernels), nameof(DeviceGatherKernels.Take), typeof(ReadIndex), typeof(int), typeof(DeviceQuad));
        DevicePtx.AssertClean(ptx);
        Assert.Equal(5, DevicePtx.Count(ptx, @"ld\.global\.v4\.b32"));
    }

    // Whoever shifts a base would see a 1 where a 0 must be: the elements around the source are not zero.
    private static void BadIndices(GpuDevice device)
    {
        DeviceIndexFaults faults = DeviceIndexFaults.Of(device);
        faults.ThrowIfAny();
        using var arrays = new DeviceArrays(device);
        DeviceBlock source = arrays.Upload<float>([1, 1, 10, 20, 30, 1, 1]);
        foreach (bool isLong in new[] { false, true })
        {
            long[] values = [0, -1, 3, 2, -4, int.MinValue, int.MaxValue, isLong ? (1L << 32) : 5, isLong ? long.MinValue : -5];
            DeviceBlock index = isLong ? arrays.Upload<long>(values) : arrays.Upload<int>([.. values.Select(v => (int)v)]);
            DType indexType = isLong ? DType.Int64 : DType.Int32;
            DeviceBlock taken = arrays.Marked<float>(9), picked = arrays.Marked<float>(9), hot = arrays.Marked<float>(27);
            DeviceGather.Take(device, "Take", source, 2, taken, 0, 1, 3, 1, 4, index, 0, indexType, 9);
            var error = Assert.Throws<ArgumentOutOfRangeException>(faults.ThrowIfAny);
            Assert.Contains("Take: index 3 at position 2 is out of range for an axis of size 3: -3 to 2.", error.Message, StringComparison.Ordinal);
            faults.ThrowIfAny();
            float[] expected = [10, 30, 0, 30, 0, 0, 0, 0, 0];
            AssertSame<float>(expected, Results<float>(taken, 9), "Take");

            DeviceGather.Pick(device, "Pick", source, 2, picked, 0, 1, 3, 1, 4, index, 0, indexType, 9);
            Assert.Throws<ArgumentOutOfRangeException>(faults.ThrowIfAny);
            AssertSame<float>(expected, Results<float>(picked, 9), "Pick");

            DeviceGather.OneHot(device, "OneHot", hot, 0, 3, DType.Float32, index, 0, indexType, 9);
            error = Assert.Throws<ArgumentOutOfRangeException>(faults.ThrowIfAny);
            Assert.Contains("OneHot: class -1 at position 1 is out of range for 3 classes, 0 to 2.", error.Message, StringComparison.Ordinal);
            Assert.Equal(2, Results<float>(hot, 27).Count(v => v == 1));

            DeviceGather.Take(device, "Empty", source, 2, taken, 0, 0, 3, 1, 4, index, 0, indexType, 9);
            Assert.Throws<ArgumentOutOfRangeException>(faults.ThrowIfAny);
        }

        Assert.Throws<DTypeException>(() => DeviceGather.Take(device, "Take", source, 0, source, 0, 1, 1, 1, 4, source, 0, DType.Float32, 1));
    }

    private static void CheckTake(GpuDevice device, int outer, int axis, int inner, int count, int elementSize)
    {
        byte[] x = Data(outer * axis * inner * elementSize), expected = new byte[outer * count * inner * elementSize];
        foreach (DType type in new[] { DType.Int32, DType.Int64 })
        {
            foreach (int offset in new[] { 0, 1 })
            {
                using var arrays = new DeviceArrays(device);
                DeviceBlock index = Indices(arrays, type, axis, count, offset, out byte[] bytes);
                fixed (byte* from = TestData.WithSlack(x), to = expected, at = TestData.WithSlack(bytes))
                    Assert.Equal(-1, Gather.Take((nint)from, (nint)to, outer, axis, inner, elementSize, (nint)at, type, count));
                DeviceBlock source = arrays.Upload<byte>(x, offset * elementSize), target = arrays.Marked<byte>(expected.Length);
                DeviceGather.Take(device, "Take", source, offset, target, 0, outer, axis, inner, elementSize, index, offset, type, count);
                AssertSame<byte>(expected, Results<byte>(target, expected.Length), $"{type} {offset}");
            }
        }

        DeviceIndexFaults.Of(device).ThrowIfAny();
    }

    private static void CheckPick(GpuDevice device, int outer, int axis, int inner, int count, int elementSize)
    {
        byte[] x = Data(outer * axis * inner * elementSize), expected = new byte[outer * count * inner * elementSize];
        foreach (DType type in new[] { DType.Int32, DType.Int64 })
        {
            using var arrays = new DeviceArrays(device);
            DeviceBlock index = Indices(arrays, type, axis, outer * count * inner, 2, out byte[] bytes);
            fixed (byte* from = TestData.WithSlack(x), to = expected, at = TestData.WithSlack(bytes))
                Assert.Equal(-1, Gather.Pick((nint)from, (nint)to, outer, axis, inner, elementSize, (nint)at, type, count));
            DeviceBlock source = arrays.Upload<byte>(x), target = arrays.Marked<byte>(expected.Length);
            DeviceGather.Pick(device, "Pick", source, 0, target, 0, outer, axis, inner, elementSize, index, 2, type, count);
            AssertSame<byte>(expected, Results<byte>(target, expected.Length), $"{type}");
        }

        DeviceIndexFaults.Of(device).ThrowIfAny();
    }

    private static void CheckOneHot(GpuDevice device, DType dtype, int count, int depth)
    {
        int[] labels = [.. Enumerable.Range(0, count).Select(i => i * 7 % depth)];
        byte[] expected = new byte[count * depth * dtype.Size];
        fixed (int* at = TestData.WithSlack(labels))
        fixed (byte* to = expected) Assert.Equal(-1, Gather.OneHot((nint)to, depth, dtype, (nint)at, DType.Int32, count));
        using var arrays = new DeviceArrays(device);
        DeviceBlock index = arrays.Upload<int>(labels), target = arrays.Marked<byte>(expected.Length);
        DeviceGather.OneHot(device, "OneHot", target, 0, depth, dtype, index, 0, DType.Int32, count);
        AssertSame<byte>(expected, Results<byte>(target, expected.Length), $"{dtype}");
        DeviceIndexFaults.Of(device).ThrowIfAny();
    }

    private static byte[] Data(int bytes)
    {
        byte[] data = new byte[bytes];
        new Random(bytes).NextBytes(data);
        return data;
    }

    private static DeviceBlock Indices(DeviceArrays arrays, DType type, int axis, int count, int offset, out byte[] bytes)
    {
        var random = new Random(count);
        bytes = new byte[count * type.Size];
        fixed (byte* p = bytes)
        {
            for (int i = 0; i < count; i++)
            {
                int value = random.Next(-axis, axis);
                if (type == DType.Int32) ((int*)p)[i] = value;
                else ((long*)p)[i] = value;
            }
        }

        return arrays.Upload<byte>(bytes, offset * type.Size);
    }
}
