using System.Numerics;
using Fusion.Kernels;
using Fusion.Tests.Devices;
using static Fusion.Tests.DeviceArrays;

namespace Fusion.Tests;

/// <summary>
/// Device scatters against the processor's: exactly where no place gets more than 64 values, and for values whose sums are exact in every order.
/// </summary>
[Collection(nameof(OneDevice))]
public sealed unsafe class DeviceScatterTests
{
    [Theory]
    [InlineData(1, 5, 3, 12)]
    [InlineData(2, 4, 2, 9)]
    [InlineData(1, 2, 1, 150)]
    [InlineData(1, 200, 1, 1)]
    public void RowsOnTheDebugDevice(int outer, int axis, int inner, int count)
    {
        Rows<float, int>(Debug, outer, axis, inner, count, count > 64);
        Rows<long, long>(Debug, outer, axis, inner, count, false);
    }

    [AcceleratorTheory]
    [InlineData(1, 10_000, 128, 4096, false)]
    [InlineData(1, 3000, 16, 20_000, false)]
    [InlineData(1, 7, 16, 20_000, true)]
    [InlineData(1, 1, 3, 9000, true)]
    [InlineData(3, 50, 7, 1000, false)]
    [InlineData(1, 100_000, 1, 1_000_000, false)]
    [InlineData(1, 1000, 4, 64, false)]
    [InlineData(1, 300, 4, 65, false)]
    public void RowsOnTheAccelerator(int outer, int axis, int inner, int count, bool exact)
    {
        Rows<float, int>(Accelerator, outer, axis, inner, count, exact);
        if (AcceleratorTable.IsWhole) Rows<int, long>(Accelerator, outer, axis, inner, count, false);
    }

    [Theory]
    [InlineData(20, 5, 1, 1)]
    [InlineData(3, 5, 2, 4)]
    [InlineData(1, 9, 1, 70)]
    public void LinesOnTheDebugDevice(int outer, int axis, int inner, int count) => Lines<float, long>(Debug, outer, axis, inner, count, count > 64);

    [AcceleratorTheory]
    [InlineData(100_000, 10, 1, 1, false)]
    [InlineData(20_000, 30, 1, 70, false)]
    [InlineData(10, 3000, 1, 3000, false)]
    [InlineData(4, 10, 6, 5000, true)]
    [InlineData(1, 500_000, 1, 500_000, false)]
    public void LinesOnTheAccelerator(int outer, int axis, int inner, int count, bool exact)
    {
        if (AcceleratorTable.IsWhole) Lines<float, int>(Accelerator, outer, axis, inner, count, exact);
        Lines<double, long>(Accelerator, outer, axis, inner, count, exact);
    }

    [Fact]
    public void BadIndicesOnTheDebugDevice() => BadIndices(Debug);

    [AcceleratorFact]
    public void BadIndicesOnTheAccelerator() => BadIndices(Accelerator);

    [Fact]
    public void NothingIsCalled()
    {
        foreach (string kernel in new[] { nameof(DeviceScatterKernels.AddPieces), nameof(DeviceScatterKernels.AddSums) })
            DevicePtx.AssertClean(DevicePtx.Of(typeof(DeviceScatterKernels), kernel, typeof(float)));
    }

    private static void BadIndices(GpuDevice device)
    {
        DeviceIndexFaults faults = DeviceIndexFaults.Of(device);
        foreach (bool picks in new[] { false, true })
        {
            foreach (int count in new[] { 4, 80 })
            {
                int[] index = new int[count];
                (index[1], index[2], index[3]) = (3, -4, int.MinValue);
                using var arrays = new DeviceArrays(device);
                float[] ones = new float[count];
                Array.Fill(ones, 1);
                DeviceBlock source = arrays.Upload<float>(ones), indices = arrays.Upload<int>(index), target = arrays.Upload<float>([5, 5, 0, 0, 0, 5, 5, 5]);
                if (picks) DeviceScatter.PickGradient(device, "Pick", source, 0, target, 2, 1, 3, 1, DType.Float32, indices, 0, DType.Int32, count);
                else DeviceScatter.ScatterAdd(device, "Take", source, 0, target, 2, 1, 3, 1, DType.Float32, indices, 0, DType.Int32, count);
                var error = Assert.Throws<ArgumentOutOfRangeException>(faults.ThrowIfAny);
                Assert.Contains("index 3 at position 1 is out of range for an axis of size 3: -3 to 2.", error.Message, StringComparison.Ordinal);
                AssertSame<float>([5, 5, count - 3, 0, 0, 5, 5, 5], Download<float>(target, 0, 8), $"{picks} {count}");
            }
        }
    }

