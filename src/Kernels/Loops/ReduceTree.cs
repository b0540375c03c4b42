using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>
/// The one order in which floating-point elements are reduced. Element i of a block goes to lane i mod 64, every lane takes its elements in order,
/// tails are padded with the identity, and at the end lane j takes lane j + 32, then j + 16, … j + 1. The 64 lanes sit in 4 registers or in 32, so the
/// bits do not depend on the vector width. A row longer than <see cref="Block"/> elements is cut into such blocks, whose results are reduced as a row again.
/// </summary>
internal static unsafe class ReduceTree
{
    public const int Lanes = 64;

    /// <summary>Elements reduced by one tree: 64 KB of floats, in L2 while it is worked on.</summary>
    public const int Block = 16 * 1024;

    public static long BlockCount(long n) => n <= Block ? 1 : (n + Block - 1) / Block;

    /// <summary>Reduces at most <see cref="Block"/> contiguous elements.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T ReduceBlock<TOp, L, T>(T* x, long n)
        where TOp : IReduceOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (n <= L.Count)
        {
            // The other lanes hold the identity and change nothing.
            var identity = L.Const(TOp.Identity);
            return FoldRegister<TOp, L, T>(TOp.Accumulate(identity, LaneTail.Load<L, T>(x, n, identity)));
        }

