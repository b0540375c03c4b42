using Fusion.Kernels;

namespace Fusion;

/// <summary>Copies to, from and within the memory of accelerators.</summary>
internal static class DeviceMovement
{
    /// <summary>Overwrites <paramref name="target"/> with <paramref name="source"/>, which broadcasts to it; same type, any strides, any places.</summary>
    /// <exception cref="DeviceException">The device has failed.</exception>
    public static void CopyTo(NDArray source, NDArray target)
    {
        GpuDevice device = (target.Storage as DeviceBlock ?? (DeviceBlock)source.Storage).Device;
        try
        {
            Copy(source, target);
        }
        catch (Exception e) when (DeviceFailures.Of(e, device) is { } failure)
        {
            throw failure;
        }
    }

    private static void Copy(NDArray source, NDArray target)
    {
        if (target.Storage is DeviceBlock to && source.Storage is DeviceBlock from && ReferenceEquals(from.Device, to.Device))
        {
            Span<long> read = stackalloc long[target.Rank], written = stackalloc long[target.Rank], own = stackalloc long[source.Rank];
            source.CopyStrides(own);
            Broadcasting.Strides(own, source.Shape, target.Shape, read);
            target.CopyStrides(written);
            DeviceCopy.Run(to.Device, from, source.Offset, read, to, target.Offset, written, target.Shape.Dimensions, target.DType.Size);
            GC.KeepAlive(source);
            GC.KeepAlive(target);
        }
        else if (source.IsOnGpu)
        {
            Download(source, target);
        }
        else
        {
            Upload(source, target);
        }
    }

    /// <summary>Converts a contiguous array.</summary>
    public static void CastTo(NDArray source, DeviceBlock to, NDArray target)
    {
        if (source.Storage is not DeviceBlock from) source = Movement.CopyToDevice(source, to.Device);
        from = (DeviceBlock)source.Storage;
        DeviceCast.Run(to.Device, source.DType, target.DType, from, source.Offset, to, target.Offset, source.Size);
        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }

    // What crosses is contiguous and not yet stretched; strides and broadcasting of the target are resolved where the target is.
    private static void Upload(NDArray source, NDArray target)
    {
        bool direct = target.IsContiguous && source.Shape == target.Shape;
        NDArray dense = source.Contiguous();
        NDArray landed = direct ? target : NDArray.Allocate(source.DType, source.Shape, target.Accelerator);
        DeviceBlock block = (DeviceBlock)landed.Storage;
        for (long at = 0, bytes = dense.Size * dense.DType.Size; at < bytes; at += 1 << 30)
            block.Device.Upload(dense.BytesAt(at, Math.Min(bytes - at, 1 << 30)), block, landed.Offset * landed.DType.Size + at);
        GC.KeepAlive(dense);
        if (!direct) Movement.CopyTo(landed, target);
    }

    private static void Download(NDArray source, NDArray target)
    {
        DeviceIndexFaults.Of(source.Accelerator!).ThrowIfAny();
        NDArray dense = source.Contiguous();
        bool direct = target.HasData && target.IsContiguous && source.Shape == target.Shape;
        NDArray landed = direct ? target : NDArray.Allocate(source.DType, source.Shape);
        DeviceBlock block = (DeviceBlock)dense.Storage;
        for (long at = 0, bytes = dense.Size * dense.DType.Size; at < bytes; at += 1 << 30)
            block.Device.Download(block, dense.Offset * dense.DType.Size + at, landed.BytesAt(at, Math.Min(bytes - at, 1 << 30)));
        GC.KeepAlive(dense);
        GC.KeepAlive(landed);
        if (!direct) Movement.CopyTo(landed, target);
    }
}
