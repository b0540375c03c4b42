using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Selection by index arrays, with an array seen as (outer, axis, inner). Every method checks all indices before it writes anything and returns the
/// place of the first that is out of range, for the caller to name, or −1. Negative indices count from the end of the axis.
/// </summary>
internal static unsafe class Gather
{
    private const long SplitBytes = 128 * 1024;

    /// <summary>
    /// Whole rows: destination[o, i, :] = source[o, index[i], :], the destination (outer, count, inner). Elements of 1, 2, 4 or 8 bytes.
    /// </summary>
    public static long Take(nint source, nint destination, long outer, long axis, long inner, int elementSize, nint indices, DType indexType, long count)
    {
        var index = new GatherIndex(indices, indexType, axis);
        long bad = index.FirstBad(count);
        if (bad >= 0) return bad;
        var job = new TakeJob { Source = source, Destination = destination, Index = index, Axis = axis, Count = count };
        job.RowBytes = inner * elementSize;
        job.Rows = outer * count;
        if (job.Rows == 0 || inner == 0) return -1;
        if (inner == 1)
        {
            GatherElements.Take(source, destination, outer, axis, elementSize, index, indexType, count);
            return -1;
        }

        long pieces = job.Rows * job.RowBytes < SplitBytes ? 1 : Math.Min(job.Rows, 4L * WorkerPool.Threads);
        job.Pieces = (int)pieces;
        WorkerPool.Run(job.Pieces, &TakePiece, &job);
        return -1;
    }

    /// <summary>
    /// One element of each line along the axis: destination[o, k, n] = source[o, index[o, k, n], n], the index and the destination
    /// (outer, count, inner). With count 1 it is <c>Pick</c>, with more <c>TakeAlongAxis</c>.
    /// </summary>
    public static long Pick(
        nint source, nint destination, long outer, long axis, long inner, int elementSize, nint indices, DType indexType, long count = 1, bool allowNegative = true)
    {
        var index = new GatherIndex(indices, indexType, axis);
        long bad = index.FirstBad(outer * count * inner, allowNegative);
        if (bad >= 0) return bad;
        if (inner == 1)
        {
            GatherElements.Pick(source, destination, outer, axis, elementSize, index, indexType, count);
            return -1;
        }

        switch (elementSize)
        {
            case 1: Pick((byte*)source, (byte*)destination, outer, axis, inner, count, index); break;
            case 2: Pick((ushort*)source, (ushort*)destination, outer, axis, inner, count, index); break;
            case 4: Pick((uint*)source, (uint*)destination, outer, axis, inner, count, index); break;
            default: Pick((ulong*)source, (ulong*)destination, outer, axis, inner, count, index); break;
        }
        return -1;
    }

    /// <summary>Writes rows, in order: destination[o, index[i], :] = source[o, i, :]; of several to one place the last stays.</summary>
    public static long Put(nint source, nint destination, long outer, long axis, long inner, int elementSize, nint indices, DType indexType, long count)
    {
        var index = new GatherIndex(indices, indexType, axis);
        long bad = index.FirstBad(count);
        if (bad >= 0) return bad;
        switch (inner == 1 ? elementSize : 0)
        {
            case 1: Put((byte*)source, (byte*)destination, outer, axis, count, index); break;
            case 2: Put((ushort*)source, (ushort*)destination, outer, axis, count, index); break;
            case 4: Put((uint*)source, (uint*)destination, outer, axis, count, index); break;
            case 8: Put((ulong*)source, (ulong*)destination, outer, axis, count, index); break;
            default:
                long bytes = inner * elementSize;
                for (long o = 0; o < outer; o++)
                {
                    byte* from = (byte*)source + (o * count * bytes), to = (byte*)destination + (o * axis * bytes);
                    for (long i = 0; i < count; i++) Buffer.MemoryCopy(from + (i * bytes), to + (index[i] * bytes), bytes, bytes);
                }

                break;
        }

        return -1;
    }

    /// <summary>last[i] = 1 where no later index names the place of index[i], else 0; <paramref name="seen"/> has a zero byte for each place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static long LastOfEach(nint indices, DType indexType, long count, long axis, byte* seen, byte* last)
    {
        var index = new GatherIndex(indices, indexType, axis);
        long bad = index.FirstBad(count);
        if (bad >= 0) return bad;
        for (long i = count - 1; i >= 0; i--)
        {
            byte* place = seen + index[i];
            last[i] = (byte)(*place ^ 1);
            *place = 1;
        }

        return -1;
    }

    /// <summary>
    /// destination[i, :] = 1 at index[i], 0 elsewhere; (count, depth). A negative index is out of range here: a label has no end to count from.
    /// </summary>
    public static long OneHot(nint destination, long depth, DType dtype, nint indices, DType indexType, long count)
    {
        var index = new GatherIndex(indices, indexType, depth);
        long bad = index.FirstBad(count, allowNegative: false);
        if (bad >= 0) return bad;
        Copy.Fill(destination, count * depth, dtype, 0);
        ulong one = 0;
        Copy.Fill((nint)(&one), 1, dtype, 1);
        int size = dtype.Size;
        for (long i = 0; i < count; i++) Unsafe.CopyBlockUnaligned((byte*)destination + (((i * depth) + index[i]) * size), &one, (uint)size);
        return -1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TakePiece(void* context, int piece)
    {
        ref TakeJob job = ref *(TakeJob*)context;
        long row = job.Rows * piece / job.Pieces, end = job.Rows * (piece + 1) / job.Pieces;
        byte* source = (byte*)job.Source, destination = (byte*)job.Destination;
        long bytes = job.RowBytes;
        (long o, long i) = Math.DivRem(row, job.Count);
        for (; row < end; row++)
        {
            byte* from = source + (((o * job.Axis) + job.Index[i]) * bytes), to = destination + (row * bytes);
            Buffer.MemoryCopy(from, to, bytes, bytes);
            if (++i < job.Count) continue;
            i = 0;
            o++;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pick<T>(T* source, T* destination, long outer, long axis, long inner, long count, GatherIndex index)
        where T : unmanaged
    {
        long at = 0;
        for (long o = 0; o < outer; o++, source += axis * inner)
        {
            for (long k = 0; k < count; k++)
            {
                for (long n = 0; n < inner; n++, at++) destination[at] = source[(index[at] * inner) + n];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Put<T>(T* source, T* destination, long outer, long axis, long count, GatherIndex index)
        where T : unmanaged
    {
        for (long o = 0; o < outer; o++, source += count, destination += axis)
        {
            for (long i = 0; i < count; i++) destination[index[i]] = source[i];
        }
    }

    private struct TakeJob
    {
        public nint Source;
        public nint Destination;
        public GatherIndex Index;
        public long Axis;
        public long Count;
        public long RowBytes;
        public long Rows;
        public int Pieces;
    }
}
