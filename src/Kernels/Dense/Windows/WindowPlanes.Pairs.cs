using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

// Windows of 2 × 2 elements of four bytes that neither overlap nor leave gaps: registers are joined as they lie, with those one element further, and every second
// result counts. Nothing is staged.
internal unsafe partial struct WindowPlanes<T>
{
    private static bool HasPairs(in PatchMap map) =>
        sizeof(T) == sizeof(uint) && IsPair(map.Y) && IsPair(map.X) && map.Z is { Source: 1, Grid: 1, Taps: 1, First: 0 };

    private static bool IsPair(in PatchAxis axis) => axis is { Step: 2, Taps: 2, First: 0, Increment: 1 } && axis.Source >= 2 * axis.Grid;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PairRange<TRow, L>(WindowPlanes<T>* job, nint start, nint end)
        where TRow : IWindowRow
        where L : struct, IVectorLane<L, T>
    {
        nint rows = job->Map.Y.Grid, columns = job->Map.X.Grid, length = job->Map.X.Source, pixels = rows * columns;
        using var scratch = new NativeScratch((2 * pixels + 2 * 64) * sizeof(T));
        T* joined = (T*)scratch.Pointer;
        for (var plane = start; plane < end; plane++)
        {
            T* source = job->Source + plane / job->PerSource * job->Map.Y.Source * length, weights = job->Weights + plane % job->Channels * 4;
            for (nint y = 0; y < rows; y++) PairRow<TRow, L>(source + 2 * y * length, length, weights, joined + 2 * y * columns, 2 * columns);
            Compact((uint*)joined, (uint*)job->Target.Plane(plane), pixels);
            if (!job->Finish.IsEmpty) job->Finish.Invoke(plane, 1, 0, pixels);
        }
    }

    // The results of two rows, at every second place. What spills over the end is overwritten by the next rows.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void PairRow<TRow, L>(T* upper, nint length, T* weights, T* joined, nint count)
        where TRow : IWindowRow
        where L : struct, IVectorLane<L, T>
    {
        T* lower = upper + length;
        L none = L.Const(0);
        var each = weights == null
            ? new WindowWeights<L> { A = none, B = none, C = none, D = none }
            : new WindowWeights<L> { A = L.Broadcast(weights[0]), B = L.Broadcast(weights[1]), C = L.Broadcast(weights[2]), D = L.Broadcast(weights[3]) };
        for (nint x = 0; x < count; x += L.Count)
            L.Store(TRow.Pairs(L.Load(upper + x), L.Load(upper + x + 1), L.Load(lower + x), L.Load(lower + x + 1), each), joined + x);
    }

    // Exactly so many: what lies behind may be another thread's.
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Compact(uint* from, uint* to, nint count)
    {
        nint whole = count & ~15, rest = count - whole;
        PatchMap.EverySecond(from, to, whole);
        if (rest == 0) return;
        uint* last = stackalloc uint[16];
        PatchMap.EverySecond(from + 2 * whole, last, rest);
        Unsafe.CopyBlockUnaligned(to + whole, last, (uint)(rest * sizeof(uint)));
    }
}