        if (Lanes / L.Count == 4) return Reduce4<TOp, L, T>(x, n);
        T* lanes = stackalloc T[Lanes];
        Start<TOp, L, T>(lanes);
        Accumulate<TOp, L, T>(lanes, x, n);
        return Fold<TOp, L, T>(lanes);
    }

    /// <summary>All 64 lanes in four registers: nothing passes through memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Reduce4<TOp, L, T>(T* x, long n)
        where TOp : IReduceOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
    {
        L identity = L.Const(TOp.Identity), a0 = identity, a1 = a0, a2 = a0, a3 = a0;
        for (; n >= Lanes; n -= Lanes, x += Lanes)
        {
            a0 = TOp.Accumulate(a0, L.Load(x));
            a1 = TOp.Accumulate(a1, L.Load(x + L.Count));
            a2 = TOp.Accumulate(a2, L.Load(x + 2 * L.Count));
            a3 = TOp.Accumulate(a3, L.Load(x + 3 * L.Count));
        }

        if (n > 0) a0 = TOp.Accumulate(a0, LaneTail.Load<L, T>(x, n, identity));
        if (n > L.Count) a1 = TOp.Accumulate(a1, LaneTail.Load<L, T>(x + L.Count, n - L.Count, identity));
        if (n > 2 * L.Count) a2 = TOp.Accumulate(a2, LaneTail.Load<L, T>(x + 2 * L.Count, n - 2 * L.Count, identity));
        if (n > 3 * L.Count) a3 = TOp.Accumulate(a3, LaneTail.Load<L, T>(x + 3 * L.Count, n - 3 * L.Count, identity));
        return Fold4<TOp, L, T>(a0, a1, a2, a3);
    }

    /// <summary>Reduces a row of any length on the calling thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T ReduceRow<TOp, L, T>(T* x, long n)
        where TOp : IReduceOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (n <= Block) return ReduceBlock<TOp, L, T>(x, n);
        var blocks = BlockCount(n);
        using var scratch = new NativeScratch(blocks * sizeof(T));
        var partials = (T*)scratch.Pointer;
        for (long b = 0; b < blocks; b++) partials[b] = ReduceBlock<TOp, L, T>(x + b * Block, Math.Min(Block, n - b * Block));
        return ReducePartials<TOp, L, T>(partials, blocks);
    }

    /// <summary>Reduces the results of blocks, as a row whose elements are joined; what is read is overwritten.</summary>
    /// <remarks>A loop: one generic method that needed itself for the results of results would have no end ahead of time.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T ReducePartials<TOp, L, T>(T* partials, long n)
        where TOp : IReduceOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (; n > Block; n = BlockCount(n))
        {
            for (long b = 0; b * Block < n; b++) partials[b] = ReduceBlock<Partials<TOp>, L, T>(partials + b * Block, Math.Min(Block, n - b * Block));
        }

        return ReduceBlock<Partials<TOp>, L, T>(partials, n);
    }

    /// <summary>Sets the 64 lanes to the identity.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Start<TOp, L, T>(T* lanes)
        where TOp : IReduceOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
    {
        var identity = L.Const(TOp.Identity);
        for (var i = 0; i < Lanes; i += L.Count) L.Store(identity, lanes + i);
    }

    /// <summary>Takes n more elements into the lanes; every call of a block but the last must bring a multiple of 64.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Accumulate<TOp, L, T>(T* lanes, T* x, long n)
        where TOp : IReduceOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
    {
        var full = n & ~(Lanes - 1L);
        if (Lanes / L.Count == 4) Take4<TOp, L, T>(lanes, x, full);
        else
        {
            for (var part = 0; part < Lanes; part += 8 * L.Count) Take8<TOp, L, T>(lanes + part, x + part, full);
        }

        if (full == n) return;
        var identity = L.Const(TOp.Identity);
        for (var i = full; i < n; i += L.Count)
        {
            var lane = lanes + (i - full);
            L.Store(TOp.Accumulate(L.Load(lane), LaneTail.Load<L, T>(x + i, n - i, identity)), lane);
        }
    }

    /// <summary>Joins the 64 lanes, the upper half into the lower one until one is left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T Fold<TOp, L, T>(T* lanes)
        where TOp : IReduceOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
    {
        for (var half = Lanes / 2; half >= L.Count; half /= 2)
        {
            for (var i = 0; i < half; i += L.Count) L.Store(TOp.Combine(L.Load(lanes + i), L.Load(lanes + i + half)), lanes + i);
        }

        return FoldRegister<TOp, L, T>(L.Load(lanes));
    }

    /// <summary><see cref="Fold"/> of lanes that fill four registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Fold4<TOp, L, T>(L a0, L a1, L a2, L a3)
        where TOp : IReduceOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
        => FoldRegister<TOp, L, T>(TOp.Combine(TOp.Combine(a0, a2), TOp.Combine(a1, a3)));

    /// <summary>The last steps of <see cref="Fold"/>, inside a register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FoldRegister<TOp, L, T>(L lanes)
        where TOp : IReduceOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
    {
        if (Unsafe.SizeOf<L>() == 64)
        {
            var v = Unsafe.BitCast<L, Vector512<T>>(lanes);
            return Fold256<TOp, T>(Fold2<TOp, Lane256<T>, Vector256<T>>(v.GetLower(), v.GetUpper()));
        }

        return Unsafe.SizeOf<L>() == 32
            ? Fold256<TOp, T>(Unsafe.BitCast<L, Vector256<T>>(lanes))
            : Fold128<TOp, T>(Unsafe.BitCast<L, Vector128<T>>(lanes));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Fold256<TOp, T>(Vector256<T> v)
        where TOp : IReduceOp
        where T : unmanaged
        => Fold128<TOp, T>(Fold2<TOp, Lane128<T>, Vector128<T>>(v.GetLower(), v.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Fold128<TOp, T>(Vector128<T> v)
        where TOp : IReduceOp
        where T : unmanaged
    {
        v = Fold2<TOp, Lane128<T>, Vector128<T>>(v, Vector128.Shuffle(v.AsInt64(), Vector128.Create(1L, 1L)).As<long, T>());
        if (sizeof(T) == 4) v = Fold2<TOp, Lane128<T>, Vector128<T>>(v, Vector128.Shuffle(v.AsInt32(), Vector128.Create(1, 1, 1, 1)).As<int, T>());
        return v.ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Fold2<TOp, L, V>(V a, V b)
        where TOp : IReduceOp
        where L : struct, ILane<L>
        where V : struct
        => Unsafe.BitCast<L, V>(TOp.Combine(Unsafe.BitCast<V, L>(a), Unsafe.BitCast<V, L>(b)));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Take4<TOp, L, T>(T* lanes, T* x, long n)
        where TOp : IReduceOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
    {
        L a0 = L.Load(lanes), a1 = L.Load(lanes + L.Count), a2 = L.Load(lanes + 2 * L.Count), a3 = L.Load(lanes + 3 * L.Count);
        for (T* end = x + n; x < end; x += Lanes)
        {
            a0 = TOp.Accumulate(a0, L.Load(x));
            a1 = TOp.Accumulate(a1, L.Load(x + L.Count));
            a2 = TOp.Accumulate(a2, L.Load(x + 2 * L.Count));
            a3 = TOp.Accumulate(a3, L.Load(x + 3 * L.Count));
        }

        L.Store(a0, lanes);
        L.Store(a1, lanes + L.Count);
        L.Store(a2, lanes + 2 * L.Count);
        L.Store(a3, lanes + 3 * L.Count);
    }

    /// <summary>Eight registers of every 64 lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Take8<TOp, L, T>(T* lanes, T* x, long n)
        where TOp : IReduceOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
    {
        L a0 = L.Load(lanes), a1 = L.Load(lanes + L.Count), a2 = L.Load(lanes + 2 * L.Count), a3 = L.Load(lanes + 3 * L.Count);
        T* upper = lanes + 4 * L.Count;
        L a4 = L.Load(upper), a5 = L.Load(upper + L.Count), a6 = L.Load(upper + 2 * L.Count), a7 = L.Load(upper + 3 * L.Count);
        for (T* end = x + n; x < end; x += Lanes)
        {
            a0 = TOp.Accumulate(a0, L.Load(x));
            a1 = TOp.Accumulate(a1, L.Load(x + L.Count));
            a2 = TOp.Accumulate(a2, L.Load(x + 2 * L.Count));
            a3 = TOp.Accumulate(a3, L.Load(x + 3 * L.Count));
            a4 = TOp.Accumulate(a4, L.Load(x + 4 * L.Count));
            a5 = TOp.Accumulate(a5, L.Load(x + 5 * L.Count));
            a6 = TOp.Accumulate(a6, L.Load(x + 6 * L.Count));
            a7 = TOp.Accumulate(a7, L.Load(x + 7 * L.Count));
        }

        L.Store(a0, lanes);
        L.Store(a1, lanes + L.Count);
        L.Store(a2, lanes + 2 * L.Count);
        L.Store(a3, lanes + 3 * L.Count);
        L.Store(a4, upper);
        L.Store(a5, upper + L.Count);
        L.Store(a6, upper + 2 * L.Count);
        L.Store(a7, upper + 3 * L.Count);
    }
}
