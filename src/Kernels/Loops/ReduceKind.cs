namespace Fusion.Kernels;

/// <summary>What a reduction folds its elements with.</summary>
internal enum ReduceKind
{
    Sum,
    Prod,

    /// <summary>NaN wins, as in NumPy.</summary>
    Max,

    /// <summary>NaN wins, as in NumPy.</summary>
    Min,

    /// <summary>The sum of x·x, each square rounded: the bits of <see cref="Sum"/> over the squares.</summary>
    SumOfSquares,

    /// <summary>Some element is not zero (NaN is not zero); Bool output.</summary>
    Any,

    /// <summary>No element is zero; Bool output.</summary>
    All,
}
