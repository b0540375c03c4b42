using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>The sums of two terms of the same rows in one pass: the bits of two <see cref="RowSum{TTerm, L, T}"/>, one after the other; nothing is kept.</summary>
internal static unsafe class PairSum<TFirst, TSecond, L, T>
    where TFirst : IRowTerm
    where TSecond : IRowTerm
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (T First, T Second) Sum(T* a, T* b, L shift, long n, T* ahead = null)
    {
        if (n <= ReduceTree.Block) return BlockSum(a, b, shift, n, ahead);
        var blocks = ReduceTree.BlockCount(n);
        using var scratch = new NativeScratch(2 * blocks * sizeof(T));
        T* firsts = (T*)scratch.Pointer, seconds = firsts + blocks;
        for (long i = 0; i < blocks; i++)
        {
            var from = i * ReduceTree.Block;
            (firsts[i], seconds[i]) = BlockSum(a + from, b + from, shift, Math.Min(ReduceTree.Block, n - from), ahead + from);
        }

        return (ReduceTree.ReduceRow<SumReduction, L, T>(firsts, blocks), ReduceTree.ReduceRow<SumReduction, L, T>(seconds, blocks));
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (T First, T Second) BlockSum(T* a, T* b, L shift, long n, T* ahead)
    {
        T* firsts = stackalloc T[2 * ReduceTree.Lanes], seconds = firsts + ReduceTree.Lanes;
        var full = n & ~(ReduceTree.Lanes - 1L);
        if (4 * L.Count == ReduceTree.Lanes && full == n) return Whole(a, b, shift, n, ahead);
        for (var part = 0; part < ReduceTree.Lanes; part += 4 * L.Count) Sums(a + part, b + part, shift, full, ahead + part, firsts + part, seconds + part);
        if (full < n) Rest(a + full, b + full, shift, n - full, firsts, seconds);
        return (ReduceTree.Fold<SumReduction, L, T>(firsts), ReduceTree.Fold<SumReduction, L, T>(seconds));
    }

    // All 64 lanes, and no tail: nothing passes through memory.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static (T First, T Second) Whole(T* a, T* b, L shift, long n, T* ahead)
    {
        L s0 = L.Const(0), s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0, t2 = s0, t3 = s0;
        for (long i = 0; i < n; i += ReduceTree.Lanes)
        {
            Next(a + i, b + i, shift, ahead + i, ref s0, ref t0);
            Next(a + i + L.Count, b + i + L.Count, shift, ahead + i + L.Count, ref s1, ref t1);
            Next(a + i + 2 * L.Count, b + i + 2 * L.Count, shift, ahead + i + 2 * L.Count, ref s2, ref t2);
            Next(a + i + 3 * L.Count, b + i + 3 * L.Count, shift, ahead + i + 3 * L.Count, ref s3, ref t3);
        }

        return (ReduceTree.Fold4<SumReduction, L, T>(s0, s1, s2, s3), ReduceTree.Fold4<SumReduction, L, T>(t0, t1, t2, t3));
    }

    // Four registers of every 64 lanes.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Sums(T* a, T* b, L shift, long n, T* ahead, T* firsts, T* seconds)
    {
        L s0 = L.Const(0), s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0, t2 = s0, t3 = s0;
        for (long i = 0; i < n; i += ReduceTree.Lanes)
        {
            Next(a + i, b + i, shift, ahead + i, ref s0, ref t0);
            Next(a + i + L.Count, b + i + L.Count, shift, ahead + i + L.Count, ref s1, ref t1);
            Next(a + i + 2 * L.Count, b + i + 2 * L.Count, shift, ahead + i + 2 * L.Count, ref s2, ref t2);
            Next(a + i + 3 * L.Count, b + i + 3 * L.Count, shift, ahead + i + 3 * L.Count, ref s3, ref t3);
        }

        L.Store(s0, firsts);
        L.Store(s1, firsts + L.Count);
        L.Store(s2, firsts + 2 * L.Count);
        L.Store(s3, firsts + 3 * L.Count);
        L.Store(t0, seconds);
        L.Store(t1, seconds + L.Count);
        L.Store(t2, seconds + 2 * L.Count);
        L.Store(t3, seconds + 3 * L.Count);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Rest(T* a, T* b, L shift, long n, T* firsts, T* seconds)
    {
        for (long i = 0; i < n; i += L.Count)
        {
            L x = L.Load(a + i), y = L.Load(b + i), first = TFirst.Term(x, y, shift), second = TSecond.Term(x, y, shift);
            if (n - i < L.Count)
            {
                var mask = LaneTail.Mask<L, T>(n - i);
                (first, second) = (L.Select(mask, first, L.Const(0)), L.Select(mask, second, L.Const(0)));
            }

            L.Store(L.Load(firsts + i) + first, firsts + i);
            L.Store(L.Load(seconds + i) + second, seconds + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Next(T* a, T* b, L shift, T* ahead, ref L first, ref L second)
    {
        L x = L.Load(a), y = L.Load(b);
        first += TFirst.Term(x, y, shift);
        second += TSecond.Term(x, y, shift);
        if (TFirst.Fetches) RowAhead.Fetch(ahead);
    }
}
