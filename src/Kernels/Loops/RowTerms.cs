using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>What a row's sum adds up: a function of the elements of one or two rows and a value per row.</summary>
internal interface IRowTerm
{
    /// <summary>The terms are written out as well.</summary>
    static abstract bool IsKept { get; }

    /// <summary>The term has a formula: four of them use up what the JIT inlines into one method where registers are narrow.</summary>
    static virtual bool IsLong => false;

    /// <summary>The term reads b.</summary>
    static virtual bool IsPair => false;

    /// <summary>The pass asks for memory that is needed later: see <see cref="RowAhead"/>.</summary>
    static virtual bool Fetches => false;

    static abstract L Term<L>(L a, L b, L shift) where L : struct, ILane<L>;
}

/// <summary>The same terms in a pass that asks for memory.</summary>
internal readonly struct Fetching<TTerm> : IRowTerm
    where TTerm : IRowTerm
{
    public static bool IsKept => TTerm.IsKept;

    public static bool IsLong => TTerm.IsLong;

    public static bool IsPair => TTerm.IsPair;

    public static bool Fetches => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Term<L>(L a, L b, L shift) where L : struct, ILane<L> => TTerm.Term(a, b, shift);
}

/// <summary>a.</summary>
internal readonly struct First : IRowTerm
{
    public static bool IsKept => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Term<L>(L a, L b, L shift) where L : struct, ILane<L> => a;
}

/// <summary>exp(a − shift).</summary>
internal readonly struct ShiftedExp : IRowTerm
{
    public static bool IsKept => false;

    public static bool IsLong => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Term<L>(L a, L b, L shift) where L : struct, ILane<L> => Formulas.Exp(a - shift);
}

/// <summary>exp(a − shift) for a shift that is the maximum.</summary>
internal readonly struct ExpToMaximum : IRowTerm
{
    public static bool IsKept => false;

    public static bool IsLong => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Term<L>(L a, L b, L shift) where L : struct, ILane<L> => Formulas.ExpOfNegative(a - shift);
}

/// <summary>exp(a − shift) for a shift that is the maximum, which is needed once more.</summary>
internal readonly struct KeptExp : IRowTerm
{
    public static bool IsKept => true;

    public static bool IsLong => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Term<L>(L a, L b, L shift) where L : struct, ILane<L> => Formulas.ExpOfNegative(a - shift);
}

/// <summary>b.</summary>
internal readonly struct Second : IRowTerm
{
    public static bool IsKept => false;

    public static bool IsPair => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Term<L>(L a, L b, L shift) where L : struct, ILane<L> => b;
}

/// <summary>a·b, rounded.</summary>
internal readonly struct Product : IRowTerm
{
    public static bool IsKept => false;

    public static bool IsPair => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Term<L>(L a, L b, L shift) where L : struct, ILane<L> => a * b;
}

/// <summary>(a − shift)².</summary>
internal readonly struct SquaredDifference : IRowTerm
{
    public static bool IsKept => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Term<L>(L a, L b, L shift) where L : struct, ILane<L> => (a - shift) * (a - shift);
}

/// <summary>(a − b)², the difference rounded first.</summary>
internal readonly struct PairSquaredDifference : IRowTerm
{
    public static bool IsKept => false;

    public static bool IsPair => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Term<L>(L a, L b, L shift) where L : struct, ILane<L> => (a - b) * (a - b);
}

/// <summary>An operator of a and b.</summary>
internal readonly struct PairTerm<TOp> : IRowTerm
    where TOp : struct, IBinaryOp
{
    public static bool IsKept => false;

    public static bool IsPair => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Term<L>(L a, L b, L shift) where L : struct, ILane<L> => TOp.Invoke(a, b);
}

/// <summary>An operator of a, b and the shift.</summary>
internal readonly struct ShiftedTerm<TOp> : IRowTerm
    where TOp : struct, ITernaryOp
{
    public static bool IsKept => false;

    public static bool IsPair => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Term<L>(L a, L b, L shift) where L : struct, ILane<L> => TOp.Invoke(a, b, shift);
}

/// <summary>(a − shift)·b.</summary>
internal readonly struct ShiftedProduct : IRowTerm
{
    public static bool IsKept => false;

    public static bool IsPair => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Term<L>(L a, L b, L shift) where L : struct, ILane<L> => (a - shift) * b;
}
