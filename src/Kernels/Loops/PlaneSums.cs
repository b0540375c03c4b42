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
        var mask = Mask(n);
        for (; planes >= 4; planes -= 4, a += 4 * n, b += 4 * n, sums += 4 * step)
        {
            L p = Term(a, b, Shift(ref shifts), mask), q = Term(a + n, b + n, Shift(ref shifts), mask);
            L r = Term(a + 2 * n, b + 2 * n, Shift(ref shifts), mask), s = Term(a + 3 * n, b + 3 * n, Shift(ref shifts), mask);
            PlaneFold.Four<L, T>(p, q, r, s, sums, step);
        }

        for (; planes > 0; planes--, a += n, b += n, sums += step) *sums = PlaneFold.One<L, T>(Term(a, b, Shift(ref shifts), mask));
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Long(T* a, T* b, T* shifts, long n, long planes, T* sums, long step)
    {
        var last = (n - 1) / L.Count * L.Count;
        var mask = Mask(n - last);
        for (; planes >= 4; planes -= 4, a += 4 * n, b += 4 * n, sums += 4 * step)
        {
            L p = Lanes(a, b, Shift(ref shifts), last, mask), q = Lanes(a + n, b + n, Shift(ref shifts), last, mask);
            L r = Lanes(a + 2 * n, b + 2 * n, Shift(ref shifts), last, mask), s = Lanes(a + 3 * n, b + 3 * n, Shift(ref shifts), last, mask);
            PlaneFold.Four<L, T>(p, q, r, s, sums, step);
        }

        for (; planes > 0; planes--, a += n, b += n, sums += step) *sums = PlaneFold.One<L, T>(Lanes(a, b, Shift(ref shifts), last, mask));
    }

    // Two registers or more, the last one in part, added as the lanes are.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L Lanes(T* a, T* b, L shift, long last, L mask)
    {
        L first = Term(a, b, shift), end = Term(a + last, b + last, shift, mask);
        if (last == L.Count) return first + end;
        var second = Term(a + L.Count, b + L.Count, shift);
        if (last == 2 * L.Count) return first + end + second;
        return first + Term(a + 2 * L.Count, b + 2 * L.Count, shift) + (second + end);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L Shift(ref T* shifts) => shifts == null ? L.Const(0) : L.Broadcast(*shifts++);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L Mask(long n) => n < L.Count ? LaneTail.Mask<L, T>(n) : L.Bits(-1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L Term(T* a, T* b, L shift) => TTerm.Term(L.Load(a), TTerm.IsPair ? L.Load(b) : L.Const(0), shift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L Term(T* a, T* b, L shift, L mask) => L.And(Term(a, b, shift), mask);
}
