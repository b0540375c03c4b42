using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>What a row's sum adds up: a function of the elements of one or two rows and a value per row.</summary>
internal interface IRowTerm
{
    /// <summary>The terms are written out as well.</summary>
    static abstract bool IsKept { get; }

    /// <summary>The term has a formula: four of them use up what the JIT inlines into one method where registers are narrow.</summary>
    static virtual bool IsLong => false;

    static abstract L Term<L>(L a, L b, L shift) where L : struct, ILane<L>;
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

/// <summary>a·b, rounded.</summary>
internal readonly struct Product : IRowTerm
{
    public static bool IsKept => false;

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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Term<L>(L a, L b, L shift) where L : struct, ILane<L> => (a - b) * (a - b);
}

/// <summary>An operator of a and b.</summary>
internal readonly struct PairTerm<TOp> : IRowTerm
    where TOp : struct, IBinaryOp
{
    public static bool IsKept => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Term<L>(L a, L b, L shift) where L : struct, ILane<L> => TOp.Invoke(a, b);
}

/// <summary>An operator of a, b and the shift.</summary>
internal readonly struct ShiftedTerm<TOp> : IRowTerm
    where TOp : struct, ITernaryOp
{
    public static bool IsKept => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Term<L>(L a, L b, L shift) where L : struct, ILane<L> => TOp.Invoke(a, b, shift);
}

/// <summary>(a − shift)·b.</summary>
internal readonly struct ShiftedProduct : IRowTerm
{
    public static bool IsKept => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Term<L>(L a, L b, L shift) where L : struct, ILane<L> => (a - shift) * b;
}

/// <summary>The sum of terms that are computed on the way, in registers: bit for bit the sum, by <see cref="ReduceTree"/>, of a row of these terms.</summary>
internal static unsafe class RowSum<TTerm, L, T>
    where TTerm : IRowTerm
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The sum of the terms of a and b, n each.</summary>
    public static T Sum(T* a, T* b, L shift, long n) => Sum(a, b, shift, n, null, 0);

    /// <summary>The sum of the terms of a and b, n each.</summary>
    /// <param name="a">The first operand.</param>
    /// <param name="b">The second operand.</param>
    /// <param name="shift">A value of the row.</param>
    /// <param name="n">Elements of the row.</param>
    /// <param name="kept">Where the terms are written if the term says so; may be an operand.</param>
    /// <param name="ahead">The elements of a and of kept that lie this far behind are asked for: see <see cref="RowAhead"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T Sum(T* a, T* b, L shift, long n, T* kept, long ahead)
    {
        if (n <= ReduceTree.Block) return BlockSum(a, b, shift, n, kept, ahead);
        var blocks = ReduceTree.BlockCount(n);
        using var scratch = new NativeScratch(blocks * sizeof(T));
        var partials = (T*)scratch.Pointer;
        for (long i = 0; i < blocks; i++)
        {
            var from = i * ReduceTree.Block;
            partials[i] = BlockSum(a + from, b + from, shift, Math.Min(ReduceTree.Block, n - from), kept + from, ahead);
        }

        return ReduceTree.ReduceRow<SumReduction, L, T>(partials, blocks);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static T BlockSum(T* a, T* b, L shift, long n, T* kept, long ahead)
    {
        T* lanes = stackalloc T[ReduceTree.Lanes];
        var full = n & ~(ReduceTree.Lanes - 1L);
        if (TTerm.IsLong && 4 * L.Count < ReduceTree.Lanes)
        {
            for (var part = 0; part < ReduceTree.Lanes; part += 2 * L.Count) LongSums(a + part, b + part, shift, full, kept + part, ahead, lanes + part);
            return Rest(a + full, b + full, shift, n - full, kept + full, lanes);
        }

        for (var part = 0; part < ReduceTree.Lanes; part += 4 * L.Count)
        {
            L s0 = L.Const(0), s1 = s0, s2 = s0, s3 = s0;
            for (long i = part; i < full; i += ReduceTree.Lanes)
            {
                s0 += Next(a + i, b + i, shift, kept + i, ahead);
                s1 += Next(a + i + L.Count, b + i + L.Count, shift, kept + i + L.Count, ahead);
                s2 += Next(a + i + 2 * L.Count, b + i + 2 * L.Count, shift, kept + i + 2 * L.Count, ahead);
                s3 += Next(a + i + 3 * L.Count, b + i + 3 * L.Count, shift, kept + i + 3 * L.Count, ahead);
            }

            if (4 * L.Count == ReduceTree.Lanes && full == n) return ReduceTree.Fold4<SumReduction, L, T>(s0, s1, s2, s3);
            Put(s0, s1, s2, s3, lanes + part);
        }

        return Rest(a + full, b + full, shift, n - full, kept + full, lanes);
    }

    // Two registers of every 64 lanes.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void LongSums(T* a, T* b, L shift, long n, T* kept, long ahead, T* lanes)
    {
        L s0 = L.Const(0), s1 = s0;
        for (long i = 0; i < n; i += ReduceTree.Lanes)
        {
            s0 += Next(a + i, b + i, shift, kept + i, ahead);
            s1 += Next(a + i + L.Count, b + i + L.Count, shift, kept + i + L.Count, ahead);
        }

        L.Store(s0, lanes);
        L.Store(s1, lanes + L.Count);
    }

    // These are methods of their own because four exponentials use up what the JIT inlines in one; without AVX-512 their instructions are more, and calls took three quarters of a softmax.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Put(L s0, L s1, L s2, L s3, T* lanes)
    {
        L.Store(s0, lanes);
        L.Store(s1, lanes + L.Count);
        L.Store(s2, lanes + 2 * L.Count);
        L.Store(s3, lanes + 3 * L.Count);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static T Rest(T* a, T* b, L shift, long n, T* kept, T* lanes)
    {
        for (long i = 0; i < n; i += L.Count)
        {
            T* lane = lanes + i;
            var term = TTerm.Term(L.Load(a + i), L.Load(b + i), shift);
            if (TTerm.IsKept) LaneTail.Store<L, T>(term, kept + i, n - i);
            L.Store(L.Load(lane) + (n - i >= L.Count ? term : L.Select(LaneTail.Mask<L, T>(n - i), term, L.Const(0))), lane);
        }

        return ReduceTree.Fold<SumReduction, L, T>(lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L Next(T* a, T* b, L shift, T* kept, long ahead)
    {
        var term = TTerm.Term(L.Load(a), L.Load(b), shift);
        if (!TTerm.IsKept) return term;
        L.Store(term, kept);
        RowAhead.Fetch(a + ahead);
        RowAhead.Fetch(kept + ahead);
        return term;
    }
}
