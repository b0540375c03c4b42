using Fusion.Peers.Table;
using static TorchSharp.torch;

namespace Fusion.Oracle.Programs;

// The rows of the table of operators, on whatever a program has.
internal static partial class Rules
{
    private static readonly string[] s_left =
    [
        // LibTorch's trigamma, in their gradients, has 1e-9 of error.
        "Gamma", "LogGamma", "Digamma", "Polygamma",
        // No derivative at (0, 0), where programs often are.
        "Atan2", "Hypot",
        // The product of some of its factors overflows Float32.
        "Prod: with zeros",
        // The shape depends on the values.
        "NonZero",
    ];

    private static readonly string[] s_once =
    [
        // LibTorch has no second derivative.
        "CtcLoss", "SampleBilinear", "ScaledDotProductAttention",
        // LibTorch's is not that of the formula: finite differences agree with ours.
        "GroupNorm",
        // LibTorch's is NaN for a line of one element, at 0, and where exp(y − x) overflows.
        "LogCumSumExp", "CopySign", "LogAddExp",
    ];

    private static IEnumerable<Rule> FromTable() => OperatorTable.All.Where(static r => !s_left.Contains(r.Function) && !s_left.Contains(r.Name)).Select(static row =>
        IsElementwise(row) ? new Rule(row.Name, row.Operands.Length, (_, a) => Elementwise(row, a)) { Weight = 2 }
        : new Rule(row.Name, 2, (c, a) => Shaped(row, c, a)) { Weight = 1 });

    private static bool IsElementwise(OperatorRow row) => row.Operands.Length <= 3 && row.Operands.All(o => o.Shape == new Shape(5, 401) && o.DType is null);

    // Operands are brought into the row's range, unless that is the usual one.
    private static Step? Elementwise(OperatorRow row, NDArray[] a)
    {
        if (!IsFloat(a) || !Fits.Broadcast(a) || a.Any(x => x.DType != a[0].DType)) return null;
        return Row(row, x => row.Ours([.. x.Select((v, i) => Ranged(row.Operands[i], v))]), x => row.Theirs([.. x.Select((v, i) => Ranged(row.Operands[i], v))]), "ranged");
    }

    // Drawn operands, moved a little by values of the program.
    private static Step? Shaped(OperatorRow row, Choice c, NDArray[] a)
    {
        if (!Values(a)) return null;
        NDArray[] drawn = row.Draw(c.Int(1000), timed: false, a[0].DType);
        return Row(row, x => row.Ours([.. drawn.Select((d, i) => row.Operands[i].IsVariable ? d + (Fits.To(x[i % 2], d.Shape).Tanh() * 0.25) : d)]),
            x => row.Theirs([.. drawn.Select((d, i) => row.Operands[i].IsVariable ? Their.Rounded(Their.Of(d) + (Their.Tanh(Fits.To(x[i % 2], d.Shape)) * 0.25)) : Their.Of(d))]), "fitted");
    }

    private static Step Row(OperatorRow row, Func<NDArray[], NDArray> ours, Func<Tensor[], Tensor> theirs, string how)
    {
        // Without a gradient on either side.
        if (!row.HasGradient) return Row(row with { HasGradient = true }, x => ours([.. x.Select(static v => v.Detach())]), x => theirs([.. x.Select(static v => v.detach())]), how);
        string operands = string.Join(", ", Enumerable.Range(0, Math.Max(1, Math.Min(2, row.Operands.Length))).Select(static i => $"x[{i}]"));
        return new Step(ours, theirs, $"OperatorTable[\"{row.Name}\"].Ours([{operands}]) /* {how} */", $"OperatorTable[\"{row.Name}\"].Theirs([{operands}]) /* {how} */")
        {
            IsTyped = false,
            IsOnce = s_once.Contains(row.Function),
            Slack = Math.Max(row.Slack, row.Slack64),
        };
    }

    private static NDArray Ranged(Operand operand, NDArray x) =>
        operand is { Low: -2, High: 2 } ? x : (x.Tanh() * ((operand.High - operand.Low) / 2)) + ((operand.High + operand.Low) / 2);

    private static Tensor Ranged(Operand operand, Tensor x) =>
        operand is { Low: -2, High: 2 } ? x : Their.Rounded((Their.Tanh(x) * ((operand.High - operand.Low) / 2)) + ((operand.High + operand.Low) / 2));
}
