using static TorchSharp.torch;

namespace Fusion.Peers.Table;

/// <summary>One function of <see cref="Nd"/> (or of layers and losses) and the same in LibTorch, with inputs to compare and to time them on.</summary>
/// <param name="Name">The name of the function; after a colon, which variant.</param>
/// <param name="Ours">The public call.</param>
/// <param name="Theirs">What LibTorch has for it.</param>
/// <param name="Operands">The inputs.</param>
internal sealed record OperatorRow(string Name, Func<NDArray[], NDArray> Ours, Func<Tensor[], Tensor> Theirs, params Operand[] Operands)
{
    /// <summary>The error that is allowed, in units of the usual one: long sums and ill-conditioned functions have more.</summary>
    public double Slack { get; init; } = 1;

    /// <summary>The same for Float64, where LibTorch's own formula may be cut short.</summary>
    public double Slack64 { get => field == 0 ? Slack : field; init; }

    /// <summary>There is a gradient to compare. False also where LibTorch has none, or TorchSharp does not reach it.</summary>
    public bool HasGradient { get; init; } = true;

    /// <summary>Worth timing: false for variants that differ in nothing that costs time.</summary>
    public bool IsTimed { get; init; } = true;

    /// <summary>The function without the variant.</summary>
    public string Function => Name.Split(':')[0];

    public bool IsDifferentiable => HasGradient && Operands.Any(static o => o.IsVariable);

    public NDArray[] Draw(int seed, bool timed, DType dtype)
    {
        Random random = new(seed);
        return [.. Operands.Select(o => o.Draw(random, timed, dtype))];
    }
}
