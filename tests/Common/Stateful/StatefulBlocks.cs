namespace Fusion.Tests.Stateful;

/// <summary>What runs the statements that follow as a function: loops, choices, checkpoints, functions of the user's own, gradients, hybridized functions.</summary>
internal static class StatefulBlocks
{
    public static readonly Dictionary<string, Func<StatefulBody, NDArray, NDArray, int, IReadOnlyList<NDArray>>> Rows = new()
    {
        ["ForEach"] = ForEach,
        ["While"] = While,
        ["If"] = static (body, x, y, d) => [Nd.Cond(Predicate(x, y, d), () => body.FirstHalf.Run(x), () => body.SecondHalf.Run(y, x))],
        ["CheckpointOf"] = static (body, x, _, _) => [Autograd.Checkpoint(v => body.Pure.Run(v), Real(x))],
        ["CustomOf"] = static (body, x, y, d) => new Custom(body, d).Apply(Real(x), y),
        ["GradOf"] = Gradient,
        ["Catch"] = static (body, x, y, _) => [Caught(body, x, y)],
        ["HybridOf"] = static (body, x, y, _) => body.World.Nested(body, x, y),
    };

    private static IReadOnlyList<NDArray> ForEach(StatefulBody body, NDArray x, NDArray y, int detail)
    {
        NDArray data = x.Rank == 0 ? x.Reshape(1) : x;
        IReadOnlyList<NDArray> states = (detail % 4) switch { 0 => [], 1 => [y], 2 => [y, x], _ => [y * 2] };
        (NDArray outputs, states) = Nd.ForEach(
            (slice, s) =>
            {
                NDArray last = body.Run([.. s, slice]);
                return (last, (detail % 3) switch { 0 => s, 1 => [.. s.Skip(1), last], _ => [.. s.Select(v => v + slice.Sum())] });
            },
            data,
            states);
        return [.. states, outputs];
    }

    private static IReadOnlyList<NDArray> While(StatefulBody body, NDArray x, NDArray y, int detail) => Nd.WhileLoop(
        s => (detail % 5) switch
        {
            0 => s[0].Sum() < 4,
            1 => Nd.Random.Uniform(0, 1, default) < 0.6,
            2 => s[1] < 2,
            3 => s[0].Sum() + y.Sum(),
            _ => Nd.LogicalAnd(s[1] < 3, (s[0] > -3).All()),
        },
        s => [body.Run(s[0]), s[1] + 1],
        [x, Nd.Scalar(0, detail % 2 == 0 ? DType.Int32 : DType.Float32)],
        detail % 4);

    private static NDArray Predicate(NDArray x, NDArray y, int detail) => (detail % 5) switch
    {
        0 => x.Sum() > y.Sum(),
        1 => (y > 0).Any(),
        2 => Nd.Random.Uniform(0, 1, default) < 0.5,
        3 => x.Mean() - y.Mean(),
        _ => x.Max().AsType(DType.Int32),
    };

    // What data are at fault for a compiled call finds only when it runs.
    private static NDArray Caught(StatefulBody body, NDArray x, NDArray y)
    {
        try
        {
            return body.Run(x, y);
        }
        catch (Exception error) when (!StatefulOutcome.IsOfData(error))
        {
            return x * 2;
        }
    }

    // Gradients of several orders of a function inside of another one.
    private static IReadOnlyList<NDArray> Gradient(StatefulBody body, NDArray x, NDArray y, int detail)
    {
        NDArray v = detail % 3 == 0 && x.Source is not null ? x : Real(x).Detach();
        int order = 1 + detail % 3;
        using (Autograd.Record(detail % 2 == 0))
        {
            if (v.Source is null) v.AttachGrad();
            NDArray head = body.Run(v, y) * v.Sum();
            for (int i = 1; i <= order; i++) head = Autograd.Grad(head.Sum(), v, createGraph: i < order || detail > 5);
            return [head];
        }
    }

    private static NDArray Real(NDArray x) => x.DType.IsFloat ? x : x.AsType(DType.Float32);

    private sealed class Custom(StatefulBody body, int detail) : Autograd.Function
    {
        protected override IReadOnlyList<NDArray> Forward(IReadOnlyList<NDArray> inputs)
        {
            NDArray result = body.Run(inputs);
            SaveForBackward(inputs[0], result);
            return detail % 4 == 0 ? [result * 1, inputs[0] * 2] : [result + 1];
        }

        protected override IReadOnlyList<NDArray?> Backward(IReadOnlyList<NDArray> outputGradients)
        {
            if (detail > 9) throw new InvalidDataException("no gradient today");
            NDArray gradient = SavedArrays[0] * outputGradients[0].Sum() + SavedArrays[1].Sum();
            return [gradient, null];
        }
    }
}
