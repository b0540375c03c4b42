using System.Diagnostics;
using System.Runtime.CompilerServices;
using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// An n-dimensional array of one element type. Arrays are values: views share storage until one of them is written, and nobody sees the other's
/// writes. Memory is given back when the array is garbage; <see cref="Dispose"/> exists for early release and is never needed.
/// </summary>
[DebuggerDisplay("{DebuggerText,nq}")]
[DebuggerTypeProxy(typeof(NDArrayDebugView))]
public sealed partial class NDArray : IDisposable
{
    // byte[] (small), NativeBlock (large), DeviceBlock (of an accelerator), SymbolicValue (traced) or null (disposed).
    private object? _storage;
    private long _offset;
    private long[]? _strides;
    private readonly Shape _shape;
    private readonly DType _dtype;
    private Flags _flags;
    private int _version;
    private int _saveCount;

    // Where the value came from: a Variable (marked leaf), a TapeNode (output _tapeIndex of a recorded operator) or null.
    private object? _source;
    private int _sourceIndex;

    internal NDArray(object storage, DType dtype, Shape shape, long offset = 0, long[]? strides = null)
    {
        _storage = storage;
        _dtype = dtype;
        _shape = shape;
        _offset = offset;
        _strides = strides;
    }

    [Flags]
    private enum Flags : byte
    {
        None = 0,

        /// <summary>Another array may use the same storage: copy before writing.</summary>
        Shared = 1,

        /// <summary>A cached scalar operand of the library: never written, never released.</summary>
        Constant = 2,

        /// <summary>Made by <see cref="Detach"/>.</summary>
        Detached = 4,

        /// <summary>Computed while recording from inputs none of which requires a gradient.</summary>
        RecordedWithoutGradient = 8,

        /// <summary>A leaf that is to have no gradient: <see cref="DropGrad"/> was called.</summary>
        Frozen = 16,
    }

    /// <summary>The sizes of the axes.</summary>
    public Shape Shape => _shape;

    /// <summary>The number of axes.</summary>
    public int Rank => _shape.Rank;

    /// <summary>The number of elements.</summary>
    public long Size => _shape.Size;

    /// <summary>The element type.</summary>
    public DType DType => _dtype;

    /// <summary>Where the elements are.</summary>
    public Device Device => _storage switch
    {
        DeviceBlock block => Fusion.Device.Of(block.Device),
        SymbolicValue => ExecutionState.Current.Tracer?.Device ?? Fusion.Device.Cpu,
        _ => Fusion.Device.Cpu,
    };

    internal TensorType Type => new(_dtype, _shape);

    /// <summary>Row-major without gaps (the offset may be anything).</summary>
    internal bool IsContiguous => _strides is null;

    /// <summary>Elements are repeated along an axis.</summary>
    internal bool IsStretched => _strides is not null && _strides.AsSpan().Contains(0);

    internal bool IsDisposed => _storage is null;

    /// <summary>The elements are in the memory of the processor.</summary>
    internal bool HasData => _storage is byte[] or NativeBlock;

    /// <summary>The elements are in the memory of an accelerator.</summary>
    internal bool IsOnGpu => _storage is DeviceBlock;

    /// <summary>The accelerator that holds the elements, or null.</summary>
    internal GpuDevice? Accelerator => (_storage as DeviceBlock)?.Device;

    internal bool IsSymbolic => _storage is SymbolicValue;

    internal SymbolicValue? Symbol => _storage as SymbolicValue;

    internal bool IsConstant => (_flags & Flags.Constant) != 0;

    internal bool IsShared => (_flags & Flags.Shared) != 0;

    internal object Storage => _storage ?? throw Errors.Disposed();

    internal long Offset => _offset;

    /// <summary>Counts the writes in place, so that backward notices that a saved array was overwritten.</summary>
    internal int Version { get => _version; set => _version = value; }

    /// <summary>Strides in elements, also for contiguous arrays (then computed).</summary>
    internal void CopyStrides(Span<long> strides)
    {
        if (_strides is not null)
        {
            _strides.CopyTo(strides);
            return;
        }

        long stride = 1;
        for (int i = Rank - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride *= _shape.Dimensions[i];
        }
    }

