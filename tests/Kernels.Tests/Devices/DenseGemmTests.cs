using System.Numerics;
using System.Runtime.InteropServices;
using Fusion.Kernels;
using Fusion.Tests.Devices;

namespace Fusion.Tests;

/// <summary>Every path of the matrix product on devices against that of the processor in double precision.</summary>
[Collection(nameof(OneDevice))]
public sealed unsafe class DenseGemmTests
{
    public static TheoryData<bool, bool> Transpositions => new() { { false, false }, { false, true }, { true, false }, { true, true } };

    public static TheoryData<bool, bool> AcceleratorTranspositions => AcceleratorTable.IsWhole ? Transpositions : new() { { false, true } };

    /// <summary>Both layouts of both operands.</summary>
    public static TheoryData<bool, bool> AcceleratorLayouts => AcceleratorTable.IsWhole ? Transpositions : new() { { false, true }, { true, false } };

    [Theory]
    [MemberData(nameof(Transpositions))]
    public void Small_products_on_the_debug_device(bool transA, bool transB)
    {
        GpuDevice device = GpuDevices.Debug;
        Check<float>(device, new GemmCase(5, 7, 9, transA, transB) { Pad = 1, Bias = true });
        Check<double>(device, new GemmCase(1, 17, 3, transA, transB));
        Check<float>(device, new GemmCase(16, 4, 40, transA, transB) { Bias = true });
        CheckBatch<double>(device, 3, new GemmCase(4, 3, 5, transA, transB) { Bias = true }, true, false);
        CheckBatch<float>(device, 2, new GemmCase(3, 4, 2, transA, transB), false, true);
    }

    [Fact]
    public void A_depth_of_zero_leaves_the_bias_and_empty_results_are_not_touched()
    {
        foreach (GpuDevice device in GpuDevices.Count > 0 ? [GpuDevices.Debug, GpuDevices.Open(0)] : (GpuDevice[])[GpuDevices.Debug])
        {
            Check<float>(device, new GemmCase(3, 4, 0) { Bias = true });
            Check<double>(device, new GemmCase(3, 4, 0));
            Check<float>(device, new GemmCase(0, 4, 3));
            Check<float>(device, new GemmCase(4, 0, 3));
        }
    }

    [DenseAcceleratorTheory]
    [MemberData(nameof(AcceleratorLayouts))]
    public void Sizes_around_the_edges_of_tiles(bool transA, bool transB)
    {
        GpuDevice device = GpuDevices.Open(0);
        int[] sizes = [9, 16, 33, 63, 64, 65, 100, 127, 128, 132];
        var random = new Random(3);
        foreach (int m in sizes)
        {
            int n = sizes[random.Next(sizes.Length)], k = sizes[random.Next(sizes.Length)] + 60;
            Check<float>(device, new GemmCase(m, n, k, transA, transB) { Pad = random.Next(2), Bias = random.Next(2) == 0 });
            if (!AcceleratorTable.IsWhole && transA) continue;
            Check<double>(device, new GemmCase(n, m, k, transA, transB) { Pad = 4 * random.Next(2), Bias = random.Next(2) == 0 });
        }
    }

    /// <summary>Quartets move where sizes and offsets are multiples of four; one that is not must not disturb the others.</summary>
    [DenseAcceleratorTheory]
    [MemberData(nameof(AcceleratorTranspositions))]
    public void Alignments(bool transA, bool transB)
    {
        GpuDevice device = GpuDevices.Open(0);
        for (int shift = 0; shift < 8; shift++) Check<float>(device, new GemmCase(68, 72, 80, transA, transB) { Bias = true }, shift & 1, shift & 2, shift & 4);
        Check<double>(device, new GemmCase(68, 72, 80, transA, transB), 4, 8, 12);
        Check<float>(device, new GemmCase(66, 72, 80, transA, transB));
        Check<float>(device, new GemmCase(68, 74, 80, transA, transB));
        Check<float>(device, new GemmCase(68, 72, 82, transA, transB));
    }

    [DenseAcceleratorTheory]
    [MemberData(nameof(AcceleratorTranspositions))]
    public void Large_tiles(bool transA, bool transB)
    {
        GpuDevice device = GpuDevices.Open(0);
        Assert.True(Plan(1280, 1284, 36).Large);
        Check<float>(device, new GemmCase(1280, 1284, 36, transA, transB) { Bias = true });
        if (transA != transB) Check<float>(device, new GemmCase(1290, 1281, 19, transA, transB) { Bias = true });
        else Check<double>(device, new GemmCase(1284, 1280, 12, transA, transB) { Bias = true });
    }

