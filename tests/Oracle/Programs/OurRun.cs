using Fusion.Tests;

namespace Fusion.Oracle.Programs;

/// <summary>What Fusion makes of a program, eagerly or compiled: results, gradients of the inputs, gradients of these gradients.</summary>
internal sealed record OurRun(IReadOnlyList<NDArray> Results, NDArray[] Gradients, NDArray[] SecondGradients)
{
    /// <summary>Runs a function.</summary>
    /// <param name="heads">Which results to differentiate.</param>
    /// <param name="second">Which gradients to differentiate again; null for none.</param>
    public static OurRun Of(Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> f, NDArray[] inputs, int[] heads, int[]? second)
    {
        NDArray[] arguments = [.. inputs.Select(static x => x.Detach())];
        NDArray[] variables = [.. arguments.Where(static x => x.DType.IsFloat)];
        foreach (NDArray variable in variables) variable.AttachGrad();
        using RecordScope scope = Autograd.Record(trainMode: false);
        IReadOnlyList<NDArray> results = f(arguments);
        if (heads.Length == 0) return new OurRun(results, [], []);
        NDArray[] gradients = Autograd.Grad([.. heads.Select(i => results[i])], variables, [.. heads.Select(i => Head(results[i], i))], createGraph: second is not null,
            allowUnused: true);
        if (second is null or []) return new OurRun(results, gradients, []);
        NDArray[] again = Autograd.Grad([.. second.Select(i => gradients[i])], variables, [.. second.Select(i => Head(gradients[i], 100 + i))], allowUnused: true);
        return new OurRun(results, gradients, again);
    }

    /// <summary>The first difference in bits, or null.</summary>
    public string? Difference(OurRun other) =>
        Bits.Difference(Results, other.Results) is { } a ? $"results, {a}" : Bits.Difference(Gradients, other.Gradients) is { } b ? $"gradients, {b}"
        : Bits.Difference(SecondGradients, other.SecondGradients) is { } c ? $"second gradients, {c}" : null;

    private static NDArray Head(NDArray of, int seed) => TheirRun.Head(of.Shape.Longs(), seed).AsType(of.DType);
}