    /// <summary>The first byte of the first element. Pin it (<c>fixed</c>) and keep the array alive while a kernel runs.</summary>
    internal ref byte Data
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref Unsafe.AddByteOffset(ref MemoryPool.Reference(_storage!), (nint)(_offset * _dtype.Size));
    }

    /// <summary>A new array with undefined elements.</summary>
    /// <exception cref="OutOfMemoryException">The memory is not to be had; the message names type, shape and bytes.</exception>
    internal static NDArray Allocate(DType dtype, Shape shape, GpuDevice? device = null)
    {
        long bytes = ByteCount(DTypes.Checked(dtype), shape);
        if (device is not null && shape.Size > int.MaxValue) throw Errors.TooManyForDevice(device, shape);
        try
        {
            return new NDArray(device is null ? MemoryPool.Allocate(bytes) : new DeviceBlock(device, bytes), dtype, shape);
        }
        catch (OutOfMemoryException error)
        {
            throw Errors.TooLarge(shape, dtype, error);
        }
    }

    internal static NDArray Symbolic(SymbolicValue symbol, TensorType type) => new(symbol, type.DType, type.Shape);

    /// <summary>Other shape, offset or strides over the same storage. Both arrays copy before they are written.</summary>
    internal NDArray View(Shape shape, long offset, long[]? strides)
    {
        _flags |= Flags.Shared;
        return new NDArray(Storage, _dtype, shape, offset, strides) { _flags = Flags.Shared };
    }

    /// <summary>This array if it is contiguous, else a contiguous copy (not recorded).</summary>
    internal NDArray Contiguous()
    {
        if (_strides is null) return this;
        NDArray copy = Temporary(_dtype, _shape);
        Movement.CopyTo(this, copy);
        return copy;
    }

    /// <summary>A contiguous array on the same device with undefined elements, for the length of a kernel's call.</summary>
    internal NDArray Temporary(DType dtype, Shape shape) =>
        (IsOnGpu ? null : ExecutionState.Current.Scratch?.Take(dtype, shape)) ?? Allocate(dtype, shape, Accelerator);

    internal NDArray AsConstant()
    {
        _flags |= Flags.Constant;
        return this;
    }

    /// <summary>Points this handle to other storage: how a compiled plan binds its buffers, without allocating.</summary>
    internal void Rebind(object storage, long offset)
    {
        _storage = storage;
        _offset = offset;
    }

    /// <summary>Gives the storage back at once when nobody else can have it. For values that the library itself knows to be dead.</summary>
    internal void ReleaseIfUnshared()
    {
        if ((_flags & (Flags.Shared | Flags.Constant)) != 0 || _saveCount > 0 || _storage is not { } storage || storage is SymbolicValue) return;
        _storage = null;
        Release(storage);
    }

    /// <summary>
    /// Gives the memory back now instead of when the array is garbage. Afterwards the array can only be asked for its shape and type.
    /// Never needed. Views of the array stay valid.
    /// </summary>
    public void Dispose()
    {
        object? storage = _storage;
        if (storage is null || IsConstant) return;
        _storage = null;
        _source = null;
        if (!IsShared && storage is not SymbolicValue) Release(storage);
        GC.SuppressFinalize(this);
    }

    internal void ThrowIfUnusable(string operation)
    {
        if (_storage is null) throw Errors.Disposed(operation);
        if (_storage is SymbolicValue) throw Errors.SymbolicOutsideTrace(operation);
    }

    private static void Release(object storage)
    {
        if (storage is DeviceBlock block) block.Release();
        else MemoryPool.Release(storage);
    }

    private static long ByteCount(DType dtype, Shape shape)
    {
        Int128 bytes = (Int128)shape.Size * dtype.Size;
        return bytes <= long.MaxValue / 2 ? (long)bytes : throw Errors.TooLarge(shape, dtype, null);
    }
}
