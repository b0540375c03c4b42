using System.Collections.Concurrent;
using static Fusion.Kernels.ElementOps;

namespace Fusion.Kernels;

/// <summary>
/// The row kernels of the library as programs: the formulas of <see cref="RowKernels"/> and <see cref="RowNormalize"/>, operation for operation, so that
/// with the same reduction tree the bits are the same. Each names its operands in order.
/// </summary>
internal static class RowPrograms
{
    private static readonly ConcurrentDictionary<(string Name, bool Is64, int Flags), RowSpec> s_programs = new();

    /// <summary>Inputs: x. Output: y = exp(x − max) · (1/Σ exp(x − max)).</summary>
    public static RowSpec Softmax(bool is64) => Get(nameof(Softmax), is64, 0, static (p, _) =>
    {
        (RowValue e, RowValue scale) = Exponentials(p, p.Elements());
        p.Output(e * scale);
    });

    /// <summary>Inputs: x. Output: (x − max) − log Σ exp(x − max).</summary>
    public static RowSpec LogSoftmax(bool is64) => Get(nameof(LogSoftmax), is64, 0, static (p, _) =>
    {
        RowValue x = p.Elements(), shifted = x - p.Reduce(RowReduction.MaxNumber, x);
        p.Output(shifted - p.Apply(Log, p.Reduce(RowReduction.Sum, p.Apply(Exp, shifted))));
    });

    /// <summary>Inputs: the softmax y, g. Output: y · (g − Σ y·g).</summary>
    public static RowSpec SoftmaxGradient(bool is64) => Get(nameof(SoftmaxGradient), is64, 0, static (p, _) =>
    {
        RowValue y = p.Elements(), g = p.Elements();
        p.Output(y * (g - p.Reduce(RowReduction.Sum, y * g)));
    });

    /// <summary>Inputs: the log-softmax y, g. Output: g − exp(y) · Σ g.</summary>
    public static RowSpec LogSoftmaxGradient(bool is64) => Get(nameof(LogSoftmaxGradient), is64, 0, static (p, _) =>
    {
        RowValue y = p.Elements(), g = p.Elements();
        p.Output(g - (p.Apply(Exp, y) * p.Reduce(RowReduction.Sum, g)));
    });

    /// <summary>Inputs: x. Output, one a row: shift + log Σ exp(x − shift), where the shift is the maximum or 0 for an infinite one.</summary>
    public static RowSpec LogSumExp(bool is64) => Get(nameof(LogSumExp), is64, 0, static (p, _) =>
    {
        RowValue x = p.Elements(), max = p.Reduce(RowReduction.MaxNumber, x);
        RowValue shift = p.Apply(Where, p.Apply(IsFinite, max), max, p.Constant(0));
        p.Output(p.Apply(Log, p.Reduce(RowReduction.Sum, p.Apply(Exp, x - shift))) + shift);
    });

    /// <summary>Inputs: logits x, labels. Output, one a row: −((x[label] − max) − log Σ exp(x − max)).</summary>
    public static RowSpec CrossEntropy(bool is64) => Get(nameof(CrossEntropy), is64, 0, static (p, _) =>
    {
        RowValue x = p.Elements(), label = p.Label(), max = p.Reduce(RowReduction.MaxNumber, x);
        p.Output(-(p.At(x, label) - max - p.Apply(Log, p.Reduce(RowReduction.Sum, p.Apply(Exp, x - max)))));
    });

    /// <summary>Inputs: logits x, labels, g, one a row. Output: (softmax x − one-hot label) · g.</summary>
    public static RowSpec CrossEntropyGradient(bool is64) => Get(nameof(CrossEntropyGradient), is64, 0, static (p, _) =>
    {
        RowValue x = p.Elements(), label = p.Label(), g = p.PerRow();
        (RowValue e, RowValue scale) = Exponentials(p, x);
        RowValue y = e * scale;
        p.Output(p.Apply(Where, p.Is(label), y - p.Constant(1), y) * g);
    });

