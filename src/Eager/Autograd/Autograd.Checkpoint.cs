namespace Fusion;

public static partial class Autograd
{
    /// <summary>
    /// Calls <paramref name="f"/> without keeping its intermediate results; backward computes them again from <paramref name="x"/>. Arrays that
    /// <paramref name="f"/> captures receive their gradients as if it had been recorded.
    /// </summary>
    /// <remarks>Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016. Random numbers are drawn again with the same values, and choices and
    /// loops (<see cref="Nd.Cond"/>, <see cref="Nd.WhileLoop(Func{NDArray, NDArray}, Func{NDArray, NDArray}, NDArray, int)"/>) go the same way again.</remarks>
    public static NDArray Checkpoint(Func<NDArray, NDArray> f, NDArray x)
    {
        ArgumentNullException.ThrowIfNull(f);
        ArgumentNullException.ThrowIfNull(x);
        ExecutionState state = ExecutionState.Current;
        if (!state.Recording) return CheckpointNode.Returned(f(x));
        return state.Tracer is null ? CheckpointNode.Apply(state, f, x) : CheckpointNode.Trace(state, f, x);
    }
}
