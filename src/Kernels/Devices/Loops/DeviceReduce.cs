using System.Numerics;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>
/// Reductions of a contiguous array of a device, seen as (outer, reduced, inner), to (outer, inner), with the types, identities and the order of
/// <see cref="Reduce"/>: results of floating-point numbers have the processor's bits.
/// </summary>
internal static class DeviceReduce
{
    // The rows of a part of a column: the processor's.
    private const int RowChunk = ReduceColumns<SumReduction, Lane512<float>, float>.RowChunk;

    /// <summary>The parameters and rules of <see cref="Reduce.Run"/>, with offsets in elements.</summary>
    public static void Run(
        GpuDevice device, ReduceKind kind, DType inputType, DType outputType,
        DeviceBlock input, long inputOffset, DeviceBlock output, long outputOffset, long outer, long reduced, long inner)
    {
        if (outer == 0 || inner == 0) return;
        var lines = new DeviceLines(device, input, inputOffset, output, outputOffset, outer, reduced, inner);
        using (device.Enter())
        {
            switch (inputType)
            {
                case DType.Float32:
                    Float<DeviceSumOfSquares, float>(kind, lines);
                    break;
                case DType.Float64:
                    Float<DeviceSumOfSquares, double>(kind, lines);
                    break;
                case DType.Int32:
                    Integer<CastInt, int>(kind, outputType, lines);
                    break;
                case DType.Int64:
                    Integer<CastNothing<long>, long>(kind, outputType, lines);
                    break;
                default:
                    Integer<CastByte, byte>(kind, outputType, lines);
                    break;
            }
        }

        GC.KeepAlive(input);
        GC.KeepAlive(output);
    }

    /// <summary>The largest numbers of rows, NaN ignored: <see cref="MaxNumberReduction"/>.</summary>
    public static void MaxNumber(
        GpuDevice device, DType type, DeviceBlock input, long inputOffset, DeviceBlock output, long outputOffset, long rows, long columns)
    {
        var lines = new DeviceLines(device, input, inputOffset, output, outputOffset, rows, columns, 1);
        using (device.Enter())
        {
            if (type == DType.Float64) Stages<DeviceMaxNumber, double, double, double>(lines);
            else Stages<DeviceMaxNumber, float, float, float>(lines);
        }

        GC.KeepAlive(input);
        GC.KeepAlive(output);
    }

