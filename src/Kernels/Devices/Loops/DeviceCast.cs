using System.Numerics;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>Conversion between element types on a device, with the results of <see cref="Cast"/>.</summary>
internal static class DeviceCast
{
    /// <summary>Converts contiguous elements.</summary>
    public static void Run(GpuDevice device, DType from, DType to, DeviceBlock source, long sourceOffset, DeviceBlock target, long targetOffset, long count) =>
        Run(device, from, to, source, sourceOffset, default, target, targetOffset, [DeviceGrid.Index(count)]);

    /// <summary>Converts elements of any strides (none: contiguous) to contiguous ones.</summary>
    public static void Run(
        GpuDevice device, DType from, DType to,
        DeviceBlock source, long sourceOffset, ReadOnlySpan<long> sourceStrides,
        DeviceBlock target, long targetOffset, ReadOnlySpan<int> shape)
    {
        if (from == to && from != DType.Bool)
        {
            DeviceCopy.Run(device, source, sourceOffset, sourceStrides, target, targetOffset, default, shape, from.Size);
            return;
        }

        if (shape.Contains(0)) return;
        Span<long> scratch = stackalloc long[3 * shape.Length];
        var plan = new DeviceCopyPlan(sourceOffset, sourceStrides, targetOffset, default, shape, 0, scratch);
        var job = new Job(device, source, target);
        using (device.Enter()) Select(job, from, to, plan);
        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }

    private static void Select(Job job, DType from, DType to, in DeviceCopyPlan plan)
    {
        if (from.IsHalf || to.IsHalf)
        {
            Half(job, from, to, plan);
            return;
        }

        switch (from)
        {
            case DType.Float32:
                if (to == DType.Float64) Launch<CastFloat, float, double>(job, plan);
                else ToInteger<CastFloat, float>(job, to, plan);
                break;
            case DType.Float64:
                if (to == DType.Float32) Launch<CastDouble, double, float>(job, plan);
                else ToInteger<CastDouble, double>(job, to, plan);
                break;
            case DType.Int32:
                if (to == DType.Int64) Launch<CastInt, int, long>(job, plan);
                else if (to == DType.UInt8) Launch<CastInt, int, byte>(job, plan);
                else FromInteger<CastInt, int>(job, to, plan);
                break;
            case DType.Int64:
                if (to == DType.Int32) Launch<CastLong, long, int>(job, plan);
                else if (to == DType.UInt8) Launch<CastLong, long, byte>(job, plan);
                else FromInteger<CastLong, long>(job, to, plan);
                break;
            case DType.UInt8:
                if (to == DType.Int32) Launch<CastByte, byte, int>(job, plan);
                else if (to == DType.Int64) Launch<CastByte, byte, long>(job, plan);
                else FromInteger<CastByte, byte>(job, to, plan);
                break;
            default:
                FromBool(job, to, plan);
                break;
        }
    }

    private static void Half(Job job, DType from, DType to, in DeviceCopyPlan plan)
    {
        if (from == DType.Float16) FromHalf<Float16Bits>(job, to, plan);
        else if (from == DType.BFloat16) FromHalf<BFloat16Bits>(job, to, plan);
        else if (to == DType.Float16) ToHalf<Float16Bits>(job, from, plan);
        else ToHalf<BFloat16Bits>(job, from, plan);
    }

    private static void FromHalf<THalf>(Job job, DType to, in DeviceCopyPlan plan)
        where THalf : struct, IDeviceHalf
    {
        if (to == DType.Float32) Launch<CastFromHalf<THalf, CastNothing<float>, float>, ushort, float>(job, plan);
        else if (to == DType.Float64) Launch<CastFromHalf<THalf, CastFloat, double>, ushort, double>(job, plan);
        else if (to == DType.Int32) Launch<CastFromHalf<THalf, CastFloat, int>, ushort, int>(job, plan);
        else if (to == DType.Int64) Launch<CastFromHalf<THalf, CastFloat, long>, ushort, long>(job, plan);
        else if (to == DType.UInt8) Launch<CastFromHalf<THalf, CastFloat, byte>, ushort, byte>(job, plan);
        else if (to == DType.Float16) Launch<CastFromHalf<THalf, CastToHalf<Float16Bits, CastNothing<float>, float>, ushort>, ushort, ushort>(job, plan);
        else if (to == DType.BFloat16) Launch<CastFromHalf<THalf, CastToHalf<BFloat16Bits, CastNothing<float>, float>, ushort>, ushort, ushort>(job, plan);
        else Launch<CastFromHalf<THalf, CastToBool<float>, byte>, ushort, byte>(job, plan);
    }

    private static void ToHalf<THalf>(Job job, DType from, in DeviceCopyPlan plan)
        where THalf : struct, IDeviceHalf
    {
        if (from == DType.Float32) Launch<CastToHalf<THalf, CastNothing<float>, float>, float, ushort>(job, plan);
        else if (from == DType.Float64) Launch<CastToHalf<THalf, CastToOdd, double>, double, ushort>(job, plan);
        else if (from == DType.Int32) Launch<CastToHalf<THalf, CastToOdd, int>, int, ushort>(job, plan);
        else if (from == DType.Int64) Launch<CastToHalf<THalf, CastToOdd, long>, long, ushort>(job, plan);
        else if (from == DType.UInt8) Launch<CastToHalf<THalf, CastByte, byte>, byte, ushort>(job, plan);
        else Launch<CastToHalf<THalf, CastFromBool<float>, byte>, byte, ushort>(job, plan);
    }

