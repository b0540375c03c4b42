namespace Fusion;

/// <summary>
/// A call of a compiled function that changes state: host effects, launches, then all arrays at once. When anything throws, parameters, gradients,
/// optimizer state, flags and random state are as they were before the call. Calls of one function follow one another.
/// </summary>
internal static class StatefulCall
{
    public static NDArray[] Run(HybridEngine engine, HybridVariant variant, NDArray[] inputs)
    {
        FunctionTrace trace = variant.Trace;
        if (!trace.IsStateful) return variant.Forward!.Run(variant.Arguments(inputs));
        lock (engine.StateLock)
        {
            int done = 0;
            try
            {
                trace.Host.Run(variant.Numbers, ref done);
                NDArray[] results = variant.Forward!.Run(variant.Arguments(inputs), variant.Numbers);
                if (engine.DiscardsState) trace.Host.Undo(done);
                else
                {
                    foreach (TracedInput variable in trace.Variables)
                        if (variable.Fresh is { } fresh) inputs[variable.Index].FreshGrad = fresh;
                }

                return results;
            }
            catch
            {
                trace.Host.Undo(done);
                throw;
            }
        }
    }
}
