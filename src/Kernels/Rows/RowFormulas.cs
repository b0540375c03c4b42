using static Fusion.Kernels.ElementOps;

namespace Fusion.Kernels;

/// <summary>
/// The row kernels of the library as formulas: those of <see cref="RowKernels"/> and <see cref="RowNormalize"/>, operation for operation, so that with the
/// same reduction tree the bits are the same, alone or beside others in one program.
/// </summary>
internal static class RowFormulas
{
    /// <summary>exp(x − max) · (1/Σ exp(x − max)).</summary>
    public static RowValue Softmax(RowSpecBuilder p, RowValue x)
    {
        RowValue e = p.Apply(Exp, x - p.Reduce(RowReduction.MaxNumber, x));
        return e * (p.Constant(1) / p.Reduce(RowReduction.Sum, e));
    }

    /// <summary>(x − max) − log Σ exp(x − max).</summary>
    public static RowValue LogSoftmax(RowSpecBuilder p, RowValue x)
    {
        RowValue shifted = x - p.Reduce(RowReduction.MaxNumber, x);
        return shifted - p.Apply(Log, p.Reduce(RowReduction.Sum, p.Apply(Exp, shifted)));
    }

    /// <summary>y · (g − Σ y·g) of the softmax y.</summary>
    public static RowValue SoftmaxGradient(RowSpecBuilder p, RowValue y, RowValue g) => y * (g - p.Reduce(RowReduction.Sum, y * g));

    /// <summary>g − exp(y) · Σ g of the log-softmax y.</summary>
    public static RowValue LogSoftmaxGradient(RowSpecBuilder p, RowValue y, RowValue g) => g - (p.Apply(Exp, y) * p.Reduce(RowReduction.Sum, g));

    /// <summary>One a row: −((x[label] − max) − log Σ exp(x − max)).</summary>
    public static RowValue CrossEntropy(RowSpecBuilder p, RowValue x, RowValue label)
    {
        RowValue max = p.Reduce(RowReduction.MaxNumber, x);
        return -(p.At(x, label) - max - p.Apply(Log, p.Reduce(RowReduction.Sum, p.Apply(Exp, x - max))));
    }

    /// <summary>(softmax x − one-hot label) · g with one g a row.</summary>
    public static RowValue CrossEntropyGradient(RowSpecBuilder p, RowValue x, RowValue label, RowValue g)
    {
        RowValue y = Softmax(p, x);
        return p.Apply(Where, p.Is(label), y - p.Constant(1), y) * g;
    }

    /// <summary>x̂·gamma + beta, of which gamma and beta may be missing.</summary>
    public static RowValue Normalize(RowSpecBuilder p, RowValue x, RowValue? gamma, RowValue? beta, RowValue epsilon, bool centered)
    {
        RowValue y = Standardized(p, x, epsilon, centered).Value;
        if (gamma is { } scale) y *= scale;
        if (beta is { } shift) y += shift;
        return y;
    }

    /// <summary>r·(h − mean h − x̂·mean(h·x̂)) with h = g·gamma; without centering there is no mean h.</summary>
    public static RowValue NormalizeGradient(RowSpecBuilder p, RowValue x, RowValue g, RowValue? gamma, RowValue epsilon, bool centered)
    {
        RowValue h = gamma is { } scale ? g * scale : g;
        (RowValue value, RowValue difference, RowValue r, RowValue n) = Standardized(p, x, epsilon, centered);
        RowValue dot = p.Reduce(RowReduction.Sum, difference * h) / n * r;
        RowValue rest = centered ? h - (p.Reduce(RowReduction.Sum, h) / n) : h;
        return (rest - (value * dot)) * r;
    }

    /// <summary>x̂ = (x − μ)·r, x − μ, r = 1/√(mean (x − μ)² + ε) and the length.</summary>
    public static (RowValue Value, RowValue Difference, RowValue Scale, RowValue Length) Standardized(
        RowSpecBuilder p, RowValue x, RowValue epsilon, bool centered)
    {
        RowValue n = p.Length();
        RowValue difference = centered ? x - (p.Reduce(RowReduction.Sum, x) / n) : x;
        RowValue variance = p.Reduce(RowReduction.Sum, p.Apply(Square, difference)) / n;
        RowValue r = p.Constant(1) / p.Apply(Sqrt, variance + epsilon);
        return (difference * r, difference, r, n);
    }
}
