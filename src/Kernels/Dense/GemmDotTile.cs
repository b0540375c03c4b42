using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>
/// The 64 lanes of up to two by three dot products at once, in registers: what is loaded of a vector is used by all products with it. Only the last 64 elements may
/// be padded; they are given apart.
/// </summary>
internal static unsafe class GemmDotTile<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged
{
    /// <summary>Lanes of a product that are written: all 64, or 8 where all of them were in registers and have been folded.</summary>
    public static int Kept
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 4 * L.Count == ReduceTree.Lanes ? 8 : ReduceTree.Lanes;
    }

    // With 32 registers four hold lanes of one product, with 16 two.
    private static bool IsWide
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unsafe.SizeOf<L>() == 64;
    }

    /// <summary>The lanes of x0·y0, x0·y1, x0·y2, x1·y0, x1·y1, x1·y2.</summary>
    /// <param name="x">The first vector on one side.</param>
    /// <param name="dx">Elements between it and the second.</param>
    /// <param name="y">The first vector on the other side.</param>
    /// <param name="dy">Elements between it and the second, and between that and the third.</param>
    /// <param name="n">Their length, without the elements that are given apart.</param>
    /// <param name="tailX">The last elements of x, filled up with zeros to 64 for each vector, or null.</param>
    /// <param name="tailY">The same of y.</param>
    /// <param name="sums">The lanes of each product, as many as are kept.</param>
    /// <param name="apart">Elements between those of the products with x0 and with x1.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void TwoByThree(T* x, nint dx, T* y, nint dy, nint n, T* tailX, T* tailY, T* sums, nint apart)
    {
        var registers = IsWide ? 4 : 2;
        for (var part = 0; part < ReduceTree.Lanes; part += registers * L.Count)
        {
            L a0 = L.Const(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0, c0 = a0, c1 = a0, c2 = a0, c3 = a0;
            L d0 = a0, d1 = a0, d2 = a0, d3 = a0, e0 = a0, e1 = a0, e2 = a0, e3 = a0, f0 = a0, f1 = a0, f2 = a0, f3 = a0;
            T* p = x + part, q = y + part;
            T* rest = tailX;
            nint count = n, nextP = dx, nextQ = dy;
            while (true)
            {
                for (; count > 0; count -= ReduceTree.Lanes, p += ReduceTree.Lanes, q += ReduceTree.Lanes)
                {
                    L u = L.Load(p), v = L.Load(p + nextP), w = L.Load(q);
                    a0 = L.Fma(u, w, a0);
                    d0 = L.Fma(v, w, d0);
                    w = L.Load(q + nextQ);
                    b0 = L.Fma(u, w, b0);
                    e0 = L.Fma(v, w, e0);
                    w = L.Load(q + 2 * nextQ);
                    c0 = L.Fma(u, w, c0);
                    f0 = L.Fma(v, w, f0);

                    (u, v, w) = (L.Load(p + L.Count), L.Load(p + nextP + L.Count), L.Load(q + L.Count));
                    a1 = L.Fma(u, w, a1);
                    d1 = L.Fma(v, w, d1);
                    w = L.Load(q + nextQ + L.Count);
                    b1 = L.Fma(u, w, b1);
                    e1 = L.Fma(v, w, e1);
                    w = L.Load(q + 2 * nextQ + L.Count);
                    c1 = L.Fma(u, w, c1);
                    f1 = L.Fma(v, w, f1);
                    if (!IsWide) continue;

                    (u, v, w) = (L.Load(p + 2 * L.Count), L.Load(p + nextP + 2 * L.Count), L.Load(q + 2 * L.Count));
                    a2 = L.Fma(u, w, a2);
                    d2 = L.Fma(v, w, d2);
                    w = L.Load(q + nextQ + 2 * L.Count);
                    b2 = L.Fma(u, w, b2);
                    e2 = L.Fma(v, w, e2);
                    w = L.Load(q + 2 * nextQ + 2 * L.Count);
                    c2 = L.Fma(u, w, c2);
                    f2 = L.Fma(v, w, f2);

                    (u, v, w) = (L.Load(p + 3 * L.Count), L.Load(p + nextP + 3 * L.Count), L.Load(q + 3 * L.Count));
                    a3 = L.Fma(u, w, a3);
                    d3 = L.Fma(v, w, d3);
                    w = L.Load(q + nextQ + 3 * L.Count);
                    b3 = L.Fma(u, w, b3);
                    e3 = L.Fma(v, w, e3);
                    w = L.Load(q + 2 * nextQ + 3 * L.Count);
                    c3 = L.Fma(u, w, c3);
                    f3 = L.Fma(v, w, f3);
                }

                if (rest == null) break;
                p = rest + part;
                q = tailY + part;
                rest = null;
                nextP = nextQ = count = ReduceTree.Lanes;
            }

            Keep(sums, part, registers, a0, a1, a2, a3);
            Keep(sums + Kept, part, registers, b0, b1, b2, b3);
            Keep(sums + 2 * Kept, part, registers, c0, c1, c2, c3);
            Keep(sums + apart, part, registers, d0, d1, d2, d3);
            Keep(sums + apart + Kept, part, registers, e0, e1, e2, e3);
            Keep(sums + apart + 2 * Kept, part, registers, f0, f1, f2, f3);
        }
    }

    /// <summary>The lanes of x·y0, x·y1, x·y2.</summary>
    /// <param name="x">The vector on one side.</param>
    /// <param name="y">The first vector on the other side.</param>
    /// <param name="dy">Elements between it and the second, and between that and the third.</param>
    /// <param name="n">Their length, without the elements that are given apart.</param>
    /// <param name="tailX">The last elements of x, filled up with zeros to 64, or null.</param>
    /// <param name="tailY">The same of y, for each vector.</param>
    /// <param name="sums">The lanes of each product, as many as are kept.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OneByThree(T* x, T* y, nint dy, nint n, T* tailX, T* tailY, T* sums)
    {
        for (var part = 0; part < ReduceTree.Lanes; part += 4 * L.Count)
        {
            L a0 = L.Const(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0, c0 = a0, c1 = a0, c2 = a0, c3 = a0;
            T* p = x + part, q = y + part, rest = tailX;
            nint count = n, next = dy;
            while (true)
            {
                for (; count > 0; count -= ReduceTree.Lanes, p += ReduceTree.Lanes, q += ReduceTree.Lanes)
                {
                    var u = L.Load(p);
                    a0 = L.Fma(u, L.Load(q), a0);
                    b0 = L.Fma(u, L.Load(q + next), b0);
                    c0 = L.Fma(u, L.Load(q + 2 * next), c0);
                    u = L.Load(p + L.Count);
                    a1 = L.Fma(u, L.Load(q + L.Count), a1);
                    b1 = L.Fma(u, L.Load(q + next + L.Count), b1);
                    c1 = L.Fma(u, L.Load(q + 2 * next + L.Count), c1);
                    u = L.Load(p + 2 * L.Count);
                    a2 = L.Fma(u, L.Load(q + 2 * L.Count), a2);
                    b2 = L.Fma(u, L.Load(q + next + 2 * L.Count), b2);
                    c2 = L.Fma(u, L.Load(q + 2 * next + 2 * L.Count), c2);
                    u = L.Load(p + 3 * L.Count);
                    a3 = L.Fma(u, L.Load(q + 3 * L.Count), a3);
                    b3 = L.Fma(u, L.Load(q + next + 3 * L.Count), b3);
                    c3 = L.Fma(u, L.Load(q + 2 * next + 3 * L.Count), c3);
                }

                if (rest == null) break;
                p = rest + part;
                q = tailY + part;
                rest = null;
                next = count = ReduceTree.Lanes;
            }

            Keep(sums, part, 4, a0, a1, a2, a3);
            Keep(sums + Kept, part, 4, b0, b1, b2, b3);
            Keep(sums + 2 * Kept, part, 4, c0, c1, c2, c3);
        }
    }

    /// <summary>Writes the lanes of one product from <paramref name="part"/> on, two registers or four; folded if there are no other lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(T* sums, int part, int registers, L v0, L v1, L v2, L v3)
    {
        if (Kept < ReduceTree.Lanes)
        {
            var v = Unsafe.BitCast<L, Vector512<T>>(v0 + v2 + (v1 + v3));
            Lane256<T>.Store(new Lane256<T> { V = v.GetLower() } + new Lane256<T> { V = v.GetUpper() }, sums);
            return;
        }

        L.Store(v0, sums + part);
        L.Store(v1, sums + part + L.Count);
        if (registers == 2) return;
        L.Store(v2, sums + part + 2 * L.Count);
        L.Store(v3, sums + part + 3 * L.Count);
    }
}
