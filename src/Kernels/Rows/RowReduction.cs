namespace Fusion.Kernels;

/// <summary>What a row's elements are folded with: the operations of <see cref="IReduceOp"/>.</summary>
internal enum RowReduction
{
    Sum,
    Prod,

    /// <summary>NaN wins.</summary>
    Max,

    /// <summary>NaN wins.</summary>
    Min,

    /// <summary>The largest number, NaN ignored.</summary>
    MaxNumber,
}

/// <summary>The formulas of the reductions as trees.</summary>
internal static class RowReductions
{
    public static double Identity(this RowReduction reduction) => reduction switch
    {
        RowReduction.Sum => SumReduction.Identity,
        RowReduction.Prod => ProdReduction.Identity,
        RowReduction.Max => MaxReduction.Identity,
        RowReduction.Min => MinReduction.Identity,
        _ => MaxNumberReduction.Identity,
    };

    /// <summary>Takes an element into a lane, which is a variable.</summary>
    public static TreeLane Accumulate(this RowReduction reduction, TreeLane lane, TreeLane x) => reduction switch
    {
        RowReduction.Sum => SumReduction.Accumulate(lane, x),
        RowReduction.Prod => ProdReduction.Accumulate(lane, x),
        RowReduction.Max => MaxReduction.Accumulate(lane, x),
        RowReduction.Min => MinReduction.Accumulate(lane, x),
        _ => MaxNumberReduction.Accumulate(lane, x),
    };

    /// <summary>Joins two lanes, the earlier one first.</summary>
    public static TreeLane Combine(this RowReduction reduction, TreeLane a, TreeLane b)
    {
        a = TreeLane.Let(a);
        return reduction switch
        {
            RowReduction.Sum => SumReduction.Combine(a, b),
            RowReduction.Prod => ProdReduction.Combine(a, b),
            RowReduction.Max => MaxReduction.Combine(a, b),
            RowReduction.Min => MinReduction.Combine(a, b),
            _ => MaxNumberReduction.Combine(a, TreeLane.Let(b)),
        };
    }
}