    private static void ToInteger<TOp, TFrom>(Job job, DType to, in DeviceCopyPlan plan)
        where TOp : struct, IDeviceCast<TFrom, int>, IDeviceCast<TFrom, long>, IDeviceCast<TFrom, byte>
        where TFrom : unmanaged, INumberBase<TFrom>
    {
        if (to == DType.Int32) Launch<TOp, TFrom, int>(job, plan);
        else if (to == DType.Int64) Launch<TOp, TFrom, long>(job, plan);
        else if (to == DType.UInt8) Launch<TOp, TFrom, byte>(job, plan);
        else Launch<CastToBool<TFrom>, TFrom, byte>(job, plan);
    }

    private static void FromInteger<TOp, TFrom>(Job job, DType to, in DeviceCopyPlan plan)
        where TOp : struct, IDeviceCast<TFrom, float>, IDeviceCast<TFrom, double>
        where TFrom : unmanaged, INumberBase<TFrom>
    {
        if (to == DType.Float32) Launch<TOp, TFrom, float>(job, plan);
        else if (to == DType.Float64) Launch<TOp, TFrom, double>(job, plan);
        else Launch<CastToBool<TFrom>, TFrom, byte>(job, plan);
    }

    private static void FromBool(Job job, DType to, in DeviceCopyPlan plan)
    {
        if (to == DType.Float32) Launch<CastFromBool<float>, byte, float>(job, plan);
        else if (to == DType.Float64) Launch<CastFromBool<double>, byte, double>(job, plan);
        else if (to == DType.Int32) Launch<CastFromBool<int>, byte, int>(job, plan);
        else if (to == DType.Int64) Launch<CastFromBool<long>, byte, long>(job, plan);
        else Launch<CastFromBool<byte>, byte, byte>(job, plan);
    }

    private static void Launch<TOp, TFrom, TTo>(Job job, in DeviceCopyPlan plan)
        where TOp : struct, IDeviceCast<TFrom, TTo>
        where TFrom : unmanaged
        where TTo : unmanaged
    {
        if (plan.Rank > DeviceWalk.MaxRank)
        {
            for (long i = 0; i < plan.Sizes[^1]; i++) Launch<TOp, TFrom, TTo>(job, plan.Inner(i));
            return;
        }

        GpuDevice device = job.Device;
        (long fromExtent, long toExtent) = plan.Extents;
        ArrayView<TFrom> from = job.Source.View<TFrom>(plan.FromLowest, DeviceGrid.Index(fromExtent));
        ArrayView<TTo> to = job.Target.View<TTo>(plan.ToStart, DeviceGrid.Index(toExtent));
        DeviceWalk walk = plan.Walk();
        device.LaunchCount++;
        Kernels<TOp, TFrom, TTo>.Convert(device)(device.Stream, DeviceGrid.For(device, walk.Count, DeviceGrid.PerThread), from, to, walk);
    }

    /// <summary>The device code, in the pattern of <see cref="DeviceCopyKernels.Strided"/>.</summary>
    public static void Convert<TOp, TFrom, TTo>(ArrayView<TFrom> source, ArrayView<TTo> target, DeviceWalk walk)
        where TOp : struct, IDeviceCast<TFrom, TTo>
        where TFrom : unmanaged
        where TTo : unmanaged
    {
        int step = Group.DimX;
        int i = (Grid.IdxX * DeviceGrid.PerThread * step) + Group.IdxX;
        if (i < walk.Count - (3 * step))
        {
            DevicePlaces a = DeviceWalk.At(walk, i), b = DeviceWalk.At(walk, i + step);
            DevicePlaces c = DeviceWalk.At(walk, i + (2 * step)), d = DeviceWalk.At(walk, i + (3 * step));
            TFrom first = source[a.From], second = source[b.From], third = source[c.From], fourth = source[d.From];
            target[a.To] = TOp.Convert(first);
            target[b.To] = TOp.Convert(second);
            target[c.To] = TOp.Convert(third);
            target[d.To] = TOp.Convert(fourth);
            return;
        }

        for (int left = walk.Count - i; left > 0; left -= step)
        {
            DevicePlaces a = DeviceWalk.At(walk, walk.Count - left);
            target[a.To] = TOp.Convert(source[a.From]);
        }
    }

    private readonly record struct Job(GpuDevice Device, DeviceBlock Source, DeviceBlock Target);

    private static class Kernels<TOp, TFrom, TTo>
        where TOp : struct, IDeviceCast<TFrom, TTo>
        where TFrom : unmanaged
        where TTo : unmanaged
    {
        private static readonly object s_convert = new();

        public static Action<AcceleratorStream, KernelConfig, ArrayView<TFrom>, ArrayView<TTo>, DeviceWalk> Convert(GpuDevice device) =>
            device.Kernel(s_convert, static accelerator =>
                accelerator.LoadKernel<ArrayView<TFrom>, ArrayView<TTo>, DeviceWalk>(DeviceCast.Convert<TOp, TFrom, TTo>));
    }
}
