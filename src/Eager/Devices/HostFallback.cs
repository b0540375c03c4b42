namespace Fusion;

/// <summary>
/// Operators that have no kernel for accelerators: the processor computes them on copies, and the results go back. Right, and slow; which ones they are is
/// a column of docs/operators.md.
/// </summary>
internal static class HostFallback
{
    public static void Run(Op op, ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray[] from = new NDArray[inputs.Length], to = new NDArray[outputs.Length];
        for (int i = 0; i < from.Length; i++) from[i] = inputs[i].OnHost();
        for (int i = 0; i < to.Length; i++) to[i] = NDArray.Allocate(outputs[i].DType, outputs[i].Shape);
        op.Run(from, attributes, to);
        for (int i = 0; i < to.Length; i++) Movement.CopyTo(to[i], outputs[i]);
        foreach (NDArray array in to) array.ReleaseIfUnshared();
    }
}
