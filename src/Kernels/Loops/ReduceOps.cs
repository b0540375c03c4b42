namespace Fusion.Kernels;

/// <summary>One kind of floating-point reduction, register by register.</summary>
internal interface IReduceOp
{
    /// <summary>The start of every lane and the padding of tails: accumulating it changes nothing.</summary>
    static abstract double Identity { get; }

    /// <summary>Takes an element into a lane.</summary>
    static abstract L Accumulate<L>(L lane, L x) where L : struct, ILane<L>;

    /// <summary>Joins two lanes or two partial results, the earlier one first.</summary>
    static abstract L Combine<L>(L a, L b) where L : struct, ILane<L>;
}

internal readonly struct SumReduction : IReduceOp
{
    public static double Identity => 0;

    public static L Accumulate<L>(L lane, L x) where L : struct, ILane<L> => lane + x;

    public static L Combine<L>(L a, L b) where L : struct, ILane<L> => a + b;
}

internal readonly struct SumOfSquaresReduction : IReduceOp
{
    public static double Identity => 0;

    public static L Accumulate<L>(L lane, L x) where L : struct, ILane<L> => lane + x * x;

    public static L Combine<L>(L a, L b) where L : struct, ILane<L> => a + b;
}

internal readonly struct ProdReduction : IReduceOp
{
    public static double Identity => 1;

    public static L Accumulate<L>(L lane, L x) where L : struct, ILane<L> => lane * x;

    public static L Combine<L>(L a, L b) where L : struct, ILane<L> => a * b;
}

/// <summary>The native maximum keeps its second operand when one is NaN, so a NaN in x enters by itself and one in the lane is kept by the select.</summary>
internal readonly struct MaxReduction : IReduceOp
{
    public static double Identity => double.NegativeInfinity;

    public static L Accumulate<L>(L lane, L x) where L : struct, ILane<L> => L.Select(L.Equal(lane, lane), L.MaxNative(lane, x), lane);

    public static L Combine<L>(L a, L b) where L : struct, ILane<L> => Accumulate(a, b);
}

internal readonly struct MinReduction : IReduceOp
{
    public static double Identity => double.PositiveInfinity;

    public static L Accumulate<L>(L lane, L x) where L : struct, ILane<L> => L.Select(L.Equal(lane, lane), L.MinNative(lane, x), lane);

    public static L Combine<L>(L a, L b) where L : struct, ILane<L> => Accumulate(a, b);
}

/// <summary>The maximum of the numbers, NaN ignored: the shift of a softmax, where a NaN spoils the sum of exponentials anyway.</summary>
internal readonly struct MaxNumberReduction : IReduceOp
{
    public static double Identity => double.NegativeInfinity;

    public static L Accumulate<L>(L lane, L x) where L : struct, ILane<L> => L.MaxNative(x, lane);

    public static L Combine<L>(L a, L b) where L : struct, ILane<L> => L.MaxNative(b, a);
}

/// <summary>Joins the partial results of <typeparamref name="TOp"/>.</summary>
internal readonly struct Partials<TOp> : IReduceOp
    where TOp : IReduceOp
{
    public static double Identity => TOp.Identity;

    public static L Accumulate<L>(L lane, L x) where L : struct, ILane<L> => TOp.Combine(lane, x);

    public static L Combine<L>(L a, L b) where L : struct, ILane<L> => TOp.Combine(a, b);
}
