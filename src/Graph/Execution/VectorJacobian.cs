namespace Fusion;

/// <summary>
/// Gradients of compiled functions of which only some outputs have a gradient, or that are differentiated in another mode, or again and cannot be repeated, or with
/// respect to their own outputs: the vector-Jacobian product is a function of inputs and head gradients like any other, hybridized in its turn.
/// </summary>
internal static class VectorJacobian
{
    /// <summary>Gradients of the inputs, then of the captured variables.</summary>
    /// <param name="engine">The function.</param>
    /// <param name="variant">Its variant that ran forward.</param>
    /// <param name="draws">What forward drew, null: nothing. The product computes forward again and must draw the same numbers.</param>
    /// <param name="node">The tape node of the call.</param>
    /// <param name="gradients">One per output; null where there is none.</param>
    /// <param name="results">The gradients; null where none flows.</param>
    /// <param name="sums">How they join what is pending, if that matters.</param>
    /// <param name="pending">What is pending.</param>
    /// <param name="trainMode">The training flag of the gradient rules, if it is not that of the tape.</param>
    public static void OfInputs(
        HybridEngine engine,
        HybridVariant variant,
        RandomDraws? draws,
        TapeNode node,
        ReadOnlySpan<NDArray?> gradients,
        Span<NDArray?> results,
        GradientSums? sums,
        NDArray[] pending,
        bool? trainMode) =>
        Run(engine, variant, draws, node, gradients, results, Request(variant, node, gradients, trainMode) with { Sums = sums }, pending);

    /// <summary>Gradients of outputs from which others may be computed, those of the outputs themselves included; null where none arrives.</summary>
    /// <param name="engine">The function.</param>
    /// <param name="variant">Its variant that ran forward.</param>
    /// <param name="draws">What forward drew.</param>
    /// <param name="node">The tape node of the call.</param>
    /// <param name="gradients">One per output; null where there is none.</param>
    /// <param name="asked">Which outputs.</param>
    /// <param name="trainMode">The training flag of the gradient rules, if it is not that of the tape.</param>
    public static NDArray?[] OfOutputs(
        HybridEngine engine, HybridVariant variant, RandomDraws? draws, TapeNode node, ReadOnlySpan<NDArray?> gradients, bool[] asked, bool? trainMode)
    {
        string outputs = string.Concat(asked.Select((a, i) => a && variant.Trace.Heads[i] is not null ? '1' : '0'));
        NDArray?[] results = new NDArray?[asked.Length];
        Run(engine, variant, draws, node, gradients, results, Request(variant, node, gradients, trainMode) with { Outputs = outputs }, []);
        return results;
    }

    private static ProductRequest Request(HybridVariant variant, TapeNode node, ReadOnlySpan<NDArray?> gradients, bool? trainMode)
    {
        char[] heads = new char[gradients.Length];
        for (int i = 0; i < heads.Length; i++) heads[i] = gradients[i] is not null && variant.Trace.Heads[i] is not null ? '1' : '0';
        return new ProductRequest(new string(heads), node.TrainMode, trainMode, Autograd.IsRecording);
    }

    private static void Run(
        HybridEngine engine,
        HybridVariant variant,
        RandomDraws? draws,
        TapeNode node,
        ReadOnlySpan<NDArray?> gradients,
        Span<NDArray?> results,
        ProductRequest request,
        NDArray[] pending)
    {
        if (variant.Trace.GradientsNeedOldState())
        {
            throw new AutogradException(
                "Gradients of higher order, and with another trainMode than the call's, of a hybridized function that overwrites values which its gradient needs: record the function eagerly, or write after the gradient.");
        }

        if (variant.Trace.Thawed is { } array)
        {
            throw new AutogradException(
                $"Gradients of higher order, and of some results of several, compute the hybridized function again; the values of an array {array.Type} that it has read there, such as a mask, were overwritten since. " +
                "Write to a copy, or record the function eagerly.");
        }

        List<NDArray> arguments = [.. HybridCall.Operands(node, variant)[..variant.Trace.Inputs.Length]];
        for (int i = 0; i < gradients.Length; i++)
            if (request.IsPresent(i)) arguments.Add(gradients[i]!);
        arguments.AddRange(pending);
        int count = results.Length;
        VectorJacobianProduct product = variant.Products.GetOrAdd(
            request,
            _ =>
            {
                bool[] reached = new bool[count];
                HybridOptions options = engine.Options with { Verify = HybridVerify.Off, CompileInBackground = false };
                Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> function = arguments => Product(engine, variant, request, reached, arguments);
                return new VectorJacobianProduct(new HybridEngine(function, options, "the gradient of a hybridized function", discardState: true), reached);
            });
        IReadOnlyList<NDArray> computed = draws is null ? product.Engine.Invoke([.. arguments]) : Again(draws, product.Engine, [.. arguments]);
        int at = 0;
        for (int i = 0; i < count; i++)
            if (product.Reached[i]) results[i] = computed[at++];
    }

    private static IReadOnlyList<NDArray> Again(RandomDraws draws, HybridEngine product, NDArray[] arguments)
    {
        ExecutionState state = ExecutionState.Current;
        if (state.Tracer is GraphTracer tracer)
            throw tracer.Fail("the gradient of a hybridized function that drew random numbers before the trace began cannot draw them again inside it");
        using RandomReplay.Scope again = RandomReplay.Of(draws).Enter(state);
        return product.Invoke(arguments);
    }

