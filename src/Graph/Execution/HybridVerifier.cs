namespace Fusion;

/// <summary>Runs the eager function beside the compiled one and compares bits; where they differ, <see cref="Bisection"/> finds the operator.</summary>
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
        if (expected.Count != outputs.Length)
            throw new HybridizeException($"The eager function returned {expected.Count} arrays, the compiled one {outputs.Length}.");
        for (int i = 0; i < outputs.Length; i++)
            if (Difference($"Output {i}", expected[i], outputs[i]) is { } difference)
                throw Explained(difference, engine, variant, variant.Forward!, inputs, before);
        variant.Verified = true;
        return outputs;
    }

    /// <summary>Compares compiled gradients with those of the graph's reference meaning.</summary>
    public static void Gradients(HybridEngine engine, HybridVariant variant, NDArray?[] arguments, NDArray[] computed)
    {
        if (engine.Options.Verify == HybridVerify.Off || (engine.Options.Verify == HybridVerify.FirstCall && variant.GradientsVerified)) return;
        GraphFunction function = variant.BackwardFunction!;
        Dictionary<GraphNode, NDArray> expected = Interpreter.Evaluate(function, arguments);
        for (int i = 0; i < computed.Length; i++)
            if (Difference($"Gradient {i}", expected[function.Outputs[i]], computed[i]) is { } difference)
                throw Explained(difference, engine, variant, variant.Backward!, arguments, Nd.Random.State);
        variant.GradientsVerified = true;
    }

    private static string? Difference(string what, NDArray expected, NDArray actual)
    {
        if (expected.Type != actual.Type) return $"{what} is {actual.Type}, eagerly {expected.Type}.";
        long at = BitComparison.FirstDifference(expected, actual);
        return at < 0 ? null : $"{what}, {actual.Type}, differs from the eager result at element {at}.";
    }

    private static HybridizeException Explained(
        string difference, HybridEngine engine, HybridVariant variant, Plan plan, NDArray?[] arguments, RandomState random)
    {
        if (engine.ChangeSince(variant) is { } change)
            return new HybridizeException(
                $"{difference} The function is not the one that was traced: {change}. " +
                "Numbers of C# are constants of a trace: call Clear() when they change, or pass them as arrays.");
        RandomState now = Nd.Random.State;
        Nd.Random.State = random;
        try
        {
            using (Autograd.Pause(Autograd.IsTraining))
                return new HybridizeException($"{difference} {new Bisection(variant.Log, plan.Function, arguments).Explain(plan)}");
        }
        finally
        {
            Nd.Random.State = now;
        }
    }
}
