using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Index tuples as positions in row-major order.</summary>
internal static unsafe class RavelIndex
{
    private const long SplitPositions = 16 * 1024;

    /// <summary>
    /// positions[i] = (…(index[0, i]·n₁ + index[1, i])·n₂ + …) with the indices (axes, count) into axes of the given sizes. Checks all of them first and returns
    /// the axis and the place of the first that is out of range, or −1.
    /// </summary>
    public static (int Axis, long Place) Run(nint indices, DType indexType, long count, ReadOnlySpan<int> sizes, long* positions)
    {
        for (int axis = 0; axis < sizes.Length; axis++)
        {
            long bad = new GatherIndex(indices + (nint)(axis * count * indexType.Size), indexType, sizes[axis]).FirstBad(count);
            if (bad >= 0) return (axis, bad);
        }

        fixed (int* axes = sizes)
        {
            var job = new Job { Indices = indices, Count = count, Sizes = axes, Axes = sizes.Length, Positions = positions };
            job.Pieces = count < SplitPositions ? 1 : 4 * WorkerPool.Threads;
            WorkerPool.Run(job.Pieces, indexType == DType.Int32 ? &Piece<int> : &Piece<long>, &job);
        }

        return (-1, -1);
    }

    // A few positions at a time, so that they stay in the first-level cache from axis to axis.
    private static void Piece<TIndex>(void* context, int piece)
        where TIndex : unmanaged, IBinaryInteger<TIndex>
    {
        const long Block = 1024;
        Job* job = (Job*)context;
        for (long first = job->Count * piece / job->Pieces, end = job->Count * (piece + 1) / job->Pieces; first < end; first += Block)
        {
            long count = Math.Min(Block, end - first);
            new Span<long>(job->Positions + first, (int)count).Clear();
            for (int axis = 0; axis < job->Axes; axis++)
                Add((TIndex*)job->Indices + (axis * job->Count) + first, count, job->Sizes[axis], job->Positions + first);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add<TIndex>(TIndex* indices, long count, long n, long* positions)
        where TIndex : unmanaged, IBinaryInteger<TIndex>
    {
        for (long i = 0; i < count; i++)
        {
            // Without a branch: n is added to negative indices.
            long raw = long.CreateTruncating(indices[i]);
            positions[i] = (positions[i] * n) + raw + (n & (raw >> 63));
        }
    }

    private struct Job
    {
        public nint Indices;
        public long Count;
        public int* Sizes;
        public int Axes;
        public long* Positions;
        public int Pieces;
    }
}