    private static void Float<TSquares, T>(ReduceKind kind, in DeviceLines lines)
        where TSquares : struct, IDeviceReduction<T, T, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (kind == ReduceKind.Sum) Stages<DeviceSum<T>, T, T, T>(lines);
        else if (kind == ReduceKind.Prod) Stages<DeviceProd<T>, T, T, T>(lines);
        else if (kind == ReduceKind.Max) Stages<DeviceMax<T>, T, T, T>(lines);
        else if (kind == ReduceKind.Min) Stages<DeviceMin<T>, T, T, T>(lines);
        else if (kind == ReduceKind.SumOfSquares) Stages<TSquares, T, T, T>(lines);
        else Logical<T>(kind, lines);
    }

    private static void Integer<TFrom, T>(ReduceKind kind, DType outputType, in DeviceLines lines)
        where TFrom : struct, IDeviceCast<T, long>
        where T : unmanaged, INumber<T>, IMinMaxValue<T>
    {
        if (kind == ReduceKind.Max) Stages<DeviceIntegerMax<T>, T, T, T>(lines);
        else if (kind == ReduceKind.Min) Stages<DeviceIntegerMin<T>, T, T, T>(lines);
        else if (kind is ReduceKind.Any or ReduceKind.All) Logical<T>(kind, lines);
        else if (outputType == DType.Int32) Wide<TFrom, T, CastLong, int>(kind, lines);
        else if (outputType == DType.Int64) Wide<TFrom, T, CastNothing<long>, long>(kind, lines);
        else throw new DTypeException($"Integer sums and products are Int64 or Int32, not {outputType}.");
    }

    private static void Wide<TFrom, T, TTo, TOut>(ReduceKind kind, in DeviceLines lines)
        where TFrom : struct, IDeviceCast<T, long>
        where T : unmanaged
        where TTo : struct, IDeviceCast<long, TOut>
        where TOut : unmanaged
    {
        if (kind == ReduceKind.Sum) Stages<DeviceIntegerSum<TFrom, T, TTo, TOut>, T, long, TOut>(lines);
        else if (kind == ReduceKind.Prod) Stages<DeviceIntegerProd<TFrom, T, TTo, TOut>, T, long, TOut>(lines);
        else Stages<DeviceIntegerSumOfSquares<TFrom, T, TTo, TOut>, T, long, TOut>(lines);
    }

    private static void Logical<T>(ReduceKind kind, in DeviceLines lines)
        where T : unmanaged, INumberBase<T>
    {
        if (kind == ReduceKind.Any) Stages<DeviceAny<T>, T, int, byte>(lines);
        else Stages<DeviceAll<T>, T, int, byte>(lines);
    }

    private static void Stages<TOp, TIn, TAcc, TOut>(in DeviceLines lines)
        where TOp : struct, IDeviceReduction<TIn, TAcc, TOut>
        where TIn : unmanaged
        where TAcc : unmanaged
        where TOut : unmanaged
    {
        GpuDevice device = lines.Device;
        ArrayView<TIn> x = lines.From<TIn>();
        DeviceReduceJob first = Stage(lines, lines.Count, RowChunk);
        if (first.Chunks.Value == 1)
        {
            Launch<TOp, TIn, TAcc, TOut>(device, x, lines.To<TOut>(), first);
            return;
        }

        DeviceBlock sums = Partials<TAcc>(lines, first, out ArrayView<TAcc> view);
        Launch<FirstStage<TOp, TIn, TAcc, TOut>, TIn, TAcc, TAcc>(device, x, view, first);
        Finish<LastStage<TOp, TIn, TAcc, TOut>, TAcc, TOut>(lines, sums, view, first.Chunks.Value);
    }

    private static DeviceReduceJob Stage(in DeviceLines lines, long count, long chunk) =>
        lines.Inner == 1
            ? DeviceReduceJob.Rows(lines.Device, lines.Outer, count)
            : DeviceReduceJob.Columns(lines.Device, lines.Outer, count, lines.Inner, chunk);

    // The results of parts are joined in order (columns) or reduced as rows again.
    private static void Finish<TOp, TAcc, TOut>(in DeviceLines lines, DeviceBlock sums, ArrayView<TAcc> view, long parts)
        where TOp : struct, IDeviceReduction<TAcc, TAcc, TOut>
        where TAcc : unmanaged
        where TOut : unmanaged
    {
        GpuDevice device = lines.Device;
        while (true)
        {
            DeviceReduceJob next = Stage(lines, parts, parts);
            if (next.Chunks.Value == 1)
            {
                Launch<TOp, TAcc, TAcc, TOut>(device, view, lines.To<TOut>(), next);
                sums.Release();
                return;
            }

            DeviceBlock more = Partials(lines, next, out ArrayView<TAcc> moreView);
            Launch<FirstStage<TOp, TAcc, TAcc, TOut>, TAcc, TAcc, TAcc>(device, view, moreView, next);
            sums.Release();
            (sums, view, parts) = (more, moreView, next.Chunks.Value);
        }
    }

    private static unsafe DeviceBlock Partials<TAcc>(in DeviceLines lines, in DeviceReduceJob stage, out ArrayView<TAcc> view)
        where TAcc : unmanaged
    {
        long count = lines.Outer * stage.Chunks.Value * lines.Inner;
        var block = new DeviceBlock(lines.Device, count * sizeof(TAcc));
        view = block.View<TAcc>(0, count);
        return block;
    }

    private static void Launch<TOp, TIn, TAcc, TOut>(GpuDevice device, ArrayView<TIn> x, ArrayView<TOut> y, in DeviceReduceJob stage)
        where TOp : struct, IDeviceReduction<TIn, TAcc, TOut>
        where TIn : unmanaged
        where TAcc : unmanaged
        where TOut : unmanaged
    {
        KernelConfig config = DeviceGrid.Groups(DeviceGrid.Divide(stage.Items, stage.GroupItems), DeviceGrid.GroupSize(device));
        device.LaunchCount++;
        if (stage.Loaders == 1) Kernels<TOp, TIn, TAcc, TOut>.Direct(device)(device.Stream, config, x, y, stage);
        else Kernels<TOp, TIn, TAcc, TOut>.Staged(device)(device.Stream, config, x, y, stage);
    }

    private static class Kernels<TOp, TIn, TAcc, TOut>
        where TOp : struct, IDeviceReduction<TIn, TAcc, TOut>
        where TIn : unmanaged
        where TAcc : unmanaged
        where TOut : unmanaged
    {
        private static readonly object s_direct = new();
        private static readonly object s_staged = new();

        public static Action<AcceleratorStream, KernelConfig, ArrayView<TIn>, ArrayView<TOut>, DeviceReduceJob> Direct(GpuDevice device) =>
            device.Kernel(s_direct, static accelerator =>
                accelerator.LoadKernel<ArrayView<TIn>, ArrayView<TOut>, DeviceReduceJob>(DeviceReduceKernels.Direct<TOp, TIn, TAcc, TOut>));

        public static Action<AcceleratorStream, KernelConfig, ArrayView<TIn>, ArrayView<TOut>, DeviceReduceJob> Staged(GpuDevice device) =>
            device.Kernel(s_staged, static accelerator =>
                accelerator.LoadKernel<ArrayView<TIn>, ArrayView<TOut>, DeviceReduceJob>(DeviceReduceKernels.Staged<TOp, TIn, TAcc, TOut>));
    }
}
