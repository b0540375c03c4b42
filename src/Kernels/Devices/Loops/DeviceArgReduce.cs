using System.Numerics;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>
/// Positions of maxima and minima on a device, by the rules of <see cref="ArgReduce"/>: the first occurrence wins, and the first NaN over everything. The
/// combination is the same in every order, so the result does not depend on the division of the work.
/// </summary>
internal static class DeviceArgReduce
{
    /// <param name="device">Where both blocks are.</param>
    /// <param name="max">Maximum or minimum.</param>
    /// <param name="dtype">The input's element type.</param>
    /// <param name="input">A contiguous array.</param>
    /// <param name="inputOffset">Its first element.</param>
    /// <param name="output">One Int64 index along the reduced axis (which is not empty) per line.</param>
    /// <param name="outputOffset">Its first element.</param>
    /// <param name="outer">The product of the axes before the reduced one.</param>
    /// <param name="reduced">The length of the reduced axis.</param>
    /// <param name="inner">The product of the axes after it.</param>
    public static void Run(
        GpuDevice device, bool max, DType dtype,
        DeviceBlock input, long inputOffset, DeviceBlock output, long outputOffset, long outer, long reduced, long inner)
    {
        if (outer == 0 || inner == 0) return;
        var lines = new DeviceLines(device, input, inputOffset, output, outputOffset, outer, reduced, inner);
        using (device.Enter())
        {
            if (dtype == DType.Float32) ByOrder<float>(max, lines);
            else if (dtype == DType.Float64) ByOrder<double>(max, lines);
            else if (dtype == DType.Int32) ByOrder<int>(max, lines);
            else if (dtype == DType.Int64) ByOrder<long>(max, lines);
            else ByOrder<byte>(max, lines);
        }

        GC.KeepAlive(input);
        GC.KeepAlive(output);
    }

    private static void ByOrder<T>(bool max, in DeviceLines lines)
        where T : unmanaged, INumber<T>
    {
        if (max) Stages<GreaterElement<T>, T>(lines);
        else Stages<LessElement<T>, T>(lines);
    }

    private static void Stages<TOrder, T>(in DeviceLines lines)
        where TOrder : struct, IDeviceOrder<T>
        where T : unmanaged, INumber<T>
    {
        GpuDevice device = lines.Device;
        ArrayView<T> x = lines.From<T>();
        ArrayView<long> y = lines.To<long>();
        var first = new DeviceArgReduceJob(device, lines.Outer, lines.Count, lines.Inner, lines.Count, last: false);
        if (first.Segments.Value == 1)
        {
            Launch<EveryRow, TOrder, T>(device, x, y, y, first);
            return;
        }

        var best = new DeviceBlock(device, (long)first.Work * sizeof(long));
        ArrayView<long> positions = best.View<long>(0, first.Work);
        Launch<EveryRow, TOrder, T>(device, x, positions, positions, first);
        var last = new DeviceArgReduceJob(device, lines.Outer, lines.Count, lines.Inner, first.Segments.Value, last: true);
        Launch<ChosenRows, TOrder, T>(device, x, positions, y, last);
        best.Release();
    }

    private static void Launch<TRows, TOrder, T>(GpuDevice device, ArrayView<T> x, ArrayView<long> candidates, ArrayView<long> y, in DeviceArgReduceJob job)
        where TRows : struct, IDeviceRows
        where TOrder : struct, IDeviceOrder<T>
        where T : unmanaged, INumber<T>
    {
        KernelConfig config = DeviceGrid.Groups(DeviceGrid.Divide(job.Work, job.GroupWork), DeviceGrid.GroupSize(device));
        device.LaunchCount++;
        Kernels<TRows, TOrder, T>.Find(device)(device.Stream, config, x, candidates, y, job);
    }

    private static class Kernels<TRows, TOrder, T>
        where TRows : struct, IDeviceRows
        where TOrder : struct, IDeviceOrder<T>
        where T : unmanaged, INumber<T>
    {
        private static readonly object s_find = new();

        public static Action<AcceleratorStream, KernelConfig, ArrayView<T>, ArrayView<long>, ArrayView<long>, DeviceArgReduceJob> Find(GpuDevice device) =>
            device.Kernel(s_find, static accelerator =>
                accelerator.LoadKernel<ArrayView<T>, ArrayView<long>, ArrayView<long>, DeviceArgReduceJob>(DeviceArgReduceKernels.Find<TRows, TOrder, T>));
    }
}
