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
        if (source.Size == 0) return;
        if (target.IsOnGpu || source.IsOnGpu || !source.Shape.Dimensions.SequenceEqual(slice.Counts.Span))
        {
            CopyTo(source, Views.Slice(new NDArray(target.Storage, target.DType, target.Shape, target.Offset), slice));
            return;
        }

        int rank = target.Rank;
        long* from = stackalloc long[Math.Max(1, rank)], to = stackalloc long[Math.Max(1, rank)];
        source.CopyStrides(new Span<long>(from, rank));
        fixed (byte* data = &source.Data, result = &target.Data)
            Fusion.Kernels.Copy.Run((nint)data, from, (nint)result + Window(target, slice, to), to, slice.Counts.Span, target.DType.Size);
        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }

    /// <summary>Sets the elements of a contiguous array, of the processor, that are at the slice's place.</summary>
    public static void FillInside(NDArray target, SliceAttributes place, double value)
    {
        long* strides = stackalloc long[Math.Max(1, target.Rank)];
        fixed (byte* data = &target.Data)
            Fusion.Kernels.Copy.Fill((nint)data + Window(target, place, strides), strides, place.Counts.Span, target.DType, value);
        GC.KeepAlive(target);
    }

    // The first byte and the strides of a part that is not empty.
    private static nint Window(NDArray target, SliceAttributes slice, long* strides)
    {
        target.CopyStrides(new Span<long>(strides, target.Rank));
        long first = 0;
        for (int i = 0; i < target.Rank; i++)
        {
            first += slice.Starts[i] * strides[i];
            strides[i] *= slice.Steps[i];
        }

        return (nint)(first * target.DType.Size);
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

    /// <summary>Computes a result of operators, which no tape sees.</summary>
    public static void Compose(NDArray result, Func<NDArray> compute)
    {
        using (Autograd.Pause(Autograd.IsTraining)) CopyTo(compute(), result);
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

    /// <summary>The operands themselves, or with copies of those that the processor holds.</summary>
    public static ReadOnlySpan<NDArray> OnDevice(ReadOnlySpan<NDArray> operands, GpuDevice device)
    {
        NDArray[]? moved = null;
        for (int i = 0; i < operands.Length; i++)
            if (!operands[i].IsOnGpu) (moved ??= operands.ToArray())[i] = CopyToDevice(operands[i], device);
        return moved ?? operands;
    }

    /// <summary>Elements move along an axis by <paramref name="shift"/>, 0 to its size; what leaves the end enters at the start.</summary>
    public static void Roll(NDArray source, int axis, int shift, NDArray target)
    {
        int n = source.Shape.Dimensions[axis];
        Move(0, shift, n - shift);
        Move(n - shift, 0, shift);

        void Move(int from, int to, int count)
        {
            if (count > 0) CopyIntoView(Views.Slice(source, Part(from, count)), target, Part(to, count));
        }

        SliceAttributes Part(int start, int count)
        {
            int[] starts = new int[source.Rank], counts = source.Shape.ToArray(), steps = new int[source.Rank];
            Array.Fill(steps, 1);
            (starts[axis], counts[axis]) = (start, count);
            return new SliceAttributes(new IntList(starts), new IntList(counts), new IntList(steps), source.Shape);
        }
    }
}
