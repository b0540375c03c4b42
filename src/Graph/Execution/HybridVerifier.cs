namespace Fusion;

/// <summary>Runs the eager function beside the compiled one and compares bits.</summary>
internal static class HybridVerifier
{
    public static NDArray[] Run(HybridEngine engine, HybridVariant variant, NDArray[] inputs)
    {
        ExecutionState state = ExecutionState.Current;
        RandomState before = Nd.Random.State;
        IReadOnlyList<NDArray> expected;
        using (Autograd.Pause(state.Training)) expected = engine.Function(inputs);
        RandomState after = Nd.Random.State;
        Nd.Random.State = before;
        NDArray[] outputs = HybridCall.Run(engine, variant, inputs, state);
        Nd.Random.State = after;
        if (expected.Count != outputs.Length) throw new HybridizeException($"The eager function returned {expected.Count} arrays, the compiled one {outputs.Length}.");
        for (int i = 0; i < outputs.Length; i++) Compare(i, expected[i], outputs[i]);
        variant.Verified = true;
        return outputs;
    }

    private static void Compare(int index, NDArray expected, NDArray actual)
    {
        if (expected.Type != actual.Type) throw new HybridizeException($"Output {index} is {actual.Type}, eagerly {expected.Type}.");
        int at = BitComparison.FirstDifference(expected, actual);
        if (at >= 0) throw new HybridizeException($"Output {index}, {actual.Type}, differs from the eager result at element {at}.");
    }
}
