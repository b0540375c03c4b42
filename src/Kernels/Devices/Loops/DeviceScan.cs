using System.Numerics;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>
/// Running sums along the middle axis of (outer, n, inner) on a device. Lines are added up in order, with the processor's bits, when they are short or there
/// are many; long ones are cut into chunks, whose sums are scanned first, and floating-point results are then rounded differently. The order depends on the
/// sizes and the device, not on its timing.
/// </summary>
internal static class DeviceScan
{
    private const int ShortLine = 64;
    private const int LineChunk = 64;
    private const long ManyLines = 16 * 1024;

    /// <summary>The parameters of <see cref="Scan.CumSum"/>, with offsets in elements; the output may be the input when the types agree.</summary>
    public static void CumSum(
        GpuDevice device, DType inputType, DType outputType, DeviceBlock input, long inputOffset, DeviceBlock output, long outputOffset,
        long outer, long n, long inner, bool exclusive = false, bool reverse = false)
    {
        if (outer == 0 || n == 0 || inner == 0) return;
        var job = new Job(new DeviceLines(device, input, inputOffset, output, outputOffset, outer, n, inner), exclusive, reverse);
        using (device.Enter())
        {
            if (inputType == DType.Float32) Run<DeviceSum<float>, float, float, float>(job);
            else if (inputType == DType.Float64) Run<DeviceSum<double>, double, double, double>(job);
            else if (inputType == DType.Int32) Integer<CastInt, int>(outputType, job);
            else if (inputType == DType.Int64) Integer<CastNothing<long>, long>(outputType, job);
            else Integer<CastByte, byte>(outputType, job);
        }

        GC.KeepAlive(input);
        GC.KeepAlive(output);
    }

    private static void Integer<TFrom, T>(DType outputType, in Job job)
        where TFrom : struct, IDeviceCast<T, long>
        where T : unmanaged
    {
        if (outputType == DType.Int32) Run<DeviceIntegerSum<TFrom, T, CastLong, int>, T, long, int>(job);
        else if (outputType == DType.Int64) Run<DeviceIntegerSum<TFrom, T, CastNothing<long>, long>, T, long, long>(job);
        else throw new DTypeException($"Integer running sums are Int64 or Int32, not {outputType}.");
    }

    private static void Run<TOp, TIn, TAcc, TOut>(in Job job)
        where TOp : struct, IDeviceReduction<TIn, TAcc, TOut>
        where TIn : unmanaged
        where TAcc : unmanaged
        where TOut : unmanaged
    {
        DeviceLines lines = job.Lines;
        Stages<TOp, FirstStage<TOp, TIn, TAcc, TOut>, FirstStage<LastStage<TOp, TIn, TAcc, TOut>, TAcc, TAcc, TOut>, TIn, TAcc, TOut>(
            lines, lines.From<TIn>(), lines.To<TOut>(lines.Count), lines.Count, job.Exclusive, job.Reverse);
    }

    // Sums are scanned by a method that needs no further types, however many stages there are.
    private static unsafe void Stages<TOp, TTotals, TJoin, TIn, TAcc, TOut>(
        in DeviceLines lines, ArrayView<TIn> x, ArrayView<TOut> y, long n, bool exclusive, bool reverse)
        where TOp : struct, IDeviceReduction<TIn, TAcc, TOut>
        where TTotals : struct, IDeviceReduction<TIn, TAcc, TAcc>
        where TJoin : struct, IDeviceReduction<TAcc, TAcc, TAcc>
        where TIn : unmanaged
        where TAcc : unmanaged
        where TOut : unmanaged
    {
        GpuDevice device = lines.Device;
        bool tiles = lines.Inner == 1 && n > ShortLine;
        bool whole = n <= ShortLine || (!tiles && lines.Outer * lines.Inner >= ManyLines);
        int group = DeviceGrid.GroupSize(device);
        if (tiles) group = (int)Math.Min(group, BitOperations.RoundUpToPowerOf2((uint)DeviceGrid.Divide(n, DeviceScanJob.PerThread)));
        int chunk = tiles ? DeviceScanJob.PerThread * group : whole ? (int)n : LineChunk;
        var scan = new DeviceScanJob(lines.Outer, n, lines.Inner, chunk, exclusive, reverse);
        if (scan.Chunks.Value == 1)
        {
            Launch<TOp, TIn, TAcc, TOut>(device, tiles, group, x, default, y, scan);
            return;
        }

        // The sums of the chunks are the carries of the chunks after them, once they are scanned themselves.
        var block = new DeviceBlock(device, (long)scan.Work * sizeof(TAcc));
        ArrayView<TAcc> carries = block.View<TAcc>(0, scan.Work);
        Launch<TTotals, TIn, TAcc, TAcc>(device, tiles, group, x, default, carries, scan with { TotalsOnly = 1 });
        Stages<TJoin, TJoin, TJoin, TAcc, TAcc, TAcc>(lines, carries, carries, scan.Chunks.Value, true, false);
        Launch<TOp, TIn, TAcc, TOut>(device, tiles, group, x, carries, y, scan with { HasCarries = 1 });
        block.Release();
    }

    private static void Launch<TOp, TIn, TAcc, TOut>(
        GpuDevice device, bool tiles, int group, ArrayView<TIn> x, ArrayView<TAcc> carries, ArrayView<TOut> y, in DeviceScanJob scan)
        where TOp : struct, IDeviceReduction<TIn, TAcc, TOut>
        where TIn : unmanaged
        where TAcc : unmanaged
        where TOut : unmanaged
    {
        device.LaunchCount++;
        if (tiles) Kernels<TOp, TIn, TAcc, TOut>.Tiles(device)(device.Stream, DeviceGrid.Groups(scan.Work, group), x, carries, y, scan);
        else Kernels<TOp, TIn, TAcc, TOut>.Lines(device)(device.Stream, DeviceGrid.For(device, scan.Work), x, carries, y, scan);
    }

    private readonly record struct Job(DeviceLines Lines, bool Exclusive, bool Reverse);

    private static class Kernels<TOp, TIn, TAcc, TOut>
        where TOp : struct, IDeviceReduction<TIn, TAcc, TOut>
        where TIn : unmanaged
        where TAcc : unmanaged
        where TOut : unmanaged
    {
        private static readonly object s_lines = new();
        private static readonly object s_tiles = new();

        public static Action<AcceleratorStream, KernelConfig, ArrayView<TIn>, ArrayView<TAcc>, ArrayView<TOut>, DeviceScanJob> Lines(GpuDevice device) =>
            device.Kernel(s_lines, static accelerator =>
                accelerator.LoadKernel<ArrayView<TIn>, ArrayView<TAcc>, ArrayView<TOut>, DeviceScanJob>(DeviceScanKernels.Lines<TOp, TIn, TAcc, TOut>));

        public static Action<AcceleratorStream, KernelConfig, ArrayView<TIn>, ArrayView<TAcc>, ArrayView<TOut>, DeviceScanJob> Tiles(GpuDevice device) =>
            device.Kernel(s_tiles, static accelerator =>
                accelerator.LoadKernel<ArrayView<TIn>, ArrayView<TAcc>, ArrayView<TOut>, DeviceScanJob>(DeviceScanKernels.Tiles<TOp, TIn, TAcc, TOut>));
    }
}
