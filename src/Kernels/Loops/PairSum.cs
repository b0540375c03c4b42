using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Whether the second row of two is multiplied by a third one first.</summary>
internal interface IRowScaling
{
    static abstract bool IsScaled { get; }
}

/// <summary>The second row is read as it is.</summary>
internal readonly struct PlainSecond : IRowScaling
{
    public static bool IsScaled => false;
}

/// <summary>The second row is multiplied by the third, rounded.</summary>
internal readonly struct ScaledSecond : IRowScaling
{
    public static bool IsScaled => true;
}

/// <summary>The sums of two terms of the same rows in one pass: the bits of two <see cref="RowSum{TTerm, L, T}"/>, one after the other; nothing is kept.</summary>
internal static unsafe class PairSum<TFirst, TSecond, TScaling, L, T>
    where TFirst : IRowTerm
    where TSecond : IRowTerm
    where TScaling : IRowScaling
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (T First, T Second) Sum(T* a, T* b, T* c, L shift, long n, T* ahead = null)
    {
        if (n <= ReduceTree.Block) return BlockSum(a, b, c, shift, n, ahead);
        var blocks = ReduceTree.BlockCount(n);
        using var scratch = new NativeScratch(2 * blocks * sizeof(T));
        T* firsts = (T*)scratch.Pointer, seconds = firsts + blocks;
        for (long i = 0; i < blocks; i++)
        {
            var from = i * ReduceTree.Block;
            (firsts[i], seconds[i]) = BlockSum(a + from, b + from, c + from, shift, Math.Min(ReduceTree.Block, n - from), ahead + from);
        }

        return (ReduceTree.ReduceRow<SumReduction, L, T>(firsts, blocks), ReduceTree.ReduceRow<SumReduction, L, T>(seconds, blocks));
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (T First, T Second) BlockSum(T* a, T* b, T* c, L shift, long n, T* ahead)
    {
        T* firsts = stackalloc T[2 * ReduceTree.Lanes], seconds = firsts + ReduceTree.Lanes;
        var full = n & ~(ReduceTree.Lanes - 1L);
        if (4 * L.Count == ReduceTree.Lanes) return Whole(a, b, c, shift, n, ahead);
        for (var part = 0; part < ReduceTree.Lanes; part += 4 * L.Count) Sums(a + part, b + part, c + part, shift, full, ahead + part, firsts + part, seconds + part);
        if (full < n) Rest(a + full, b + full, c + full, shift, n - full, firsts, seconds);
        return (ReduceTree.Fold<SumReduction, L, T>(firsts), ReduceTree.Fold<SumReduction, L, T>(seconds));
    }

    // All 64 lanes: nothing passes through memory.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static (T First, T Second) Whole(T* a, T* b, T* c, L shift, long n, T* ahead)
    {
        L s0 = L.Const(0), s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0, t2 = s0, t3 = s0;
        long i = 0;
        for (; i + ReduceTree.Lanes <= n; i += ReduceTree.Lanes)
        {
            Next(a + i, b + i, c + i, shift, ahead + i, ref s0, ref t0);
            Next(a + i + L.Count, b + i + L.Count, c + i + L.Count, shift, ahead + i + L.Count, ref s1, ref t1);
            Next(a + i + 2 * L.Count, b + i + 2 * L.Count, c + i + 2 * L.Count, shift, ahead + i + 2 * L.Count, ref s2, ref t2);
            Next(a + i + 3 * L.Count, b + i + 3 * L.Count, c + i + 3 * L.Count, shift, ahead + i + 3 * L.Count, ref s3, ref t3);
        }

        n -= i;
        a += i;
        b += i;
        c += i;
        if (n > 0) Last(a, b, c, shift, n, ref s0, ref t0);
        if (n > L.Count) Last(a + L.Count, b + L.Count, c + L.Count, shift, n - L.Count, ref s1, ref t1);
        if (n > 2 * L.Count) Last(a + 2 * L.Count, b + 2 * L.Count, c + 2 * L.Count, shift, n - 2 * L.Count, ref s2, ref t2);
        if (n > 3 * L.Count) Last(a + 3 * L.Count, b + 3 * L.Count, c + 3 * L.Count, shift, n - 3 * L.Count, ref s3, ref t3);
        return (ReduceTree.Fold4<SumReduction, L, T>(s0, s1, s2, s3), ReduceTree.Fold4<SumReduction, L, T>(t0, t1, t2, t3));
    }

    // Four registers of every 64 lanes.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Sums(T* a, T* b, T* c, L shift, long n, T* ahead, T* firsts, T* seconds)
    {
        L s0 = L.Const(0), s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0, t2 = s0, t3 = s0;
        for (long i = 0; i < n; i += ReduceTree.Lanes)
        {
            Next(a + i, b + i, c + i, shift, ahead + i, ref s0, ref t0);
            Next(a + i + L.Count, b + i + L.Count, c + i + L.Count, shift, ahead + i + L.Count, ref s1, ref t1);
            Next(a + i + 2 * L.Count, b + i + 2 * L.Count, c + i + 2 * L.Count, shift, ahead + i + 2 * L.Count, ref s2, ref t2);
            Next(a + i + 3 * L.Count, b + i + 3 * L.Count, c + i + 3 * L.Count, shift, ahead + i + 3 * L.Count, ref s3, ref t3);
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
    private static void Rest(T* a, T* b, T* c, L shift, long n, T* firsts, T* seconds)
    {
        for (long i = 0; i < n; i += L.Count)
        {
            L first = L.Load(firsts + i), second = L.Load(seconds + i);
            Last(a + i, b + i, c + i, shift, n - i, ref first, ref second);
            L.Store(first, firsts + i);
            L.Store(second, seconds + i);
        }
    }

    // The first n elements, or all.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Last(T* a, T* b, T* c, L shift, long n, ref L first, ref L second)
    {
        L x = L.Load(a), y = OfSecond(b, c), one = TFirst.Term(x, y, shift), other = TSecond.Term(x, y, shift);
        if (n < L.Count)
        {
            var mask = LaneTail.Mask<L, T>(n);
            (one, other) = (L.Select(mask, one, L.Const(0)), L.Select(mask, other, L.Const(0)));
        }

        first += one;
        second += other;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L OfSecond(T* b, T* c) => TScaling.IsScaled ? L.Load(b) * L.Load(c) : L.Load(b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Next(T* a, T* b, T* c, L shift, T* ahead, ref L first, ref L second)
    {
        L x = L.Load(a), y = OfSecond(b, c);
        first += TFirst.Term(x, y, shift);
        second += TSecond.Term(x, y, shift);
        if (TFirst.Fetches) RowAhead.Fetch(ahead);
    }
}
