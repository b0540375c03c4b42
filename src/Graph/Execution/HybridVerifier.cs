namespace Fusion;

/// <summary>
/// Runs the compiled function and then the eager one from the same state, and compares bits: results, and arrays that were written in place. What
/// remains is the eager function's work. Where bits differ, <see cref="Bisection"/> finds the operator, and the state is that before the call.
/// </summary>
internal static class HybridVerifier
{
    // The eager function may call others that are verified, and these the first one: on several threads they would wait for each other's state.
    private static readonly Lock s_alone = new();

    /// <summary>One verified call. Calls that change state follow one another, whichever function's, each with its eager run.</summary>
    public static NDArray[] Run(HybridEngine engine, HybridVariant variant, NDArray[] inputs)
    {
        (NDArray[] outputs, string? difference, RandomDraws draws) = variant.Trace.IsStateful ? Alone() : Compare(engine, variant, inputs);
        if (difference is not null) throw Explained(difference, engine, variant, variant.Forward!, variant.Arguments(inputs), draws);
        variant.Verified = true;
        return outputs;

        (NDArray[], string?, RandomDraws) Alone()
        {
            lock (s_alone)
                lock (engine.StateLock) return Compare(engine, variant, inputs);
        }
    }

    private static (NDArray[] Outputs, string? Difference, RandomDraws Draws) Compare(HybridEngine engine, HybridVariant variant, NDArray[] inputs)
    {
        ExecutionState state = ExecutionState.Current;
        CallState before = new(variant, inputs);
        NDArray[] written = before.Written;
        RandomDraws draws = RandomDraws.Begin(state);
        NDArray[] outputs;
        try
        {
            outputs = HybridCall.Run(engine, variant, inputs, state);
        }
        finally
        {
            draws.End(state);
        }

        NDArray[] after = Array.ConvertAll(written, StateSnapshot.Of);
        before.Restore();
        IReadOnlyList<NDArray> expected = Eager();
        if (expected.Count != outputs.Length)
            throw new HybridizeException($"The eager function returned {expected.Count} arrays, the compiled one {outputs.Length}.");
        string? difference = null;
        for (int i = 0; i < outputs.Length; i++) difference ??= Difference(engine, $"Output {i}", expected[i], outputs[i]);
        for (int i = 0; i < written.Length; i++) difference ??= Difference(engine, $"Array {i} of those written in place", written[i], after[i]);
        if (difference is not null) Undo();
        return (outputs, difference, draws);

        // What the compiled function need not compute may fail.
        IReadOnlyList<NDArray> Eager()
        {
            try
            {
                using (RandomReplay.Of(draws).Enter(state))
                using (KnownWays.Enter(state, null)) return engine.Function(inputs);
            }
            catch
            {
                Undo();
                throw;
            }
        }

        void Undo()
        {
            before.Restore();
            if (draws.Taken is [(var first, var blocks)]) Nd.Random.Return(first, blocks);
        }
    }

    /// <summary>Compares compiled gradients with those of the graph's reference meaning.</summary>
    public static void Gradients(HybridEngine engine, HybridVariant variant, Plan plan, NDArray?[] arguments, NDArray[] computed)
    {
        if (engine.Options.Verify == HybridVerify.Off || (engine.Options.Verify == HybridVerify.FirstCall && variant.GradientsVerified)) return;
        GraphFunction function = plan.Function;
        Dictionary<GraphNode, NDArray> expected = Interpreter.Evaluate(function, arguments);
        for (int i = 0; i < computed.Length; i++)
            if (Difference(engine, $"Gradient {i}", expected[function.Outputs[i]], computed[i]) is { } difference)
                throw Explained(difference, engine, variant, plan, arguments, new RandomDraws());
        variant.GradientsVerified = true;
    }

    private static string? Difference(HybridEngine engine, string what, NDArray expected, NDArray actual)
    {
        if (expected.Type != actual.Type) return $"{what} is {actual.Type}, eagerly {expected.Type}.";
        long at = engine.Options.FastMath ? RoundingComparison.FirstDifference(expected, actual) : BitComparison.FirstDifference(expected, actual);
        return at < 0 ? null : $"{what}, {actual.Type}, differs from the eager result at element {at}.";
    }

    private static HybridizeException Explained(
        string difference, HybridEngine engine, HybridVariant variant, Plan plan, NDArray?[] arguments, RandomDraws draws)
    {
        if (engine.ChangeSince(variant) is { } change)
            return new HybridizeException(
                $"{difference} The function is not the one that was traced: {change}. " +
                "Numbers of C# are constants of a trace: call Clear() when they change, or pass them as arrays.");
        using RandomReplay.Scope again = RandomReplay.Of(draws).Enter(ExecutionState.Current);
        using RecordScope pause = Autograd.Pause(Autograd.IsTraining);
        return new HybridizeException($"{difference} {new Bisection(variant.Log, plan.Function, arguments, variant.Numbers).Explain(plan)}");
    }
}
