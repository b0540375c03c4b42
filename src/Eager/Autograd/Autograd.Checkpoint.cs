namespace Fusion;

public static partial class Autograd
{
    /// <summary>
    /// Calls <paramref name="f"/> without keeping its intermediate results; backward computes them again from <paramref name="x"/>. Arrays that
    /// <paramref name="f"/> captures receive their gradients as if it had been recorded.
    /// </summary>
    /// <remarks>Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016. Random numbers are drawn again with the same values.</remarks>
    public static NDArray Checkpoint(Func<NDArray, NDArray> f, NDArray x)
    {
        ArgumentNullException.ThrowIfNull(f);
        ArgumentNullException.ThrowIfNull(x);
        ExecutionState state = ExecutionState.Current;
        if (!state.Recording) return f(x);
        if (state.Tracer is not null) return CheckpointNode.Trace(state, f, x);

        // A first recorded run finds the variables that f reaches; its tape is dropped at once, so that only x and the variables stay.
        RandomState random = Nd.Random.State;
        NDArray input = x.Detach();
        input.Mark(Nd.ZerosLike(input), GradReq.Write);
        NDArray output = f(input);
        if (output.Source is not TapeNode root) return output;
        NDArray[] captured = CheckpointNode.Leaves(root, input);
        NDArray result = output.Detach();
        CheckpointNode.Record(state, f, x, captured, random, result);
        return result;
    }
}
