using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>Arg-reductions in registers. Along rows: find the extreme value, then where it stands first. Along columns: keep the best of each and correct it rarely.</summary>
internal static unsafe class ArgReduceLoops<TOrder, L, T>
    where TOrder : IOrder
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, INumber<T>
{
    private const long ParallelElements = 128 * 1024;
    private const int Strip = 512;

    public static void Run(ArgReduceJob job)
    {
        var chunks = Math.Min(job.Outer, 4L * WorkerPool.Threads);
        job.RowsPerChunk = (job.Outer + chunks - 1) / chunks;
        if (WorkerPool.Threads > 1 && chunks > 1 && job.Outer * job.Reduced * job.Inner >= ParallelElements)
            WorkerPool.Run((int)((job.Outer + job.RowsPerChunk - 1) / job.RowsPerChunk), &Chunk, &job);
        else Range(job, 0, job.Outer);
    }

    private static void Chunk(void* context, int chunk)
    {
        var job = (ArgReduceJob*)context;
        Range(*job, chunk * job->RowsPerChunk, Math.Min(job->Outer, (chunk + 1) * job->RowsPerChunk));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Range(in ArgReduceJob job, long start, long end)
    {
        var lineSize = job.Reduced * job.Inner;
        T* x = (T*)job.Input + start * lineSize;
        long* y = job.Output + start * job.Inner;
        for (; start < end; start++, x += lineSize, y += job.Inner)
        {
            if (job.Inner == 1) *y = Row(x, job.Reduced);
            else
            {
                for (long i = 0; i < job.Inner; i += Strip) Columns(x + i, y + i, job.Reduced, job.Inner, Math.Min(Strip, job.Inner - i));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long Row(T* x, long n)
    {
        // Tails are padded with the first element, which changes neither the value nor the first place.
        var first = L.Broadcast(*x);
        L a0 = first, a1 = first, a2 = first, a3 = first;
        long i = 0;
        for (; i + 4 * L.Count <= n; i += 4 * L.Count)
        {
            a0 = ExtremeReduction<TOrder>.Combine(a0, L.Load(x + i));
            a1 = ExtremeReduction<TOrder>.Combine(a1, L.Load(x + i + L.Count));
            a2 = ExtremeReduction<TOrder>.Combine(a2, L.Load(x + i + 2 * L.Count));
            a3 = ExtremeReduction<TOrder>.Combine(a3, L.Load(x + i + 3 * L.Count));
        }

        for (; i < n; i += L.Count) a0 = ExtremeReduction<TOrder>.Combine(a0, LaneTail.Load<L, T>(x + i, n - i, first));
        a0 = ExtremeReduction<TOrder>.Combine(ExtremeReduction<TOrder>.Combine(a0, a1), ExtremeReduction<TOrder>.Combine(a2, a3));
        var best = ReduceTree.FoldRegister<ExtremeReduction<TOrder>, L, T>(a0);
        var value = L.Broadcast(best);
        var nan = T.IsNaN(best);
        for (i = 0; ; i += L.Count)
        {
            var v = L.Load(x + i);
            var found = Bits(nan ? L.NotEqual(v, v) : L.Equal(v, value));
            if (found != 0) return i + BitOperations.TrailingZeroCount(found);
        }
    }

    /// <summary>One bit per element of a mask.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Bits(L mask)
    {
        if (Unsafe.SizeOf<L>() == 64) return Unsafe.BitCast<L, Vector512<T>>(mask).ExtractMostSignificantBits();
        if (Unsafe.SizeOf<L>() == 32) return Unsafe.BitCast<L, Vector256<T>>(mask).ExtractMostSignificantBits();
        return Unsafe.BitCast<L, Vector128<T>>(mask).ExtractMostSignificantBits();
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Columns(T* x, long* y, long rows, long stride, long width)
    {
        T* best = stackalloc T[Strip + 64];
        for (long i = 0; i < width; i += L.Count) L.Store(L.Load(x + i), best + i);
        new Span<long>(y, (int)width).Clear();
        for (long r = 1; r < rows; r++)
        {
            x += stride;
            for (long i = 0; i < width; i += L.Count)
            {
                var v = L.Load(x + i);
                var b = L.Load(best + i);
                var improved = Bits(ExtremeReduction<TOrder>.Improves(v, b));
                if (improved == 0) continue;
                L.Store(ExtremeReduction<TOrder>.Combine(b, v), best + i);
                for (; improved != 0; improved &= improved - 1)
                {
                    var column = i + BitOperations.TrailingZeroCount(improved);
                    if (column < width) y[column] = r;
                }
            }
        }
    }
}

/// <summary>The value that comes first in an order, or the NaN if there is one.</summary>
internal readonly struct ExtremeReduction<TOrder> : IReduceOp
    where TOrder : IOrder
{
    /// <summary>There is none for integers: lanes start with an element of the row.</summary>
    public static double Identity => double.NaN;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Accumulate<L>(L lane, L x) where L : struct, ILane<L> => Combine(lane, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Combine<L>(L a, L b) where L : struct, ILane<L> => L.Select(Improves(b, a), b, a);

    /// <summary>A mask: x comes before best, or is the first NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Improves<L>(L x, L best) where L : struct, ILane<L> => L.Or(TOrder.Before(x, best), L.And(L.NotEqual(x, x), L.Equal(best, best)));
}
