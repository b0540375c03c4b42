namespace Fusion;

/// <summary>
/// Gradients of compiled functions that are differentiated again (or of which only some outputs have a gradient): the vector-Jacobian product is a
/// function of inputs and head gradients like any other, hybridized in its turn. That gives every order.
/// </summary>
internal static class VectorJacobian
{
    /// <param name="engine">The function.</param>
    /// <param name="variant">Its variant that ran forward.</param>
    /// <param name="random">The random state before forward: the product computes forward again and must draw the same numbers.</param>
    /// <param name="node">The tape node of the call.</param>
    /// <param name="inputs">The inputs of the call.</param>
    /// <param name="gradients">One per output; null where there is none.</param>
    /// <param name="results">Gradients of the inputs, then of the captured variables.</param>
    public static void Run(
        HybridEngine engine,
        HybridVariant variant,
        RandomState random,
        TapeNode node,
        NDArray[] inputs,
        ReadOnlySpan<NDArray?> gradients,
        Span<NDArray?> results)
    {
        if (variant.Trace.GradientsNeedOldState())
        {
            throw new AutogradException(
                "Gradients of higher order of a hybridized function that overwrites values which its gradient needs: record the function eagerly, or write after the gradient.");
        }

        bool[] present = new bool[gradients.Length];
        List<NDArray> arguments = [.. inputs];
        for (int i = 0; i < present.Length; i++)
        {
            present[i] = gradients[i] is not null && variant.Trace.Heads[i] is not null;
            if (present[i]) arguments.Add(gradients[i]!);
        }

        HybridEngine product = variant.Products.GetOrAdd(
            string.Concat(present.Select(static p => p ? '1' : '0')) + (node.TrainMode ? "t" : "p"),
            _ => new HybridEngine(
                Product(engine.Function, variant, present, node.TrainMode),
                engine.Options with { Verify = HybridVerify.Off },
                "the gradient of a hybridized function",
                discardState: true));
        IReadOnlyList<NDArray> computed = variant.Trace.Effects.Count == 0
            ? product.Invoke([.. arguments])
            : Replay(random, () => product.Invoke([.. arguments]));
        int at = 0;
        for (int i = 0; i < results.Length; i++)
            if (variant.Trace.Gradients[i] is not null) results[i] = computed[at++];
    }

    private static IReadOnlyList<NDArray> Replay(RandomState random, Func<IReadOnlyList<NDArray>> product)
    {
        if (ExecutionState.Current.Tracer is not null)
            throw new TraceFailedException("the gradient of a hybridized function that drew random numbers before the trace began cannot draw them again inside it");
        RandomState now = Nd.Random.State;
        Nd.Random.State = random;
        try
        {
            return product();
        }
        finally
        {
            Nd.Random.State = now;
        }
    }

    private static Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> Product(
        Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> function, HybridVariant variant, bool[] present, bool training)
    {
        int count = variant.Trace.Inputs.Length;
        NDArray[] captured = [.. variant.Trace.CapturedVariables.Select(static c => c.Array)];
        return arguments =>
        {
            NDArray[] inputs = new NDArray[count];
            for (int i = 0; i < count; i++)
            {
                inputs[i] = arguments[i];
                if (inputs[i].Source is null && inputs[i].DType.IsFloat)
                {
                    inputs[i] = inputs[i].Detach();
                    inputs[i].Mark(inputs[i], GradReq.Write);
                }
            }

            using RecordScope scope = Autograd.Record(training);
            IReadOnlyList<NDArray> outputs = function(inputs);
            List<NDArray> heads = [];
            List<NDArray?> headGradients = [];
            for (int i = 0, k = count; i < present.Length; i++)
            {
                if (!present[i]) continue;
                NDArray gradient = arguments[k++];
                if (outputs[i].Source is null) continue;
                heads.Add(outputs[i]);
                headGradients.Add(gradient);
            }

            List<NDArray> targets = [];
            NDArray[] all = [.. inputs, .. captured];
            for (int i = 0; i < all.Length; i++)
                if (variant.Trace.Gradients[i] is not null) targets.Add(all[i]);
            GradientTargets found = new(targets, stop: true);
            if (heads.Count > 0)
            {
                BackwardPass pass = new(createGraph: true, retainGraph: true, trainMode: null);
                pass.AddHeads(heads, headGradients);
                pass.Run(found);
            }

            return [.. targets.Select((t, i) => found.Result(i) ?? Nd.ZerosLike(t))];
        };
    }
}
