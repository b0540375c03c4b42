using Fusion.Kernels;

namespace Fusion;

/// <summary>Copies between arrays of any strides. Not recorded: the rows above it are.</summary>
internal static unsafe class Movement
{
    /// <summary>Overwrites <paramref name="target"/> (any strides) with <paramref name="source"/>, which broadcasts to it; same type.</summary>
    public static void CopyTo(NDArray source, NDArray target)
    {
        if (target.Size == 0) return;
        if (target.IsOnGpu || source.IsOnGpu)
        {
            DeviceMovement.CopyTo(source, target);
            return;
        }

        int rank = target.Rank;
        long* from = stackalloc long[Math.Max(1, rank)];
        long* to = stackalloc long[Math.Max(1, rank)];
        Span<long> own = stackalloc long[Math.Max(1, source.Rank)];
        source.CopyStrides(own);
        Broadcasting.Strides(own, source.Shape, target.Shape, new Span<long>(from, rank));
        target.CopyStrides(new Span<long>(to, rank));
        fixed (byte* src = &source.Data, dst = &target.Data)
            Fusion.Kernels.Copy.Run((nint)src, from, (nint)dst, to, target.Shape.Dimensions, target.DType.Size);
        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }

    /// <summary>Writes into a part of <paramref name="target"/>, which must be contiguous and unshared.</summary>
    public static void CopyIntoView(NDArray source, NDArray target, SliceAttributes slice)
    {
        NDArray window = Views.Slice(new NDArray(target.Storage, target.DType, target.Shape, target.Offset), slice);
        CopyTo(source, window);
    }

    /// <summary>Sets every element of a contiguous array.</summary>
    public static void Fill(NDArray target, double value)
    {
        if (target.Size == 0) return;
        if (target.Storage is DeviceBlock block)
        {
            DeviceFill.Run(block.Device, block, target.Offset, target.Size, target.DType, value);
            return;
        }

        fixed (byte* to = &target.Data) Fusion.Kernels.Copy.Fill((nint)to, target.Size, target.DType, value);
        GC.KeepAlive(target);
    }

    /// <summary>A converted copy.</summary>
    public static NDArray Cast(NDArray source, DType dtype)
    {
        NDArray result = NDArray.Allocate(dtype, source.Shape, source.Accelerator);
        CastTo(source, result);
        return result;
    }

    public static void CastTo(NDArray source, NDArray target)
    {
        source = source.Contiguous();
        if (target.Storage is DeviceBlock to)
        {
            DeviceMovement.CastTo(source, to, target);
            return;
        }

        fixed (byte* from = &source.Data, result = &target.Data)
            Fusion.Kernels.Cast.Run(source.DType, target.DType, (nint)from, (nint)result, source.Size);
        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }

    /// <summary>A contiguous copy in the memory of a device; null: of the processor.</summary>
    public static NDArray CopyToDevice(NDArray source, GpuDevice? device)
    {
        NDArray result = NDArray.Allocate(source.DType, source.Shape, device);
        CopyTo(source, result);
        return result;
    }

    public static void Concat(ReadOnlySpan<NDArray> inputs, int axis, NDArray output)
    {
        int[] starts = new int[output.Rank];
        int[] steps = new int[output.Rank];
        Array.Fill(steps, 1);
        foreach (NDArray input in inputs)
        {
            if (input.Size > 0)
                CopyIntoView(input, output, new SliceAttributes(new IntList(starts), new IntList(input.Shape.ToArray()), new IntList(steps), output.Shape));
            starts = [.. starts];
            starts[axis] += input.Shape.Dimensions[axis];
        }
    }
}
