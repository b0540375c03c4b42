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

    /// <summary>
    /// What was made of one number gets its elements, as when it was made. Another array has no value after the trace, and says so where it is used.
    /// </summary>
    public void Settle(GpuDevice? device)
    {
        foreach ((NDArray array, GraphNode? value) in _made)
        {
            if (!array.IsSymbolic || array.Source is not null || NumberOf(value) is not { } number) continue;
            NDArray made = NDArray.Allocate(array.DType, array.Shape, device);
            Movement.Fill(made, number.Value);
            array.Rebind(made.Storage, 0);
        }
    }

    private static ConstantNode? NumberOf(GraphNode? value) => value is OpNode { Op.Name: "BroadcastTo", Inputs: [var one] } ? one as ConstantNode : value as ConstantNode;
}
