using System.Numerics;
using Fusion.Kernels;
using Fusion.Tests.Devices;
using static Fusion.Tests.DeviceArrays;

namespace Fusion.Tests;

/// <summary>Device scans against the processor's. Long lines of floats hold integers: all sums are exact, and compared exactly.</summary>
[Collection(nameof(OneDevice))]
public sealed unsafe class DeviceScanTests
{
    [Theory]
    [InlineData(3, 5, 1)]
    [InlineData(2, 9, 3)]
    [InlineData(2, 64, 1)]
    [InlineData(1, 65, 1)]
    [InlineData(1, 300, 1)]
    [InlineData(1, 70, 2)]
    public void OnTheDebugDevice(int outer, int n, int inner)
    {
        Check<float, float>(Debug, outer, n, inner);
        Check<byte, long>(Debug, outer, n, inner);
    }

    [AcceleratorTheory]
    [InlineData(1, 1_000_000, 1)]
    [InlineData(1000, 1000, 1)]
    [InlineData(20_000, 10, 1)]
    [InlineData(1, 300, 20_000)]
    public void Shapes(int outer, int n, int inner)
    {
        Check<float, float>(Accelerator, outer, n, inner);
        if (AcceleratorTable.IsWhole) Check<int, long>(Accelerator, outer, n, inner);
    }

    [AcceleratorTheory(whole: true)]
    [InlineData(1, 5_000_000, 1)]
    [InlineData(300, 100, 1)]
    [InlineData(2, 4097, 1)]
    [InlineData(1, 100_000, 3)]
    [InlineData(7, 64, 65)]
    public void OtherShapes(int outer, int n, int inner) => Shapes(outer, n, inner);

    [AcceleratorTheory(whole: true)]
    [InlineData(1, 50_000, 1)]
    [InlineData(1, 5000, 5)]
    public void OtherTypes(int outer, int n, int inner)
    {
        Check<double, double>(Accelerator, outer, n, inner);
        Check<long, int>(Accelerator, outer, n, inner);
    }

    [Fact]
    public void TheOutputMayBeTheInput()
    {
        foreach ((int n, int inner) in new[] { (40, 1), (200, 1), (70, 2) })
        {
            long[] x = TestData.Normal<long>(n * inner, 3, 1e9), expected = new long[x.Length];
            fixed (long* from = TestData.WithSlack(x), to = expected) Scan.CumSum(DType.Int64, DType.Int64, (nint)from, (nint)to, 1, n, inner, reverse: true);
            using var arrays = new DeviceArrays(Debug);
            DeviceBlock block = arrays.Upload<long>(x);
            DeviceScan.CumSum(Debug, DType.Int64, DType.Int64, block, 0, block, 0, 1, n, inner, reverse: true);
            AssertSame<long>(expected, Download<long>(block, 0, x.Length), $"{n}, {inner}");
        }
    }

    [Fact]
    public void LoadsAreInFlightTogetherAndNothingIsCalled()
    {
        Type[] arguments = [typeof(DeviceSum<float>), typeof(float), typeof(float), typeof(float)];
        foreach ((string kernel, int loads) in new[] { (nameof(DeviceScanKernels.Tiles), 8), (nameof(DeviceScanKernels.Lines), 4) })
        {
            string ptx = DevicePtx.Of(typeof(DeviceScanKernels), kernel, arguments);
            DevicePtx.AssertClean(ptx);
            Assert.Equal(loads, DevicePtx.Together(ptx, @"ld\.global\.f32"));
        }
    }

    private static void Check<T, TOut>(GpuDevice device, int outer, int n, int inner)
        where T : unmanaged, INumberBase<T>
        where TOut : unmanaged, INumber<TOut>
    {
        bool isFloat = DTypes.Of<T>().IsFloat;
        T[] x = TestData.Normal<T>((long)outer * n * inner, n, typeof(T) == typeof(byte) ? 30 : isFloat ? 3 : 1e7);
        if (isFloat && n > 64) x = [.. x.Select(static v => T.CreateChecked(Math.Round(double.CreateChecked(v))))];
        foreach ((bool exclusive, bool reverse) in new[] { (false, false), (true, false), (false, true), (true, true) })
        {
            TOut[] expected = new TOut[x.Length];
            (DType from, DType to) = (DTypes.Of<T>(), DTypes.Of<TOut>());
            fixed (T* p = TestData.WithSlack(x))
            fixed (TOut* q = expected) Scan.CumSum(from, to, (nint)p, (nint)q, outer, n, inner, exclusive, reverse);
            if (expected is float[] single && n is > 0 and <= 64) AddInOrder((float[])(object)x, single, n, inner, exclusive, reverse);
            using var arrays = new DeviceArrays(device);
            DeviceBlock input = arrays.Upload<T>(x, 1), output = arrays.Marked<TOut>(x.Length);
            DeviceScan.CumSum(device, from, to, input, 1, output, 0, outer, n, inner, exclusive, reverse);
            AssertSame<TOut>(expected, Results<TOut>(output, x.Length), $"{from} ({outer}, {n}, {inner}) exclusive {exclusive} reverse {reverse}");
        }
    }

    // A device adds Float32 up in Float32; the lines of the CPU do so in Float64.
    private static void AddInOrder(float[] x, float[] sums, int n, int inner, bool exclusive, bool reverse)
    {
        for (int line = 0; line < x.Length / n; line++)
        {
            float sum = 0;
            for (int step = 0; step < n; step++)
            {
                int at = (((line / inner * n) + (reverse ? n - 1 - step : step)) * inner) + (line % inner);
                float next = sum + x[at];
                sums[at] = exclusive ? sum : next;
                sum = next;
            }
        }
    }
}
