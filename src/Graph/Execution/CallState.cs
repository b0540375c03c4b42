namespace Fusion;

/// <summary>All that a call of a stateful function changes, as it is before: arrays, state of the host, flags of gradients. Not the random numbers.</summary>
internal sealed class CallState
{
    private readonly FunctionTrace _trace;
    private readonly NDArray[] _inputs;
    private readonly StateSnapshot _arrays;
    private readonly Action[] _host;
    private readonly bool[] _fresh;

    /// <param name="variant">What is called.</param>
    /// <param name="inputs">With these.</param>
    public CallState(HybridVariant variant, NDArray[] inputs)
    {
        _trace = variant.Trace;
        _inputs = inputs;
        NDArray?[] arguments = variant.Arguments(inputs);
        Written = [.. _trace.States.Select(s => s.Target(arguments))];
        _arrays = new StateSnapshot(Written);
        _host = [.. _trace.Host.Effects.Select(static e => e.Keep())];
        _fresh = Array.ConvertAll(_trace.Variables, v => inputs[v.Index].FreshGrad);
    }

    /// <summary>The arrays that the call writes.</summary>
    public NDArray[] Written { get; }

    /// <summary>Makes everything what it was.</summary>
    public void Restore()
    {
        foreach (Action restore in _host) restore();
        for (int i = 0; i < _fresh.Length; i++) _inputs[_trace.Variables[i].Index].FreshGrad = _fresh[i];
        _arrays.Restore();
    }
}