    [DenseAcceleratorTheory]
    [MemberData(nameof(AcceleratorTranspositions))]
    public void Depths_that_are_split(bool transA, bool transB)
    {
        GpuDevice device = GpuDevices.Open(0);
        Assert.True(Plan(70, 30, 1000) is { Large: false, Grid.Splits: > 1 });
        Check<float>(device, new GemmCase(70, 30, 1000, transA, transB) { Bias = true, Pad = 1 });
        Check<double>(device, new GemmCase(64, 12, 777, transA, transB));
        Assert.True(Plan(140, 200, 13_000) is { Large: true, Grid.Splits: > 1 });
        Check<float>(device, new GemmCase(140, 200, 13_000, transA, transB) { Bias = true });
    }

    [DenseAcceleratorTheory]
    [MemberData(nameof(AcceleratorTranspositions))]
    public void Few_rows_or_columns(bool transA, bool transB)
    {
        GpuDevice device = GpuDevices.Open(0);
        for (int thin = 1; thin <= 8; thin++)
        {
            Check<float>(device, new GemmCase(thin, 150, 132, transA, transB) { Bias = true, Pad = thin & 1 });
            Check<double>(device, new GemmCase(130, thin, 77, transA, transB) { Bias = true });
            Check<float>(device, new GemmCase(9, thin, 2051, transA, transB));
            Check<float>(device, new GemmCase(thin, 12, 2052, transA, transB));
        }

        Check<float>(device, new GemmCase(1, 1, 5000, transA, transB) { Bias = true });
        Check<float>(device, new GemmCase(3, 400, 7, transA, transB) { Bias = true });
        CheckBatch<float>(device, 5, new GemmCase(1, 64, 100, transA, transB), false, false);
        CheckBatch<float>(device, 3, new GemmCase(40, 2, 1030, transA, transB) { Bias = true }, true, false);
        CheckBatch<double>(device, 3, new GemmCase(4, 40, 1032, transA, transB), false, true);
    }

    [DenseAcceleratorTheory]
    [MemberData(nameof(AcceleratorLayouts))]
    public void Batches(bool transA, bool transB)
    {
        GpuDevice device = GpuDevices.Open(0);
        CheckBatch<float>(device, 20, new GemmCase(32, 32, 64, transA, transB) { Bias = true }, false, false);
        CheckBatch<float>(device, 7, new GemmCase(65, 40, 70, transA, transB), true, false);
        CheckBatch<double>(device, 5, new GemmCase(40, 65, 300, transA, transB), false, true);
        CheckBatch<float>(device, 100, new GemmCase(8, 8, 8, transA, transB), false, false);
        CheckBatch<float>(device, 30, new GemmCase(132, 132, 20, transA, transB) { Bias = true }, false, true);
    }

    [DenseAcceleratorFact]
    public void What_is_overwritten_is_not_read()
    {
        GpuDevice device = GpuDevices.Open(0);
        foreach ((int m, int n, int k) in new[] { (8, 8, 8), (70, 70, 70), (70, 70, 2000), (1, 300, 300), (300, 2, 5000), (1290, 1290, 16) })
        {
            using var arrays = new DenseArrays<float>(device);
            DenseArray<float> a = arrays.Upload(DenseArrays<float>.Values(m * k, 1)), b = arrays.Upload(DenseArrays<float>.Values(k * n, 2));
            var nan = new float[m * n];
            nan.AsSpan().Fill(float.NaN);
            DenseArray<float> c = arrays.Upload(nan);
            DeviceGemm.Run<float>(device, false, false, m, n, k, new(a.Block, a.Offset, k), new(b.Block, b.Offset, n), new(c.Block, c.Offset, n));
            Assert.DoesNotContain(DenseArrays<float>.Download(c), float.IsNaN);
        }
    }

    [DenseAcceleratorFact]
    public void The_same_bits_from_run_to_run()
    {
        GpuDevice device = GpuDevices.Open(0);
        foreach ((int m, int n, int k) in new[] { (70, 70, 2000), (1, 300, 3000), (300, 2, 5000) })
        {
            using var arrays = new DenseArrays<float>(device);
            DenseArray<float> a = arrays.Upload(DenseArrays<float>.Values(m * k, 1)), b = arrays.Upload(DenseArrays<float>.Values(k * n, 2));
            float[][] results = new float[4][];
            for (int i = 0; i < results.Length; i++)
            {
                DenseArray<float> c = arrays.Upload(new float[m * n]);
                DeviceGemm.Run<float>(device, false, false, m, n, k, new(a.Block, a.Offset, k), new(b.Block, b.Offset, n), new(c.Block, c.Offset, n));
                results[i] = DenseArrays<float>.Download(c);
            }

            foreach (float[] result in results[1..]) TestData.AssertSameBits<float>(results[0], result, $"{m} × {n} × {k}");
        }
    }

