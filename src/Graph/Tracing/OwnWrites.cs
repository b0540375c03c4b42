using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// Arrays that a traced function has made itself, and written. It may have kept one (<c>state ??= Nd.Zeros(3)</c>): that is an array from outside then, whose value
/// lives from call to call. So the function is traced once more, as it is from its second call on.
/// </summary>
internal sealed class OwnWrites
{
    private readonly Dictionary<NDArray, GraphNode?> _made = new(ReferenceEqualityComparer.Instance);

    public bool IsEmpty => _made.Count == 0;

    /// <summary>An array is written.</summary>
    /// <param name="array">The array.</param>
    /// <param name="value">What it is before; null: it has elements.</param>
    public void Add(NDArray array, GraphNode? value) => _made.TryAdd(array, value);

    /// <summary>The function was given the array.</summary>
    public void Remove(NDArray array) => _made.Remove(array);

    /// <summary>They get their elements, as when they were made, if these do not depend on the call. Another array has no value after the trace, and says so where it is used.</summary>
    public void Settle(GpuDevice? device)
    {
        foreach ((NDArray array, GraphNode? value) in _made)
            if (array.IsSymbolic && value is not null) KeptValue.TryCompute(array, value, device);
    }
}
