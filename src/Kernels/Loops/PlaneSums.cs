using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// The sums of the terms of short planes that lie side by side: the bits of <see cref="RowSum{TTerm, L, T}"/>, plane by plane, without a call for each. Lanes
/// that no plane reaches would add zeros to sums that began with zero.
/// </summary>
internal static unsafe class PlaneSums<TTerm, L, T>
    where TTerm : IRowTerm
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Elements of the longest plane: four registers, of the 64 lanes the first ones.</summary>
    public static long Longest => Math.Min(ReduceTree.Lanes, 4 * L.Count);

    /// <summary>The sums of the terms of a and b, <paramref name="planes"/> of n elements each, with a shift for each plane where there are some.</summary>
    public static void Run(T* a, T* b, T* shifts, long n, long planes, T* sums, long step)
    {
        if (n <= L.Count) Short(a, b, shifts, n, planes, sums, step);
        else Long(a, b, shifts, n, planes, sums, step);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Short(T* a, T* b, T* shifts, long n, long planes, T* sums, long step)
    {
        for (; planes > 0; planes--, a += n, b += n, sums += step)
            *sums = ReduceTree.FoldRegister<SumReduction, L, T>(L.Const(0) + Term(a, b, Shift(ref shifts), n));
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Long(T* a, T* b, T* shifts, long n, long planes, T* sums, long step)
    {
        for (; planes > 0; planes--, a += n, b += n, sums += step)
        {
            L shift = Shift(ref shifts), zero = L.Const(0), s0 = zero + Term(a, b, shift, L.Count);
            L s1 = zero + Term(a + L.Count, b + L.Count, shift, n - L.Count);
            if (n > 2 * L.Count) s0 += zero + Term(a + 2 * L.Count, b + 2 * L.Count, shift, n - 2 * L.Count);
            if (n > 3 * L.Count) s1 += zero + Term(a + 3 * L.Count, b + 3 * L.Count, shift, n - 3 * L.Count);
            *sums = ReduceTree.FoldRegister<SumReduction, L, T>(s0 + s1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L Shift(ref T* shifts) => shifts == null ? L.Const(0) : L.Broadcast(*shifts++);

    // The first n elements, or all.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L Term(T* a, T* b, L shift, long n)
    {
        var term = TTerm.Term(L.Load(a), TTerm.IsPair ? L.Load(b) : L.Const(0), shift);
        return n >= L.Count ? term : L.Select(LaneTail.Mask<L, T>(n), term, L.Const(0));
    }
}