    // A node that gives way to its calls where gradients are recorded stays one elsewhere, as eagerly.
    private static IReadOnlyList<NDArray> Product(
        HybridEngine engine, HybridVariant variant, ProductRequest request, bool[] reached, IReadOnlyList<NDArray> arguments)
    {
        NDArray[] all = Variables(variant, request.Sums, arguments);
        NDArray[] inputs = all[..variant.Trace.Inputs.Length];
        using RecordScope scope = new(variant.Signature.Recording, request.Training);
        ExecutionState state = ExecutionState.Current;
        long start = TapeNode.LastSequence(state);
        IReadOnlyList<NDArray> outputs;
        using (KnownWays.Enter(state, new KnownWays(variant.Trace.Ways, inlines: true))) outputs = Call(engine, variant, inputs, state);
        variant.Trace.Calls?.CheckRepeated(outputs, start);
        if (state.Tracer is GraphTracer tracer && ConstantChange.Find(variant.Trace.Outputs, outputs.Select(tracer.NodeOf)) is { } change) throw TapeCalls.Other(change);
        List<NDArray> heads = [];
        List<NDArray?> headGradients = [];
        int k = inputs.Length;
        for (int i = 0; i < outputs.Count; i++)
        {
            if (!request.IsPresent(i)) continue;
            NDArray gradient = arguments[k++];
            if (outputs[i].Source is null) continue;
            heads.Add(outputs[i]);
            headGradients.Add(gradient);
        }

        int[] targets = request.Targets(variant);
        GradientTargets found = new([.. targets.Select(i => request.Outputs is null ? all[i] : outputs[i])], stop: request.Outputs is null);
        BackwardPass pass = new(createGraph: request.Recorded, retainGraph: true, request.TrainMode);
        foreach (int i in request.Sums?.Pending ?? []) pass.Seed(all[i], arguments[k++]);
        pass.AddHeads(heads, headGradients);
        pass.Run(found);
        for (int i = 0; i < targets.Length; i++) reached[targets[i]] = found.Result(i) is not null;
        return [.. targets.Select((_, i) => found.Result(i)).OfType<NDArray>()];
    }

    // Its changes of state are dropped from a trace, and taken back where the product runs eagerly.
    private static IReadOnlyList<NDArray> Call(HybridEngine engine, HybridVariant variant, NDArray[] inputs, ExecutionState state)
    {
        if (state.Tracer is not null || !variant.Trace.IsStateful) return engine.Function(inputs);
        lock (engine.StateLock)
        {
            CallState before = new(variant, inputs);
            try
            {
                return engine.Function(inputs);
            }
            finally
            {
                before.Restore();
            }
        }
    }

    // The inputs, each a place on the tape if it carried a gradient, then the captured variables.
    private static NDArray[] Variables(HybridVariant variant, GradientSums? sums, IReadOnlyList<NDArray> arguments)
    {
        int count = variant.Trace.Inputs.Length;
        NDArray[] all = [.. arguments.Take(count), .. variant.Trace.CapturedVariables.Select(static c => c.Array)];
        for (int i = 0; i < count; i++)
        {
            if (all[i].Source is not null || variant.Signature.Marks[i] == GradientMark.None) continue;
            all[i] = all[i].Detach();
            all[i].Mark(all[i], GradReq.Write);
        }

        if (sums is null) return all;

        // A captured array stands for the input that is the same.
        for (int i = count; i < all.Length; i++) all[sums.Owner(i)] = all[i];
        for (int i = 0; i < count; i++) all[i] = all[sums.Owner(i)];
        return all;
    }
}

/// <summary>Which vector-Jacobian product of a variant.</summary>
/// <param name="Heads">Of each output: it has a gradient.</param>
/// <param name="Training">The training flag of the call.</param>
/// <param name="TrainMode">That of the gradient rules, if it is another one.</param>
/// <param name="Recorded">The product is differentiated again.</param>
internal sealed record ProductRequest(string Heads, bool Training, bool? TrainMode, bool Recorded)
{
    /// <summary>How gradients join what is pending, if that matters.</summary>
    public GradientSums? Sums { get; init; }

    /// <summary>The outputs with respect to which, if not to inputs and captured variables.</summary>
    public string? Outputs { get; init; }

    public bool IsPresent(int output) => Heads[output] == '1';

    /// <summary>The arguments or outputs with respect to which: not an argument at the same place as an earlier one.</summary>
    public int[] Targets(HybridVariant variant)
    {
        GraphNode?[] gradients = variant.Trace.Gradients;
        return Outputs is { } outputs
            ? [.. Enumerable.Range(0, outputs.Length).Where(i => outputs[i] == '1')]
            : [.. Enumerable.Range(0, gradients.Length).Where(i => gradients[i] is not null && (Sums is null || Sums.Owner(i) == i))];
    }
}

/// <summary>A compiled vector-Jacobian product.</summary>
/// <param name="Engine">Computes it.</param>
/// <param name="Reached">The results that it gives: a head need not depend on all inputs. Known after a call.</param>
internal sealed record VectorJacobianProduct(HybridEngine Engine, bool[] Reached);
