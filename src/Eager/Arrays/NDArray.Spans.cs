using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Fusion.Kernels;

namespace Fusion;

// A span into native memory would not keep its owner alive; a managed array is kept alive by the span itself.
public sealed partial class NDArray
{
    // Bytes are rounded up to 64, and kernels read and write whole registers past the end.
    private const int HeapSlack = 64 + MemoryPool.Slack;

    // By the managed array that took its place: another thread may read the native memory still.
    private static readonly ConditionalWeakTable<byte[], object> s_former = [];

    // Of views. Nobody writes to shared storage in place, so the copy is good for as long as the view has that storage.
    private static readonly ConditionalWeakTable<NDArray, HeapCopy> s_copies = [];

    /// <summary>
    /// The elements in row-major order without a copy. The span stays valid however long it is kept; a later write to the array may or may not be
    /// seen through it. (Elements that lie in pooled native memory are copied to the managed heap the first time.) Any number of threads may ask, and read the array
    /// meanwhile.
    /// </summary>
    /// <exception cref="DTypeException"><typeparamref name="T"/> is not the element type.</exception>
    /// <exception cref="ShapeException">The array is a strided view: call <see cref="Copy"/> first. Or it has 2 GB and more: slice it, or use <see cref="ToArray{T}"/>.</exception>
    public ReadOnlySpan<T> AsSpan<T>()
    {
        BeginRead("AsSpan");
        Errors.CheckType<T>(this, "AsSpan");
        if (IsOnGpu) throw Errors.NotOnHost("AsSpan", this);
        if (!IsContiguous) throw new ShapeException($"AsSpan: the array {_shape} is a view with strides. Call Copy() first, or ToArray.");
        return HeapElements<T>(Size, "AsSpan");
    }

    /// <summary>So many elements from the first one on, as they lie in memory, in a managed array.</summary>
    private Span<T> HeapElements<T>(long count, string operation)
    {
        object storage = Storage;
        ref byte first = ref Unsafe.AddByteOffset(ref MemoryPool.Reference(storage), (nint)(_offset * _dtype.Size));
        if (storage is byte[]) return MemoryMarshal.CreateSpan(ref Unsafe.As<byte, T>(ref first), (int)count);
        if (s_copies.TryGetValue(this, out HeapCopy? known) && ReferenceEquals(known.Source, storage)) return Elements(known.Bytes);
        long bytes = HeapBytes(count, operation);
        byte[] copy = GC.AllocateUninitializedArray<byte>((int)bytes + HeapSlack);
        MemoryMarshal.CreateReadOnlySpan(ref first, (int)bytes).CopyTo(copy);
        GC.KeepAlive(storage);
        if (_offset == 0 && IsContiguous)
        {
            s_former.Add(copy, storage);
            Interlocked.CompareExchange(ref _storage, copy, storage);
        }
        else if (IsShared) s_copies.AddOrUpdate(this, new HeapCopy(storage, copy));
        return Elements(copy);
        Span<T> Elements(byte[] bytes) => MemoryMarshal.CreateSpan(ref Unsafe.As<byte, T>(ref MemoryMarshal.GetArrayDataReference(bytes)), (int)count);
    }

    /// <summary>For a write: nobody else uses the array meanwhile.</summary>
    private void MoveToManagedHeap(string operation)
    {
        if (_storage is byte[]) return;
        NDArray managed = new(GC.AllocateUninitializedArray<byte>((int)HeapBytes(Size, operation) + HeapSlack), _dtype, _shape);
        Movement.CopyTo(this, managed);
        object old = _storage!;
        bool release = !IsShared;
        _storage = managed._storage;
        _offset = 0;
        _strides = null;
        if (release) MemoryPool.Release(old);
    }

    private long HeapBytes(long count, string operation) => count * _dtype.Size is var bytes && bytes <= Array.MaxLength - HeapSlack
        ? bytes
        : throw new ShapeException($"{operation}: {count} elements, {bytes} bytes, cannot be moved to the managed heap. Slice the array first, or use ToArray.");

    private sealed record HeapCopy(object Source, byte[] Bytes);
}
