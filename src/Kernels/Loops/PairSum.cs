using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Σ b and Σ (a − shift)·b in one pass: the bits of <see cref="ReduceTree"/> and <see cref="RowSum{TTerm, L, T}"/> one after the other.</summary>
internal static unsafe class PairSum<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (T Sum, T Product) Sum(T* a, T* b, L shift, long n)
    {
        if (n <= ReduceTree.Block) return BlockSum(a, b, shift, n);
        var blocks = ReduceTree.BlockCount(n);
        using var scratch = new NativeScratch(2 * blocks * sizeof(T));
        T* sums = (T*)scratch.Pointer, products = sums + blocks;
        for (long i = 0; i < blocks; i++)
        {
            var from = i * ReduceTree.Block;
            (sums[i], products[i]) = BlockSum(a + from, b + from, shift, Math.Min(ReduceTree.Block, n - from));
        }

        return (ReduceTree.ReduceRow<SumReduction, L, T>(sums, blocks), ReduceTree.ReduceRow<SumReduction, L, T>(products, blocks));
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (T Sum, T Product) BlockSum(T* a, T* b, L shift, long n)
    {
        T* sums = stackalloc T[2 * ReduceTree.Lanes], products = sums + ReduceTree.Lanes;
        var full = n & ~(ReduceTree.Lanes - 1L);
        for (var part = 0; part < ReduceTree.Lanes; part += 4 * L.Count)
        {
            L s0 = L.Const(0), s1 = s0, s2 = s0, s3 = s0, p0 = s0, p1 = s0, p2 = s0, p3 = s0;
            for (long i = part; i < full; i += ReduceTree.Lanes)
            {
                L b0 = L.Load(b + i), b1 = L.Load(b + i + L.Count), b2 = L.Load(b + i + 2 * L.Count), b3 = L.Load(b + i + 3 * L.Count);
                s0 += b0;
                s1 += b1;
                s2 += b2;
                s3 += b3;
                p0 += (L.Load(a + i) - shift) * b0;
                p1 += (L.Load(a + i + L.Count) - shift) * b1;
                p2 += (L.Load(a + i + 2 * L.Count) - shift) * b2;
                p3 += (L.Load(a + i + 3 * L.Count) - shift) * b3;
            }

            L.Store(s0, sums + part);
            L.Store(s1, sums + part + L.Count);
            L.Store(s2, sums + part + 2 * L.Count);
            L.Store(s3, sums + part + 3 * L.Count);
            L.Store(p0, products + part);
            L.Store(p1, products + part + L.Count);
            L.Store(p2, products + part + 2 * L.Count);
            L.Store(p3, products + part + 3 * L.Count);
        }

        for (var i = full; i < n; i += L.Count)
        {
            T* sum = sums + (i - full), product = products + (i - full);
            L next = L.Load(b + i), term = (L.Load(a + i) - shift) * next;
            if (n - i < L.Count)
            {
                var mask = LaneTail.Mask<L, T>(n - i);
                (next, term) = (L.Select(mask, next, L.Const(0)), L.Select(mask, term, L.Const(0)));
            }

            L.Store(L.Load(sum) + next, sum);
            L.Store(L.Load(product) + term, product);
        }

        return (ReduceTree.Fold<SumReduction, L, T>(sums), ReduceTree.Fold<SumReduction, L, T>(products));
    }
}
