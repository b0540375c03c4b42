using System.Numerics;
using Fusion.Kernels;
using Fusion.Tests.Devices;
using ILGPU;
using static Fusion.Tests.DeviceArrays;

namespace Fusion.Tests;

/// <summary>Device orders against the processor's: many equal elements, NaN, zeros of both signs.</summary>
[Collection(nameof(OneDevice))]
public sealed unsafe class DeviceSortTests
{
    [Theory]
    [InlineData(3, 7, 7)]
    [InlineData(2, 20, 5)]
    [InlineData(6, 1, 1)]
    public void OnTheDebugDevice(int lines, int n, int k)
    {
        Check<float>(Debug, lines, n, k);
        Check<double>(Debug, lines, n, k);
        Check<byte>(Debug, lines, n, k);
    }

    [AcceleratorTheory]
    [InlineData(1, 1_000_000, 1_000_000)]
    [InlineData(1000, 1000, 1000)]
    [InlineData(5000, 100, 10)]
    [InlineData(3, 70_000, 100)]
    [InlineData(1, 8000, 8000)]
    public void Shapes(int lines, int n, int k) => Check<float>(Accelerator, lines, n, k);

    [AcceleratorTheory(whole: true)]
    [InlineData(2, 200)]
    [InlineData(2, 50_000)]
    public void OtherTypes(int lines, int n)
    {
        Check<double>(Accelerator, lines, n, n);
        Check<int>(Accelerator, lines, n, n);
        Check<long>(Accelerator, lines, n, n);
        Check<byte>(Accelerator, lines, n, n);
    }

    [Fact]
    public void DigitsAndCountingAgreeOnTheDebugDevice()
    {
        // Two tiles of 128 in each of two lines.
        const int Lines = 2, Length = 150;
        uint[] keys = [.. Enumerable.Range(0, Lines * Length).Select(static i => (uint)(i * 7919 % 61))];
        using var arrays = new DeviceArrays(Debug);
        ArrayView<uint> view = arrays.Upload<uint>(keys).View<uint>(0, keys.Length);
        DeviceBlock counted = DeviceSort.ByRank<DeviceKey, uint>(Debug, view, Length), sorted = DeviceSort.ByDigits<DeviceKey, uint>(Debug, view, Length, 6);
        int[] expected = [.. Enumerable.Range(0, Lines).SelectMany(line => Enumerable.Range(0, Length).OrderBy(i => keys[(line * Length) + i]))];
        AssertSame<int>(expected, Download<int>(counted, 0, keys.Length), "counted");
        AssertSame<int>(expected, Download<int>(sorted, 0, keys.Length), "by digits");
        counted.Release();
        sorted.Release();
    }

    [Fact]
    public void NothingIsCalled()
    {
        DevicePtx.AssertClean(DevicePtx.Of(typeof(DeviceSortKernels), nameof(DeviceSortKernels.Rank), typeof(DeviceKey), typeof(uint)));
        DevicePtx.AssertClean(DevicePtx.Of(typeof(DeviceRadixKernels), nameof(DeviceRadixKernels.Move), typeof(DeviceKey), typeof(ulong)));
    }

    private static void Check<T>(GpuDevice device, int lines, int n, int k)
        where T : unmanaged, INumber<T>
    {
        var random = new Random(n);
        T[] x = new T[lines * n];
        for (int i = 0; i < x.Length; i++)
        {
            double value = random.Next(2) == 0 ? random.Next(-30, 30) : (random.NextDouble() - 0.5) * 1e6;
            if (random.Next(20) == 0) value = random.Next(4) switch { 0 => double.NaN, 1 => -0.0, 2 => double.NegativeInfinity, _ => -double.NaN };
            x[i] = T.CreateSaturating(value);
        }

        foreach (bool descending in new[] { false, true })
        {
            long[] expected = new long[lines * k];
            fixed (T* from = TestData.WithSlack(x))
            fixed (long* to = expected) ArgSort.Run(DTypes.Of<T>(), (nint)from, to, lines, n, k, descending);
            using var arrays = new DeviceArrays(device);
            DeviceBlock source = arrays.Upload<T>(x, 1), order = arrays.Marked<long>(expected.Length);
            DeviceSort.ArgSort(device, DTypes.Of<T>(), source, 1, order, 0, lines, n, k, descending);
            AssertSame<long>(expected, Results<long>(order, expected.Length), $"{typeof(T).Name} ({lines}, {n}) {k} descending {descending}");
        }
    }
}
