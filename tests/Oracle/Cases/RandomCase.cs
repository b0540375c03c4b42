using static TorchSharp.torch;

namespace Fusion.Oracle.Cases;

/// <summary>One draw of a row: a computation with all its options settled, on both sides.</summary>
/// <param name="Text">The options, as a reader would write them.</param>
/// <param name="Inputs">The inputs; those of floating-point type have gradients.</param>
/// <param name="Ours">Makes our side anew, with the same parameters each time: layers and optimizers have state.</param>
/// <param name="Theirs">LibTorch's side in Float64, of the inputs there.</param>
internal sealed record RandomCase(string Text, NDArray[] Inputs, Func<bool, OurSide> Ours, Func<Tensor[], TheirSide> Theirs)
{
    /// <summary>The error that is allowed, in units of the usual one.</summary>
    public double Slack { get; init; } = 1;

    /// <summary>Recorded in training mode.</summary>
    public bool IsTraining { get; init; }

    /// <summary>False where results are values only.</summary>
    public bool HasGradient { get; init; } = true;

    /// <summary>The elements of all inputs: how small the case is.</summary>
    public long Size => Inputs.Sum(static x => x.Size);

    /// <summary>A case whose two sides are functions of the inputs alone.</summary>
    public static RandomCase Of(string text, NDArray[] inputs, Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> ours, Func<Tensor[], Tensor[]> theirs) =>
        new(text, inputs, compiled => new OurSide(Compiled(ours, compiled), []), t => new TheirSide(theirs(t)));

    /// <summary>Options under which a case that is not compiled is an error.</summary>
    public static HybridOptions NoFallback { get; } = new() { FallbackToEager = false };

    /// <summary>A function, hybridized or as it is.</summary>
    public static Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> Compiled(Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> f, bool compiled) =>
        compiled ? Hybrid.Hybridize(f, NoFallback).Invoke : f;
}

/// <summary>Our side of a case.</summary>
/// <param name="Function">Of the inputs.</param>
/// <param name="Parameters">Arrays that it captures and that have gradients.</param>
internal sealed record OurSide(Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> Function, IReadOnlyList<NDArray> Parameters);

/// <summary>What LibTorch makes of a case.</summary>
/// <param name="Outputs">The results.</param>
internal sealed record TheirSide(Tensor[] Outputs)
{
    /// <summary>What stands for our parameters, in their order.</summary>
    public Tensor[] Parameters { get; init; } = [];
}

/// <summary>A family of cases: the same seed draws the same case.</summary>
/// <param name="Name">The name of the layer, loss or optimizer; after a colon, which variant.</param>
/// <param name="Draw">Draws options and inputs.</param>
internal sealed record CaseRow(string Name, Func<CaseDraw, RandomCase> Draw);
