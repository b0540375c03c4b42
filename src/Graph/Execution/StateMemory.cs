using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// The arrays that a running plan writes in place. Until <see cref="Commit"/>, which cannot fail, they keep their values; only what is planned as direct is
/// written where it is, by the last launches.
/// </summary>
internal sealed class StateMemory
{
    private readonly GpuDevice? _device;
    private readonly StatePlace[] _places;
    private readonly NDArray[] _arrays;
    private readonly object?[] _spares;
    private readonly NDArray[] _values;
    private readonly NDArray[] _copies;

    /// <param name="device">Where the plan runs.</param>
    /// <param name="places">The plan's decisions.</param>
    /// <param name="values">The handle of each state's value.</param>
    public StateMemory(GpuDevice? device, StatePlace[] places, NDArray[] values)
    {
        _device = device;
        _places = places;
        _values = values;
        _arrays = new NDArray[places.Length];
        _spares = new object?[places.Length];
        _copies = Array.ConvertAll(places, static p => new NDArray(Array.Empty<byte>(), p.Write.Value.DType, p.Write.Value.Shape));
    }

    /// <summary>Looks up the arrays of this call.</summary>
    public void Begin(ReadOnlySpan<NDArray?> arguments)
    {
        for (int k = 0; k < _places.Length; k++)
        {
            _arrays[k] = _places[k].Write.Target(arguments);
            _arrays[k].ThrowIfUnusable("Hybridize");
        }
    }

    /// <summary>Where the new value of state <paramref name="k"/> is computed: in the array, if nobody shares its memory and the plan says so.</summary>
    public (object Storage, long Offset) Memory(int k)
    {
        NDArray array = _arrays[k];
        if (_places[k].Direct && !array.IsShared && array.IsContiguous) return (array.Storage, array.Offset);
        return (Spare(k), 0);
    }

    /// <summary>Copies the values that no launch has written to their place.</summary>
    public void Stage()
    {
        for (int k = 0; k < _places.Length; k++)
        {
            if (_places[k].Owned is not null) continue;
            _copies[k].Rebind(Spare(k), 0);
            Movement.CopyTo(_values[k], _copies[k]);
        }
    }

    /// <summary>Gives the arrays their new values.</summary>
    public void Commit()
    {
        for (int k = 0; k < _places.Length; k++)
        {
            NDArray array = _arrays[k];
            object storage = _places[k].Owned is null ? _copies[k].Storage : _values[k].Storage;
            if (!ReferenceEquals(storage, array.Storage)) _spares[k] = array.Exchange(storage);
            array.CountWrites(_places[k].Write.Count);
        }
    }

    /// <summary>Lets go of the caller's arrays.</summary>
    public void End() => Array.Clear(_arrays);

    private object Spare(int k)
    {
        long bytes = _copies[k].Size * _copies[k].DType.Size;
        return _spares[k] ??= _device is null ? MemoryPool.Allocate(bytes) : new DeviceBlock(_device, bytes);
    }
}
