using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>The sum of terms that are computed on the way, in registers: bit for bit the sum, by <see cref="ReduceTree"/>, of a row of these terms.</summary>
internal static unsafe class RowSum<TTerm, L, T>
    where TTerm : IRowTerm
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The sum of the terms of a and b, n each.</summary>
    public static T Sum(T* a, T* b, L shift, long n) => Sum(a, b, shift, n, null, null);

    /// <summary>The sum of the terms of a and b, n each.</summary>
    /// <param name="a">The first operand.</param>
    /// <param name="b">The second operand.</param>
    /// <param name="shift">A value of the row.</param>
    /// <param name="n">Elements of the row.</param>
    /// <param name="kept">Where the terms are written if the term says so; may be an operand.</param>
    /// <param name="ahead">n elements that are asked for if the term says so.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T Sum(T* a, T* b, L shift, long n, T* kept, T* ahead)
    {
        if (n <= ReduceTree.Block) return BlockSum(a, b, shift, n, kept, ahead);
        var blocks = ReduceTree.BlockCount(n);
        using var scratch = new NativeScratch(blocks * sizeof(T));
        var partials = (T*)scratch.Pointer;
        for (long i = 0; i < blocks; i++)
        {
            var from = i * ReduceTree.Block;
            partials[i] = BlockSum(a + from, b + from, shift, Math.Min(ReduceTree.Block, n - from), kept + from, ahead + from);
        }

        return ReduceTree.ReduceRow<SumReduction, L, T>(partials, blocks);
    }

    // What runs after a loop is called by the method that calls the loop: the JIT keeps a value that lives on past a call in memory, in the loop before it too.
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static T BlockSum(T* a, T* b, L shift, long n, T* kept, T* ahead)
    {
        T* lanes = stackalloc T[ReduceTree.Lanes];
        var full = n & ~(ReduceTree.Lanes - 1L);
        if (4 * L.Count == ReduceTree.Lanes) return Whole(a, b, shift, n, kept, ahead);
        if (TTerm.IsLong && 4 * L.Count < ReduceTree.Lanes)
        {
            for (var part = 0; part < ReduceTree.Lanes; part += 2 * L.Count) LongSums(a + part, b + part, shift, full, kept + part, ahead + part, lanes + part);
        }
        else
        {
            for (var part = 0; part < ReduceTree.Lanes; part += 4 * L.Count) Sums(a + part, b + part, shift, full, kept + part, ahead + part, lanes + part);
        }

        return Rest(a + full, b + full, shift, n - full, kept + full, lanes);
    }

    // All 64 lanes: nothing passes through memory.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static T Whole(T* a, T* b, L shift, long n, T* kept, T* ahead)
    {
        L s0 = L.Const(0), s1 = s0, s2 = s0, s3 = s0;
        long i = 0;
        for (; i + ReduceTree.Lanes <= n; i += ReduceTree.Lanes)
        {
            s0 += Next(a + i, b + i, shift, kept + i, ahead + i);
            s1 += Next(a + i + L.Count, b + i + L.Count, shift, kept + i + L.Count, ahead + i + L.Count);
            s2 += Next(a + i + 2 * L.Count, b + i + 2 * L.Count, shift, kept + i + 2 * L.Count, ahead + i + 2 * L.Count);
            s3 += Next(a + i + 3 * L.Count, b + i + 3 * L.Count, shift, kept + i + 3 * L.Count, ahead + i + 3 * L.Count);
        }

        n -= i;
        a += i;
        b += i;
        kept += i;
        if (n > 0) s0 += Last(a, b, shift, kept, n);
        if (n > L.Count) s1 += Last(a + L.Count, b + L.Count, shift, kept + L.Count, n - L.Count);
        if (n > 2 * L.Count) s2 += Last(a + 2 * L.Count, b + 2 * L.Count, shift, kept + 2 * L.Count, n - 2 * L.Count);
        if (n > 3 * L.Count) s3 += Last(a + 3 * L.Count, b + 3 * L.Count, shift, kept + 3 * L.Count, n - 3 * L.Count);
        return ReduceTree.Fold4<SumReduction, L, T>(s0, s1, s2, s3);
    }

    // Four registers of every 64 lanes.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Sums(T* a, T* b, L shift, long n, T* kept, T* ahead, T* lanes)
    {
        L s0 = L.Const(0), s1 = s0, s2 = s0, s3 = s0;
        for (long i = 0; i < n; i += ReduceTree.Lanes)
        {
            s0 += Next(a + i, b + i, shift, kept + i, ahead + i);
            s1 += Next(a + i + L.Count, b + i + L.Count, shift, kept + i + L.Count, ahead + i + L.Count);
            s2 += Next(a + i + 2 * L.Count, b + i + 2 * L.Count, shift, kept + i + 2 * L.Count, ahead + i + 2 * L.Count);
            s3 += Next(a + i + 3 * L.Count, b + i + 3 * L.Count, shift, kept + i + 3 * L.Count, ahead + i + 3 * L.Count);
        }

        L.Store(s0, lanes);
        L.Store(s1, lanes + L.Count);
        L.Store(s2, lanes + 2 * L.Count);
        L.Store(s3, lanes + 3 * L.Count);
    }

    // Two registers of every 64 lanes.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void LongSums(T* a, T* b, L shift, long n, T* kept, T* ahead, T* lanes)
    {
        L s0 = L.Const(0), s1 = s0;
        for (long i = 0; i < n; i += ReduceTree.Lanes)
        {
            s0 += Next(a + i, b + i, shift, kept + i, ahead + i);
            s1 += Next(a + i + L.Count, b + i + L.Count, shift, kept + i + L.Count, ahead + i + L.Count);
        }

        L.Store(s0, lanes);
        L.Store(s1, lanes + L.Count);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static T Rest(T* a, T* b, L shift, long n, T* kept, T* lanes)
    {
        for (long i = 0; i < n; i += L.Count)
        {
            T* lane = lanes + i;
            L.Store(L.Load(lane) + Last(a + i, b + i, shift, kept + i, n - i), lane);
        }

        return ReduceTree.Fold<SumReduction, L, T>(lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L Next(T* a, T* b, L shift, T* kept, T* ahead)
    {
        var term = Term(a, b, shift);
        if (TTerm.IsKept) L.Store(term, kept);
        if (TTerm.Fetches) RowAhead.Fetch(ahead);
        return term;
    }

    // The first n elements, or all.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L Last(T* a, T* b, L shift, T* kept, long n)
    {
        var term = Term(a, b, shift);
        if (TTerm.IsKept) LaneTail.Store<L, T>(term, kept, n);
        return n >= L.Count ? term : L.Select(LaneTail.Mask<L, T>(n), term, L.Const(0));
    }

    // A load whose value nobody uses would remain, to fail where it must.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L Term(T* a, T* b, L shift) => TTerm.Term(L.Load(a), TTerm.IsPair ? L.Load(b) : L.Const(0), shift);
}
