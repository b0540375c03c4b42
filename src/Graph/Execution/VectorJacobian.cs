namespace Fusion;

/// <summary>
/// Gradients of compiled functions of which only some outputs have a gradient, or that are differentiated again and cannot be repeated: the
/// vector-Jacobian product is a function of inputs and head gradients like any other, hybridized in its turn.
/// </summary>
internal static class VectorJacobian
{
    /// <param name="engine">The function.</param>
    /// <param name="variant">Its variant that ran forward.</param>
    /// <param name="draws">What forward drew, null: nothing. The product computes forward again and must draw the same numbers.</param>
    /// <param name="node">The tape node of the call.</param>
    /// <param name="inputs">The inputs of the call.</param>
    /// <param name="gradients">One per output; null where there is none.</param>
    /// <param name="results">Gradients of the inputs, then of the captured variables.</param>
    /// <param name="sums">How they join what is pending, if that matters.</param>
    /// <param name="pending">What is pending.</param>
    /// <param name="trainMode">The training flag of the gradient rules, if it is not that of the tape.</param>
    public static void Run(
        HybridEngine engine,
        HybridVariant variant,
        RandomDraws? draws,
        TapeNode node,
        NDArray[] inputs,
        ReadOnlySpan<NDArray?> gradients,
        Span<NDArray?> results,
        GradientSums? sums,
        NDArray[] pending,
        bool? trainMode)
    {
        if (variant.Trace.GradientsNeedOldState())
        {
            throw new AutogradException(
                "Gradients of higher order of a hybridized function that overwrites values which its gradient needs: record the function eagerly, or write after the gradient.");
        }

        if (variant.Trace.Thawed is { } array)
        {
            throw new AutogradException(
                $"Gradients of higher order, and of some results of several, compute the hybridized function again; the values of an array {array.Type} that it has read there, such as a mask, were overwritten since. " +
                "Write to a copy, or record the function eagerly.");
        }

        bool[] present = new bool[gradients.Length];
        List<NDArray> arguments = [.. inputs];
        for (int i = 0; i < present.Length; i++)
        {
            present[i] = gradients[i] is not null && variant.Trace.Heads[i] is not null;
            if (present[i]) arguments.Add(gradients[i]!);
        }

        arguments.AddRange(pending);
        bool recorded = Autograd.IsRecording;
        VectorJacobianProduct product = variant.Products.GetOrAdd(
            (string.Concat(present.Select(static p => p ? '1' : '0')) + (node.TrainMode ? "t" : "p") + (recorded ? "r" : string.Empty) + trainMode, sums),
            _ =>
            {
                bool[] reached = new bool[node.InputCount];
                HybridOptions options = engine.Options with { Verify = HybridVerify.Off };
                Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> function = Product(engine.Function, variant, present, node.TrainMode, trainMode, recorded, sums, reached);
                return new VectorJacobianProduct(new HybridEngine(function, options, "the gradient of a hybridized function", discardState: true), reached);
            });
        IReadOnlyList<NDArray> computed = draws is null ? product.Engine.Invoke([.. arguments]) : Again(draws, product.Engine, [.. arguments]);
        int at = 0;
        for (int i = 0; i < results.Length; i++)
            if (product.Reached[i]) results[i] = computed[at++];
    }

    // Not the gradient of an argument at the same place as an earlier one.
    private static bool IsOwn(HybridVariant variant, int argument, GradientSums? sums) =>
        variant.Trace.Gradients[argument] is not null && (sums is null || sums.Owner(argument) == argument);

    private static IReadOnlyList<NDArray> Again(RandomDraws draws, HybridEngine product, NDArray[] arguments)
    {
        ExecutionState state = ExecutionState.Current;
        if (state.Tracer is GraphTracer tracer)
            throw tracer.Fail("the gradient of a hybridized function that drew random numbers before the trace began cannot draw them again inside it");
        using RandomReplay.Scope again = RandomReplay.Of(draws).Enter(state);
        return product.Invoke(arguments);
    }

    // A node that gives way to its calls where gradients are recorded stays one elsewhere, as eagerly.
    private static Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> Product(
        Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> function,
        HybridVariant variant,
        bool[] present,
        bool training,
        bool? trainMode,
        bool recorded,
        GradientSums? sums,
        bool[] reached)
    {
        int count = variant.Trace.Inputs.Length;
        NDArray[] captured = [.. variant.Trace.CapturedVariables.Select(static c => c.Array)];
        return arguments =>
        {
            NDArray[] inputs = new NDArray[count];
            for (int i = 0; i < count; i++)
            {
                inputs[i] = arguments[i];
                if (inputs[i].Source is null && variant.Signature.Marks[i] != GradientMark.None)
                {
                    inputs[i] = inputs[i].Detach();
                    inputs[i].Mark(inputs[i], GradReq.Write);
                }
            }

            NDArray[] all = [.. inputs, .. captured];

            // A captured array stands for the input that is the same.
            for (int i = count; i < all.Length && sums is not null; i++) all[sums.Owner(i)] = all[i];
            for (int i = 0; i < count; i++) inputs[i] = all[sums?.Owner(i) ?? i];
            using RecordScope scope = new(variant.Signature.Recording, training);
            IReadOnlyList<NDArray> outputs;
            using (KnownWays.Enter(ExecutionState.Current, new KnownWays(variant.Trace.Ways, inlines: true))) outputs = function(inputs);
            List<NDArray> heads = [];
            List<NDArray?> headGradients = [];
            int k = count;
            for (int i = 0; i < present.Length; i++)
            {
                if (!present[i]) continue;
                NDArray gradient = arguments[k++];
                if (outputs[i].Source is null) continue;
                heads.Add(outputs[i]);
                headGradients.Add(gradient);
            }

            int[] targets = [.. Enumerable.Range(0, all.Length).Where(i => IsOwn(variant, i, sums))];
            GradientTargets found = new([.. targets.Select(i => all[i])], stop: true);
            BackwardPass pass = new(createGraph: recorded, retainGraph: true, trainMode);
            foreach (int i in sums?.Pending ?? []) pass.Seed(all[i], arguments[k++]);
            pass.AddHeads(heads, headGradients);
            pass.Run(found);
            for (int i = 0; i < targets.Length; i++) reached[targets[i]] = found.Result(i) is not null;
            return [.. targets.Select((_, i) => found.Result(i)).OfType<NDArray>()];
        };
    }
}

/// <summary>A compiled vector-Jacobian product.</summary>
/// <param name="Engine">Computes it.</param>
/// <param name="Reached">The inputs and captured variables of which it gives the gradient: a head need not depend on all of them. Known after a call.</param>
internal sealed record VectorJacobianProduct(HybridEngine Engine, bool[] Reached);