    private static void Rows<T, TIndex>(GpuDevice device, int outer, int axis, int inner, int count, bool exact)
        where T : unmanaged, INumber<T>
        where TIndex : unmanaged, INumber<TIndex>
    {
        T[] source = Values<T>(outer * count * inner, exact), expected = Values<T>(outer * axis * inner, exact);
        TIndex[] index = Indices<TIndex>(count, axis);
        using var arrays = new DeviceArrays(device);
        DeviceBlock x = arrays.Upload<T>(source, 1), y = arrays.Upload<T>(expected, 2), at = arrays.Upload<TIndex>(index, 1);
        (DType type, DType indexType) = (DTypes.Of<T>(), DTypes.Of<TIndex>());
        DeviceScatter.ScatterAdd(device, "Take", x, 1, y, 2, outer, axis, inner, type, at, 1, indexType, count);
        fixed (T* from = TestData.WithSlack(source), to = expected)
        fixed (TIndex* i = TestData.WithSlack(index)) Assert.Equal(-1, GatherAdd.ScatterAdd((nint)from, (nint)to, outer, axis, inner, type, (nint)i, indexType, count));
        AssertSame<T>(expected, Download<T>(y, 2 * sizeof(T), expected.Length), $"{type}");
        DeviceIndexFaults.Of(device).ThrowIfAny();
    }

    private static void Lines<T, TIndex>(GpuDevice device, int outer, int axis, int inner, int count, bool exact)
        where T : unmanaged, INumber<T>
        where TIndex : unmanaged, INumber<TIndex>
    {
        T[] source = Values<T>(outer * count * inner, exact), expected = Values<T>(outer * axis * inner, exact);
        TIndex[] index = Indices<TIndex>(outer * count * inner, axis);
        using var arrays = new DeviceArrays(device);
        DeviceBlock x = arrays.Upload<T>(source), y = arrays.Upload<T>(expected), at = arrays.Upload<TIndex>(index);
        (DType type, DType indexType) = (DTypes.Of<T>(), DTypes.Of<TIndex>());
        DeviceScatter.PickGradient(device, "Pick", x, 0, y, 0, outer, axis, inner, type, at, 0, indexType, count);
        fixed (T* from = TestData.WithSlack(source), to = expected)
        fixed (TIndex* i = TestData.WithSlack(index)) Assert.Equal(-1, GatherAdd.PickGradient((nint)from, (nint)to, outer, axis, inner, type, (nint)i, indexType, count));
        AssertSame<T>(expected, Download<T>(y, 0, expected.Length), $"{type}");
        DeviceIndexFaults.Of(device).ThrowIfAny();
    }

    private static T[] Values<T>(int count, bool exact)
        where T : unmanaged, INumber<T>
    {
        double[] values = TestData.Normal<double>(count, count, exact || !DTypes.Of<T>().IsFloat ? 100 : 1);
        return [.. values.Select(v => T.CreateChecked(exact ? Math.Round(v) : v))];
    }

    private static TIndex[] Indices<TIndex>(int count, int axis)
        where TIndex : unmanaged, INumber<TIndex>
    {
        var random = new Random(count);
        return [.. Enumerable.Range(0, count).Select(_ => TIndex.CreateChecked(random.Next(-axis, axis)))];
    }
}
