using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// The arrays that a running plan writes in place. Until <see cref="Commit"/>, which cannot fail, they keep their values; only what is planned as direct is
/// written where it is, by the last launches.
/// </summary>
internal sealed class StateMemory
{
    private readonly GpuDevice? _device;
    private readonly Owned[] _owned;
    private readonly Copied[] _copied;

    /// <param name="device">Where the plan runs.</param>
    /// <param name="places">The plan's decisions.</param>
    /// <param name="handles">The arrays of the plan's values.</param>
    public StateMemory(GpuDevice? device, StatePlace[] places, PlanHandles handles)
    {
        _device = device;
        _owned = [.. places.Where(static p => p.Owned is not null).Select(p => new Owned(p.Write, p.Direct, handles.Bound(p.Owned!), handles.Replace(p.Owned!, p.Direct ? p.Write.Array : null)))];
        _copied = [.. places.Where(static p => p.Owned is null).Select(p => new Copied(p.Write, handles[p.Write.Value], new NDArray(Array.Empty<byte>(), p.Write.Value.DType, p.Write.Value.Shape)))];
    }

    /// <summary>
    /// Looks up the arrays of this call, and decides where their new values are computed: in the array, if nobody shares its memory and the plan says so, else in
    /// spare memory.
    /// </summary>
    public void Begin(ReadOnlySpan<NDArray?> arguments)
    {
        foreach (ref Owned state in _owned.AsSpan())
        {
            NDArray array = Target(state.Write, arguments);
            state.Array = array;
            state.IsElsewhere = !ReferenceEquals(array.Accelerator, _device);
            state.IsInPlace = state.IsDirect && !state.IsElsewhere && !array.IsShared && array.IsContiguous;
            if (!state.IsInPlace) state.Point(state.Spare ??= Allocate(state.Write, _device), 0);
            else if (state.IsHandle) state.Point(array.Storage, array.Offset);
        }

        foreach (ref Copied state in _copied.AsSpan()) state.Array = Target(state.Write, arguments);
    }

    /// <summary>Copies the values that no launch has written to their place: also those of the processor's arrays that a device has computed.</summary>
    public void Stage()
    {
        foreach (ref Owned state in _owned.AsSpan())
        {
            if (!state.IsElsewhere) continue;
            TensorType type = state.Write.Value.Type;
            NDArray there = new(state.Spare!, type.DType, type.Shape), here = new(state.Arrived ??= Allocate(state.Write, state.Array!.Accelerator), type.DType, type.Shape);
            Movement.CopyTo(there, here);
        }

        foreach (ref Copied state in _copied.AsSpan())
        {
            state.Copy.Rebind(state.Spare ??= Allocate(state.Write, state.Array!.Accelerator), 0);
            Movement.CopyTo(state.Value, state.Copy);
        }
    }

    /// <summary>Gives the arrays their new values.</summary>
    public void Commit()
    {
        foreach (ref Owned state in _owned.AsSpan())
        {
            if (state.IsElsewhere) state.Arrived = state.Array!.Exchange(state.Arrived!);
            else if (!state.IsInPlace) state.Spare = state.Array!.Exchange(state.Spare!);
            state.Array!.CountWrites(state.Write.Count);
        }

        foreach (ref Copied state in _copied.AsSpan())
        {
            state.Spare = state.Array!.Exchange(state.Spare!);
            state.Array!.CountWrites(state.Write.Count);
        }
    }

    /// <summary>Lets go of the caller's arrays.</summary>
    public void End()
    {
        foreach (ref Owned state in _owned.AsSpan())
        {
            if (state.IsHandle || !state.IsInPlace) state.Release();
            state.Array = null;
        }

        foreach (ref Copied state in _copied.AsSpan()) state.Array = null;
    }

    private static NDArray Target(StateWrite write, ReadOnlySpan<NDArray?> arguments)
    {
        NDArray array = write.Target(arguments);
        array.ThrowIfUnusable("Hybridize");
        return array;
    }

    private static object Allocate(StateWrite write, GpuDevice? device)
    {
        long bytes = write.Value.Shape.Size * write.Value.DType.Size;
        return device is null ? MemoryPool.Allocate(bytes) : new DeviceBlock(device, bytes);
    }

    /// <summary>A launch computes the new value where the array will have it.</summary>
    private struct Owned(StateWrite write, bool isDirect, BoundHandle value, OperandPlaces operands)
    {
        private readonly BoundHandle _value = value;
        private readonly OperandPlaces _operands = operands;
        public readonly StateWrite Write = write;
        public readonly bool IsDirect = isDirect;

        /// <summary>The launches write through a handle; otherwise to the array itself.</summary>
        public readonly bool IsHandle = operands.IsEmpty;
        public NDArray? Array;
        public bool IsInPlace;
        public object? Spare;

        /// <summary>The array is not where the plan runs: a number of the processor, written by a device.</summary>
        public bool IsElsewhere;

        /// <summary>Memory where such an array is.</summary>
        public object? Arrived;

        public readonly void Point(object storage, long offset)
        {
            _value.Point(storage, offset);
            if (!IsHandle) _operands.Set(_value.Handle);
        }

        public readonly void Release()
        {
            _value.Release();
            if (!IsHandle) _operands.Set(Write.Array!);
        }
    }

    /// <summary>The new value is copied after the last launch.</summary>
    private struct Copied(StateWrite write, NDArray value, NDArray copy)
    {
        public readonly StateWrite Write = write;
        public readonly NDArray Value = value;
        public readonly NDArray Copy = copy;
        public NDArray? Array;
        public object? Spare;
    }
}
