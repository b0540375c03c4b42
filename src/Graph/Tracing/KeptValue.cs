using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// A value that a traced function has kept (<c>mask ??= Nd.Ones((4, 4)).Tril()</c>), after the trace: what was made of numbers, and of arrays that the function has made itself, can
/// be computed now, once. Another value was that of one call.
/// </summary>
internal static class KeptValue
{
    /// <summary>Gives the array its elements; false: it has none outside of its trace.</summary>
    /// <param name="array">Of a trace that has ended.</param>
    /// <param name="node">Its value there.</param>
    /// <param name="device">Where it is to be.</param>
    public static bool TryCompute(NDArray array, GraphNode node, GpuDevice? device)
    {
        if (array.Source is not null) return false;
        List<GraphNode> order = GraphOrder.Sort([node]);
        if (!order.TrueForAll(static n => n is ConstantNode or CapturedNode { IsMade: true } or OpNode { Op.Impure: false })) return false;
        ExecutionState state = ExecutionState.Current;
        Tracer? tracer = state.Tracer;
        using RecordScope pause = new(false, null);
        state.Tracer = null;
        try
        {
            NDArray value = Interpreter.Run(new GraphFunction([], [node], []), [])[0].Copy();
            if (device is not null) value = Movement.CopyToDevice(value, device);
            array.Rebind(value.Storage, 0);
            return true;
        }
        finally
        {
            state.Tracer = tracer;
        }
    }
}
