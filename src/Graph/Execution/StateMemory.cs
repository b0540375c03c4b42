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
    /// <param name="bound">The handle of what a launch writes.</param>
    /// <param name="values">The handle of any value.</param>
    public StateMemory(GpuDevice? device, StatePlace[] places, Func<GraphNode, BoundHandle> bound, Func<GraphNode, NDArray> values)
    {
        _device = device;
        _owned = [.. places.Where(static p => p.Owned is not null).Select(p => new Owned(p.Write, p.Direct, bound(p.Owned!)))];
        _copied = [.. places.Where(static p => p.Owned is null).Select(p => new Copied(p.Write, values(p.Write.Value), new NDArray(Array.Empty<byte>(), p.Write.Value.DType, p.Write.Value.Shape)))];
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
            state.IsInPlace = state.IsDirect && !array.IsShared && array.IsContiguous;
            if (state.IsInPlace) state.Value.Point(array.Storage, array.Offset);
            else state.Value.Point(state.Spare ??= Allocate(state.Write), 0);
        }

        foreach (ref Copied state in _copied.AsSpan()) state.Array = Target(state.Write, arguments);
    }

    /// <summary>Copies the values that no launch has written to their place.</summary>
    public void Stage()
    {
        foreach (ref Copied state in _copied.AsSpan())
        {
            state.Copy.Rebind(state.Spare ??= Allocate(state.Write), 0);
            Movement.CopyTo(state.Value, state.Copy);
        }
    }

    /// <summary>Gives the arrays their new values.</summary>
    public void Commit()
    {
        foreach (ref Owned state in _owned.AsSpan())
        {
            if (!state.IsInPlace) state.Spare = state.Array!.Exchange(state.Spare!);
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
            state.Array = null;
            state.Value.Release();
        }

        foreach (ref Copied state in _copied.AsSpan()) state.Array = null;
    }

    private static NDArray Target(StateWrite write, ReadOnlySpan<NDArray?> arguments)
    {
        NDArray array = write.Target(arguments);
        array.ThrowIfUnusable("Hybridize");
        return array;
    }

    private object Allocate(StateWrite write)
    {
        long bytes = write.Value.Shape.Size * write.Value.DType.Size;
        return _device is null ? MemoryPool.Allocate(bytes) : new DeviceBlock(_device, bytes);
    }

    /// <summary>A launch computes the new value where the array will have it.</summary>
    private struct Owned(StateWrite write, bool isDirect, BoundHandle value)
    {
        public readonly StateWrite Write = write;
        public readonly bool IsDirect = isDirect;
        public readonly BoundHandle Value = value;
        public NDArray? Array;
        public bool IsInPlace;
        public object? Spare;
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