    /// <summary>Inputs: x, gamma and beta as asked for, both one a column, ε. Output: x̂·gamma + beta.</summary>
    public static RowSpec Normalize(bool is64, bool centered, bool gamma, bool beta) =>
        Get(nameof(Normalize), is64, Flags(centered, gamma, beta), static (p, flags) =>
        {
            RowValue x = p.Elements();
            RowValue? gamma = (flags & 2) != 0 ? p.Elements() : null, beta = (flags & 4) != 0 ? p.Elements() : null;
            RowValue y = Standardized(p, x, p.Number(), (flags & 1) != 0).Value;
            if (gamma is { } scale) y *= scale;
            if (beta is { } shift) y += shift;
            p.Output(y);
        });

    /// <summary>
    /// Inputs: x, g, gamma if asked for, one a column, ε. Output: r·(h − mean h − x̂·mean(h·x̂)) with h = g·gamma; without centering there is no mean h.
    /// </summary>
    public static RowSpec NormalizeGradient(bool is64, bool centered, bool gamma) =>
        Get(nameof(NormalizeGradient), is64, Flags(centered, gamma, false), static (p, flags) =>
        {
            bool centered = (flags & 1) != 0;
            RowValue x = p.Elements(), h = p.Elements();
            RowValue? gamma = (flags & 2) != 0 ? p.Elements() : null;
            RowValue epsilon = p.Number();
            if (gamma is { } scaled) h *= scaled;
            (RowValue value, RowValue difference, RowValue r, RowValue n) = Standardized(p, x, epsilon, centered);
            RowValue dot = p.Reduce(RowReduction.Sum, difference * h) / n * r;
            RowValue rest = centered ? h - (p.Reduce(RowReduction.Sum, h) / n) : h;
            p.Output((rest - (value * dot)) * r);
        });

    /// <summary>Inputs: x, g, ε. Output: g·x̂, whose sum over the rows is the gradient of gamma.</summary>
    public static RowSpec NormalizeProduct(bool is64, bool centered) => Get(nameof(NormalizeProduct), is64, Flags(centered, false, false), static (p, flags) =>
    {
        RowValue x = p.Elements(), g = p.Elements();
        p.Output(g * Standardized(p, x, p.Number(), (flags & 1) != 0).Value);
    });

    /// <summary>Inputs: prediction, target. Output, one a row: the mean of the squared differences.</summary>
    public static RowSpec MeanSquaredError(bool is64) => Get(nameof(MeanSquaredError), is64, 0, static (p, _) =>
    {
        RowValue x = p.Elements(), y = p.Elements();
        p.Output(p.Reduce(RowReduction.Sum, p.Apply(Square, x - y)) / p.Length());
    });

    // exp(x − max), and the reciprocal of its sum.
    private static (RowValue Exp, RowValue Scale) Exponentials(RowSpecBuilder p, RowValue x)
    {
        RowValue e = p.Apply(Exp, x - p.Reduce(RowReduction.MaxNumber, x));
        return (e, p.Constant(1) / p.Reduce(RowReduction.Sum, e));
    }

    // x̂ = (x − μ)·r, x − μ, r = 1/√(mean (x − μ)² + ε) and the length.
    private static (RowValue Value, RowValue Difference, RowValue Scale, RowValue Length) Standardized(
        RowSpecBuilder p, RowValue x, RowValue epsilon, bool centered)
    {
        RowValue n = p.Length();
        RowValue difference = centered ? x - (p.Reduce(RowReduction.Sum, x) / n) : x;
        RowValue variance = p.Reduce(RowReduction.Sum, p.Apply(Square, difference)) / n;
        RowValue r = p.Constant(1) / p.Apply(Sqrt, variance + epsilon);
        return (difference * r, difference, r, n);
    }

    private static int Flags(bool centered, bool gamma, bool beta) => (centered ? 1 : 0) | (gamma ? 2 : 0) | (beta ? 4 : 0);

    private static RowSpec Get(string name, bool is64, int flags, Action<RowSpecBuilder, int> write)
    {
        if (s_programs.TryGetValue((name, is64, flags), out RowSpec? known)) return known;
        RowSpecBuilder builder = new(is64);
        write(builder, flags);
        return s_programs.GetOrAdd((name, is64, flags), builder.Build());
    }
}