    [DenseAcceleratorFact]
    public void Launches_allocate_no_more_than_the_search_for_their_kernel()
    {
        GpuDevice device = GpuDevices.Open(0);
        using var arrays = new DenseArrays<float>(device);
        DenseArray<float> a = arrays.Upload(DenseArrays<float>.Values(64 * 64, 1)), b = arrays.Upload(DenseArrays<float>.Values(64 * 64, 2));
        DenseArray<float> c = arrays.Upload(new float[64 * 64]);
        void Launch() => DeviceGemm.Run<float>(
            device, false, true, 64, 64, 64, new(a.Block, a.Offset, 64), new(b.Block, b.Offset, 64), new(c.Block, c.Offset, 64));
        object key = new();
        void Search() => device.Kernel(key, static _ => "a kernel");
        Search();
        for (int i = 0; i < 100; i++) Launch();
        device.Synchronize();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20; i++) Search();
        long between = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20; i++) Launch();
        long after = GC.GetAllocatedBytesForCurrentThread();
        device.Synchronize();
        Assert.Equal(between - before, after - between);
    }

    private static (TileGrid Grid, bool Large) Plan(int m, int n, int k) => (TileLaunch<float>.Plan(m, n, k, 1, out bool large), large);

    private static void Check<T>(GpuDevice device, GemmCase s, int shiftA = 0, int shiftB = 0, int shiftC = 0)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var arrays = new DenseArrays<T>(device);
        T[] left = DenseArrays<T>.Values(s.SizeA, 1), right = DenseArrays<T>.Values(s.SizeB, 2), before = DenseArrays<T>.Values(s.SizeC, 3);
        T[]? row = s.Bias ? DenseArrays<T>.Values(s.N, 4) : null;
        DenseArray<T> a = arrays.Upload(left, shiftA), b = arrays.Upload(right, shiftB), c = arrays.Upload(before, shiftC), bias = arrays.Upload(row ?? [], 1);
        DeviceGemm.Run<T>(
            device, s.TransA, s.TransB, s.M, s.N, s.K, new(a.Block, a.Offset, s.Lda), new(b.Block, b.Offset, s.Ldb), new(c.Block, c.Offset, s.Ldc),
            bias: s.Bias ? new(bias.Block, bias.Offset, s.N) : null);
        DenseArrays<T>.AssertClose(Expected(s, left, right, before, row), DenseArrays<T>.Download(c), Tolerance<T>(s.K), s.ToString());
    }

    private static void CheckBatch<T>(GpuDevice device, int batch, GemmCase s, bool repeatA, bool repeatB)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var arrays = new DenseArrays<T>(device);
        int sizeA = (int)s.SizeA, sizeB = (int)s.SizeB, sizeC = (int)s.SizeC, strideA = repeatA ? 0 : sizeA, strideB = repeatB ? 0 : sizeB;
        T[] left = DenseArrays<T>.Values(batch * sizeA, 1), right = DenseArrays<T>.Values(batch * sizeB, 2), before = DenseArrays<T>.Values(batch * sizeC, 3);
        T[]? row = s.Bias ? DenseArrays<T>.Values(s.N, 4) : null;
        DenseArray<T> a = arrays.Upload(left), b = arrays.Upload(right), c = arrays.Upload(before), bias = arrays.Upload(row ?? []);
        DeviceGemm.Run<T>(
            device, s.TransA, s.TransB, s.M, s.N, s.K, new(a.Block, a.Offset, s.Lda, strideA), new(b.Block, b.Offset, s.Ldb, strideB),
            new(c.Block, c.Offset, s.Ldc, sizeC), batch, s.Bias ? new(bias.Block, bias.Offset, s.N) : null);
        T[] actual = DenseArrays<T>.Download(c);
        for (int i = 0; i < batch; i++)
        {
            double[] expected = GemmReference.InDouble(s, left[(i * strideA)..][..sizeA], right[(i * strideB)..][..sizeB], before[(i * sizeC)..][..sizeC], row);
            DenseArrays<T>.AssertClose(expected, actual[(i * sizeC)..][..sizeC], Tolerance<T>(s.K), $"{s}, {i} of {batch}");
        }
    }

    private static double[] Expected<T>(GemmCase s, T[] a, T[] b, T[] c, T[]? bias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // The kernel may read a vector past the end.
        double[] left = [.. a.Select(double.CreateChecked), .. new double[8]], right = [.. b.Select(double.CreateChecked), .. new double[8]];
        double[] row = [.. (bias ?? []).Select(double.CreateChecked), .. new double[8]], result = [.. c.Select(double.CreateChecked), .. new double[8]];
        fixed (double* pa = left, pb = right, pc = result, pBias = row)
            Gemm.Run(s.TransA, s.TransB, s.M, s.N, s.K, 1.0, pa, s.Lda, pb, s.Ldb, s.Beta, pc, s.Ldc, bias is null ? null : pBias);
        return result[..^8];
    }

    private static double Tolerance<T>(int depth) => typeof(T) == typeof(float) ? 1e-6 * (Math.Sqrt(depth) + 4) : 2e-15 * (depth + 4);
}
