namespace Fusion;

/// <summary>
/// Runs the compiled function and then the eager one from the same state, and compares bits: results, and arrays that were written in place. What
/// remains is the eager function's work.
/// </summary>
internal static class HybridVerifier
{
    public static NDArray[] Run(HybridEngine engine, HybridVariant variant, NDArray[] inputs)
    {
        ExecutionState state = ExecutionState.Current;
        FunctionTrace trace = variant.Trace;
        NDArray?[] arguments = variant.Arguments(inputs);
        NDArray[] written = [.. trace.States.Select(s => s.Target(arguments))];
        NDArray[] before = Array.ConvertAll(written, Snapshot);
        int[] versions = Array.ConvertAll(written, static w => w.Version);
        bool[] fresh = Array.ConvertAll(trace.Variables, v => inputs[v.Index].FreshGrad);
        RandomState random = Nd.Random.State;

        NDArray[] outputs = HybridCall.Run(engine, variant, inputs, state);
        NDArray[] after = Array.ConvertAll(written, Snapshot);
        trace.Host.UndoAll();
        for (int i = 0; i < fresh.Length; i++) inputs[trace.Variables[i].Index].FreshGrad = fresh[i];
        using (new RecordScope(false, null))
            for (int i = 0; i < written.Length; i++) written[i].Adopt(before[i], sourceDies: false);
        for (int i = 0; i < written.Length; i++) written[i].Version = versions[i];
        Nd.Random.State = random;

        IReadOnlyList<NDArray> expected;
        using (new RecordScope(trace.IsStateful && state.Recording, null)) expected = engine.Function(inputs);
        if (expected.Count != outputs.Length) throw new HybridizeException($"The eager function returned {expected.Count} arrays, the compiled one {outputs.Length}.");
        for (int i = 0; i < outputs.Length; i++) Compare($"Output {i}", expected[i], outputs[i]);
        for (int i = 0; i < written.Length; i++) Compare($"Array {i} of those written in place", written[i], after[i]);
        variant.Verified = true;
        return outputs;
    }

    private static NDArray Snapshot(NDArray array) => array.View(array.Shape, array.Offset, Views.Strides(array));

    private static void Compare(string what, NDArray expected, NDArray actual)
    {
        if (expected.Type != actual.Type) throw new HybridizeException($"{what} is {actual.Type}, eagerly {expected.Type}.");
        NDArray a = expected.Contiguous();
        NDArray b = actual.Contiguous();
        int at = a.Bytes.CommonPrefixLength(b.Bytes);
        if (at == a.Bytes.Length) return;
        throw new HybridizeException($"{what}, {actual.Type}, differs from the eager result at element {at / actual.DType.Size}.");
    }
}
