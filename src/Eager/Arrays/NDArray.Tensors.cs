using System.Numerics.Tensors;

namespace Fusion;

public sealed partial class NDArray
{
    /// <summary>
    /// The elements for <see cref="Tensor"/>'s functions, without a copy: transposes, slices and broadcasts are spans with strides. An array that runs
    /// backwards (<see cref="Nd.Flip"/>) is copied, for spans have no negative strides. Lifetime and later writes as for <see cref="AsSpan"/>.
    /// An array of rank 0 becomes a span of one element.
    /// </summary>
    /// <exception cref="DTypeException"><typeparamref name="T"/> is not the element type.</exception>
    public ReadOnlyTensorSpan<T> AsReadOnlyTensorSpan<T>()
    {
        BeginRead("AsReadOnlyTensorSpan");
        Errors.CheckType<T>(this, "AsReadOnlyTensorSpan");
        if (IsOnGpu) throw Errors.NotOnHost("AsReadOnlyTensorSpan", this);
        NDArray source = _strides is not null && _strides.AsSpan().ContainsAnyInRange(long.MinValue, -1) ? Contiguous() : this;
        Span<nint> layout = stackalloc nint[2 * Math.Max(1, Rank)];
        Span<T> elements = source.HeapElements<T>(source.TensorLayout(layout), "AsReadOnlyTensorSpan");
        return new ReadOnlyTensorSpan<T>(elements, layout[..(layout.Length / 2)], layout[(layout.Length / 2)..]);
    }

    /// <summary>
    /// The elements to be overwritten by <see cref="Tensor"/>'s functions, without a copy. Asking for the span counts as a write in place: the array gets
    /// storage of its own and a new version. The span is for that one write: ask for a new one once the array has been used otherwise, since arrays that share
    /// its storage since then would see the write.
    /// </summary>
    /// <exception cref="DTypeException"><typeparamref name="T"/> is not the element type.</exception>
    /// <exception cref="ShapeException">The array has 2 GB and more: slice it first.</exception>
    /// <exception cref="AutogradException">While recording: the array is part of the recorded graph.</exception>
    public TensorSpan<T> AsTensorSpan<T>()
    {
        Errors.CheckType<T>(this, "AsTensorSpan");
        if (IsOnGpu) throw Errors.NotOnHost("AsTensorSpan", this);
        _ = HeapBytes(Size, "AsTensorSpan");
        BeginWrite("AsTensorSpan", keepValue: true);
        MoveToManagedHeap("AsTensorSpan");
        Span<nint> layout = stackalloc nint[2 * Math.Max(1, Rank)];
        Span<T> elements = HeapElements<T>(TensorLayout(layout), "AsTensorSpan");
        return new TensorSpan<T>(elements, layout[..(layout.Length / 2)], layout[(layout.Length / 2)..]);
    }

    // How many elements lie from the first one to the last one in memory, with the lengths and then the strides of the axes; a single axis of one element stands for
    // rank 0. Axes of one element have stride 0, as tensors want it.
    private long TensorLayout(scoped Span<nint> layout)
    {
        int rank = Math.Max(1, Rank);
        Span<long> own = stackalloc long[rank];
        CopyStrides(own);
        long extent = Size == 0 ? 0 : 1;
        for (int i = 0; i < rank; i++)
        {
            int length = Rank == 0 ? 1 : _shape.Dimensions[i];
            layout[i] = length;
            layout[rank + i] = length <= 1 || Size == 0 ? 0 : checked((nint)own[i]);
            if (Size > 0) extent += (length - 1) * own[i];
        }

        return extent <= int.MaxValue ? extent : throw new ShapeException($"AsTensorSpan: the elements of the view {_shape} lie too far apart for one span. Call Copy() first.");
    }
}
