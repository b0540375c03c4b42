using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Fusion.Kernels;

namespace Fusion;

public sealed partial class NDArray
{
    private static long s_moves;

    /// <summary>The value of an array with one element, of any rank.</summary>
    /// <exception cref="ShapeException">The array has no or several elements.</exception>
    /// <exception cref="DTypeException"><typeparamref name="T"/> is not the element type.</exception>
    public T Item<T>()
    {
        BeginRead("Item");
        Errors.CheckType<T>(this, "Item");
        if (Size != 1) throw new ShapeException($"Item: the array has the shape {_shape}, {Size} elements; Item reads exactly one. Index it or use ToArray.");
        if (IsOnGpu) return OnHost().Item<T>();
        T value = Unsafe.ReadUnaligned<T>(ref Data);
        GC.KeepAlive(this);
        return value;
    }

    /// <summary>The elements in row-major order, copied.</summary>
    /// <exception cref="DTypeException"><typeparamref name="T"/> is not the element type.</exception>
    public T[] ToArray<T>()
    {
        BeginRead("ToArray");
        Errors.CheckType<T>(this, "ToArray");
        if (Size > Array.MaxLength) throw new ShapeException($"ToArray: {Size} elements do not fit one .NET array. Slice the array first.");
        T[] result = new T[Size];
        NDArray source = OnHost().Contiguous();
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<byte, T>(ref source.Data), result.Length).CopyTo(result);
        GC.KeepAlive(source);
        return result;
    }

    /// <summary>Overwrites all elements, in row-major order.</summary>
    /// <exception cref="ShapeException">Another number of values than elements.</exception>
    /// <exception cref="DTypeException"><typeparamref name="T"/> is not the element type.</exception>
    public void CopyFrom<T>(ReadOnlySpan<T> values)
    {
        Errors.CheckType<T>(this, "CopyFrom");
        if (values.Length != Size) throw new ShapeException($"CopyFrom: {values.Length} values for the shape {_shape}, which has {Size} elements.");
        BeginWrite("CopyFrom", keepValue: false);
        CopyIn(values);
    }

    /// <summary>Overwrites all elements, in row-major order.</summary>
    public void CopyFrom<T>(T[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        CopyFrom((ReadOnlySpan<T>)values);
    }

    /// <summary>Sets every element to a value, converted to the element type.</summary>
    public void Fill(double value)
    {
        if (ExecutionState.Current.Tracer is not null)
        {
            TraceWrite("Fill", Nd.Full(_shape, value, _dtype));
            return;
        }

        BeginWrite("Fill", keepValue: false);
        Movement.Fill(this, value);
    }

    /// <summary>Overwrites this array with another one of the same shape, converted to this element type.</summary>
    /// <exception cref="ShapeException">Another shape that does not broadcast to this one.</exception>
    /// <exception cref="AutogradException">While recording: the source is part of the recorded graph, and its gradient would be lost; or this array is.</exception>
    public void Assign(NDArray source)
    {
        ArgumentNullException.ThrowIfNull(source);
        bool traced = ExecutionState.Current.Tracer is not null;
        if (!traced) source.ThrowIfUnusable("Assign");
        if (!Broadcasting.FitsInto(source.Shape, _shape))
            throw new ShapeException($"Assign: the source {source.Shape} does not broadcast to {_shape}.");
        if (ExecutionState.Current.Recording && source.Source is not null) throw Errors.GradientLostInWrite("Assign", source);
        if (traced)
        {
            TraceWrite("Assign", source);
            return;
        }

        if (!ReferenceEquals(source.Device, Device)) source = Movement.CopyToDevice(source, Accelerator);
        NDArray converted = source.DType == _dtype ? source : Movement.Cast(source, _dtype);
        // New memory would be without elements where the source is this array itself.
        BeginWrite("Assign", keepValue: ReferenceEquals(converted, this));
        Movement.CopyTo(converted, this);
    }

    /// <summary>A copy with its own storage; differentiable.</summary>
    public NDArray Copy() => OpTable.Copy.Apply(this);

    /// <summary>A copy of another element type; differentiable between floating-point types. Returns a copy also when the type is the same.</summary>
    public NDArray AsType(DType dtype) => dtype == _dtype ? Copy() : OpTable.Cast.Apply(this, dtype);

    /// <summary>The array on a device: itself when it is there already, else a copy; differentiable.</summary>
    /// <exception cref="OutOfMemoryException">The device has not enough memory.</exception>
    public NDArray To(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return ReferenceEquals(Device, device) ? this : OpTable.ToDevice.Apply(this, new DeviceAttributes(device, Device));
    }

    /// <summary>How many arrays have been moved to another device so far: while there are no more, every array is where it was.</summary>
    internal static long Moves => Volatile.Read(ref s_moves);

    /// <summary>Moves the elements, and those of the gradient buffer, to a device: the same array, elsewhere.</summary>
    internal void MoveTo(Device device)
    {
        BeginRead("To");
        if (!ReferenceEquals(Device, device))
        {
            Adopt(Movement.CopyToDevice(this, device.Accelerator), sourceDies: true);
            Interlocked.Increment(ref s_moves);
        }

        if (Grad is { } gradient && !ReferenceEquals(gradient.Device, device)) gradient.MoveTo(device);
    }

    /// <summary>The array itself, or a contiguous copy of one that an accelerator holds; not recorded.</summary>
    internal NDArray OnHost() => IsOnGpu ? Movement.CopyToDevice(this, null) : this;

    /// <summary>The element of a Float64 array of one element, also while a function is traced.</summary>
    internal double ScalarDouble()
    {
        double value = Unsafe.ReadUnaligned<double>(ref Data);
        GC.KeepAlive(this);
        return value;
    }

    /// <summary>Fills a contiguous array, unchecked.</summary>
    internal void CopyIn<T>(ReadOnlySpan<T> values)
    {
        if (_storage is DeviceBlock block)
        {
            const int part = 1 << 27; // of 8 bytes at most: a span of bytes reaches 2³¹
            for (int start = 0; start < values.Length; start += part)
                block.Device.Upload(AsBytes(values.Slice(start, Math.Min(part, values.Length - start))), block, (_offset + start) * _dtype.Size);
        }
        else values.CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.As<byte, T>(ref Data), values.Length));

        GC.KeepAlive(this);
        ExecutionState.Current.Tracer?.Created(this);
    }

    /// <summary>Some bytes of a contiguous array, which may be too long for one span.</summary>
    internal Span<byte> BytesAt(long start, long count) => MemoryMarshal.CreateSpan(ref Unsafe.AddByteOffset(ref Data, (nint)start), checked((int)count));

    /// <summary>The bytes of a contiguous array.</summary>
    /// <exception cref="ShapeException">They are more than one span reaches.</exception>
    internal Span<byte> Bytes => Size * _dtype.Size is var bytes && bytes <= int.MaxValue ? MemoryMarshal.CreateSpan(ref Data, (int)bytes) : throw Errors.TooManyBytes(this);

    /// <summary>Makes this array share the value of <paramref name="source"/> (same type); the storage is copied when either is written.</summary>
    internal void Adopt(NDArray source, bool sourceDies)
    {
        BeginWrite("Assign", keepValue: false, allocate: false);
        object? old = _storage;
        bool wasShared = IsShared;
        _storage = source.Storage;
        _offset = source._offset;
        _strides = source._strides;
        if (sourceDies && !source.IsShared)
        {
            _flags &= ~Flags.Shared;
            source._storage = null;
        }
        else
        {
            _flags |= Flags.Shared;
            source._flags |= Flags.Shared;
        }

        if (!wasShared && old is not null && !ReferenceEquals(old, _storage) && old is not SymbolicValue) Release(old);
    }

    internal void BeginRead(string operation)
    {
        if (ExecutionState.Current.Tracer is { } tracer) throw tracer.ValueRead(operation);
        ThrowIfUnusable(operation);
    }

    /// <summary>As <see cref="BeginRead"/>; while a function is traced, arrays that it captures may be read, too.</summary>
    internal void BeginConstantRead(string operation)
    {
        if (ExecutionState.Current.Tracer is { } tracer && !tracer.Freeze(this)) throw tracer.ValueRead(operation);
        ThrowIfUnusable(operation);
    }

    /// <summary>
    /// Everything that must hold before elements are overwritten: permission, a new version, storage of its own. A write of the library itself, such as an
    /// optimizer's, is remembered by its name; a user's by its line, which costs a stack trace.
    /// </summary>
    internal void BeginWrite(string operation, bool keepValue, bool allocate = true, bool fromLibrary = false)
    {
        ExecutionState state = ExecutionState.Current;
        if (state.Tracer is { } tracer) throw tracer.SideEffect(operation);
        ThrowIfUnusable(operation);
        if (state.Recording && _source is not null) throw Errors.InPlaceWhileRecording(operation, this);
        if (_saveCount > 0) InPlaceWrites.Remember(this, operation, fromLibrary);
        _version++;
        if (!allocate || (!IsShared && IsContiguous)) return;
        NDArray fresh = Allocate(_dtype, _shape, Accelerator);
        if (keepValue) Movement.CopyTo(this, fresh);
        _storage = fresh.Storage;
        _offset = 0;
        _strides = null;
        _flags &= ~Flags.Shared;
    }

    /// <summary>A write while a function is traced: from here on the array has another value, broadcast and converted to its type.</summary>
    internal void TraceWrite(string operation, NDArray value)
    {
        ExecutionState state = ExecutionState.Current;
        if (_storage is null) throw Errors.Disposed(operation);
        if (state.Recording && _source is not null) throw Errors.InPlaceWhileRecording(operation, this);
        using (Autograd.Pause(state.Training)) value = Nd.BroadcastTo(Elements.To(value, _dtype), _shape);
        state.Tracer!.Write(this, value);
        Version++;
    }

    /// <summary>Takes storage that a plan has filled; returns the former one if nobody else can have it.</summary>
    internal object? Exchange(object storage)
    {
        object? former = IsShared || _offset != 0 || !IsContiguous ? null : _storage;
        _storage = storage;
        _offset = 0;
        _strides = null;
        _flags &= ~Flags.Shared;
        return former;
    }

    /// <summary>A plan has made the effect of so many writes.</summary>
    internal void CountWrites(int count)
    {
        if (_saveCount > 0) InPlaceWrites.Remember(this, "a compiled function", fromLibrary: true);
        Version += count;
    }

    private static Span<byte> AsBytes<T>(ReadOnlySpan<T> values) =>
        MemoryMarshal.CreateSpan(ref Unsafe.As<T, byte>(ref MemoryMarshal.GetReference(values)), checked(values.Length * Unsafe.SizeOf<T>()));
}
