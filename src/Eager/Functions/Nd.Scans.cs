namespace Fusion;

// Running results along an axis, of the flattened array when none is given.
public static partial class Nd
{
    /// <summary>Running products; integers give Int64.</summary>
    public static NDArray CumProd(this NDArray x, int? axis = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Running(OpTable.CumProd, Elements.To(x, Reductions.SumType(x.DType)), axis);
    }

    /// <summary>Running maxima; NaN from the first one on. Of equal elements the first gets the gradient.</summary>
    public static NDArray CumMax(this NDArray x, int? axis = null) => Running(OpTable.CumMax, Elements.To(Checked(x), Elements.NumberType(x.DType)), axis);

    /// <summary>Running minima; NaN from the first one on. Of equal elements the first gets the gradient.</summary>
    public static NDArray CumMin(this NDArray x, int? axis = null) => Running(OpTable.CumMin, Elements.To(Checked(x), Elements.NumberType(x.DType)), axis);

    /// <summary>ln of the running sums of eˣ, without overflow.</summary>
    /// <remarks>
    /// Doubles the distance at each pass over the axis (Hillis and Steele, "Data parallel algorithms", CACM 29, 1986): passes over registers are faster
    /// than one pass element by element, each of which would wait for the exponential of the one before.
    /// </remarks>
    public static NDArray LogCumSumExp(this NDArray x, int? axis = null)
    {
        if (Checked(x).DType.IsHalf) return LogCumSumExp(Elements.Wide(x), axis).AsType(x.DType);
        NDArray y = axis is null ? OneAxis("LogCumSumExp", RealInput(x)) : RealInput(x);
        int at = y.Shape.Axis(axis ?? 0, "LogCumSumExp"), n = y.Shape[at];
        using Temporaries made = Temporaries.Collect();
        for (int distance = 1; distance < n; distance = (int)Math.Min(n, 2L * distance))
            y = Concat([Slice(y, at, 0, distance), LogAddExp(Slice(y, at, 0, n - distance), Slice(y, at, distance, n))], at);
        return made.Keep(ReferenceEquals(y, x) ? x.Alias() : y);
    }

    /// <summary>Differences of neighbours along an axis, xᵢ₊₁ − xᵢ, taken <paramref name="order"/> times.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The order is negative, or the axis outside the shape.</exception>
    public static NDArray Diff(this NDArray x, int order = 1, int axis = -1)
    {
        ArgumentNullException.ThrowIfNull(x);
        Require.NotNegative(order);
        if (x.DType.IsHalf) return Diff(Elements.Wide(x), order, axis).AsType(x.DType);
        int at = x.Shape.Axis(axis, "Diff");
        if (order == 0) return x.Alias();
        if (x.DType.IsFloat && at == x.Rank - 1 && Math.Min(order, x.Shape[at]) is > 0 and var steps) return OpTable.Difference.Apply(x, new DifferenceAttributes(steps, false));
        using Temporaries made = Temporaries.Collect();
        for (order = Math.Min(order, Math.Max(1, x.Shape[at])); order > 0; order--) x = Slice(x, at, 1, null) - Slice(x, at, 0, Math.Max(0, x.Shape[at] - 1));
        return made.Keep(x);
    }

    private static NDArray Running(Op op, NDArray x, int? axis)
    {
        ArgumentNullException.ThrowIfNull(x);
        NDArray y = axis is null ? OneAxis(op.Name, x) : x;
        return op.Apply(y, new AxisAttributes(y.Shape.Axis(axis ?? 0, op.Name)));
    }
}
