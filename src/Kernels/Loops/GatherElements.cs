using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>The loops of <see cref="Gather"/> over single elements, where reckoning with indices costs more than the copy. Indices are checked before.</summary>
internal static unsafe class GatherElements
{
    private const long SplitElements = 32 * 1024;

    /// <summary>destination[o, i] = source[o, index[i]]: the same places of every line, reckoned once.</summary>
    public static void Take(nint source, nint destination, long outer, long axis, int elementSize, in GatherIndex index, DType indexType, long count)
    {
        if (outer == 1)
        {
            Pick(source, destination, 1, axis, elementSize, index, indexType, count);
            return;
        }

        using NativeScratch scratch = new(count * sizeof(int));
        uint* places = (uint*)scratch.Pointer;
        for (long i = 0; i < count; i++) places[i] = (uint)index[i];
        Job job = new() { Source = source, Destination = destination, Index = (nint)places, Axis = axis, Count = count };

        // A piece is a range of the output; one line may be cut.
        job.Elements = outer * count;
        Run(ref job, elementSize switch { 1 => &TakePiece<byte>, 2 => &TakePiece<ushort>, 4 => &TakePiece<uint>, _ => &TakePiece<ulong> });
    }

    /// <summary>destination[o, k] = source[o, index[o, k]]: every line has indices of its own.</summary>
    public static void Pick(nint source, nint destination, long outer, long axis, int elementSize, in GatherIndex index, DType indexType, long count)
    {
        Job job = new() { Source = source, Destination = destination, Index = index.Data, Axis = axis, Count = count };
        job.Elements = outer * count;
        Run(ref job, (elementSize, indexType) switch
        {
            (1, DType.Int32) => &PickPiece<byte, int>,
            (1, _) => &PickPiece<byte, long>,
            (2, DType.Int32) => &PickPiece<ushort, int>,
            (2, _) => &PickPiece<ushort, long>,
            (4, DType.Int32) => &PickPiece<uint, int>,
            (4, _) => &PickPiece<uint, long>,
            (_, DType.Int32) => &PickPiece<ulong, int>,
            (_, _) => &PickPiece<ulong, long>,
        });
    }

    private static void Run(ref Job job, delegate*<void*, int, void> body)
    {
        job.Pieces = job.Elements < SplitElements ? 1 : (int)Math.Min(job.Elements, 4L * WorkerPool.Threads);
        WorkerPool.Run(job.Pieces, body, Unsafe.AsPointer(ref job));
    }

    private static void TakePiece<T>(void* context, int piece)
        where T : unmanaged
    {
        ref Job job = ref *(Job*)context;
        long at = job.Elements * piece / job.Pieces, end = job.Elements * (piece + 1) / job.Pieces;
        while (at < end)
        {
            (long line, long first) = Math.DivRem(at, job.Count);
            long more = Math.Min(job.Count - first, end - at);
            TakeLine((T*)job.Source + (line * job.Axis), (T*)job.Destination + at, (uint*)job.Index + first, more);
            at += more;
        }
    }

    private static void PickPiece<T, TIndex>(void* context, int piece)
        where T : unmanaged
        where TIndex : unmanaged, IBinaryInteger<TIndex>
    {
        ref Job job = ref *(Job*)context;
        long at = job.Elements * piece / job.Pieces, end = job.Elements * (piece + 1) / job.Pieces;
        if (job.Count == 1)
        {
            PickOne((T*)job.Source, (T*)job.Destination, (TIndex*)job.Index, at, end, job.Axis);
            return;
        }

        while (at < end)
        {
            (long line, long first) = Math.DivRem(at, job.Count);
            long more = Math.Min(job.Count - first, end - at);
            PickLine((T*)job.Source + (line * job.Axis), (T*)job.Destination + at, (TIndex*)job.Index + at, more, TIndex.CreateTruncating(job.Axis));
            at += more;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TakeLine<T>(T* source, T* destination, uint* places, long count)
        where T : unmanaged
    {
        long i = 0;
        for (; i + 4 <= count; i += 4)
        {
            T a = source[places[i]], b = source[places[i + 1]], c = source[places[i + 2]], d = source[places[i + 3]];
            destination[i] = a;
            destination[i + 1] = b;
            destination[i + 2] = c;
            destination[i + 3] = d;
        }

        for (; i < count; i++) destination[i] = source[places[i]];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PickLine<T, TIndex>(T* source, T* destination, TIndex* index, long count, TIndex axis)
        where T : unmanaged
        where TIndex : unmanaged, IBinaryInteger<TIndex>
    {
        // Without a branch: the axis is added to negative indices.
        int sign = (sizeof(TIndex) * 8) - 1;
        long i = 0;
        for (; i + 4 <= count; i += 4)
        {
            TIndex p = index[i], q = index[i + 1], r = index[i + 2], s = index[i + 3];
            T a = source[long.CreateTruncating(p + (axis & (p >> sign)))], b = source[long.CreateTruncating(q + (axis & (q >> sign)))];
            T c = source[long.CreateTruncating(r + (axis & (r >> sign)))], d = source[long.CreateTruncating(s + (axis & (s >> sign)))];
            destination[i] = a;
            destination[i + 1] = b;
            destination[i + 2] = c;
            destination[i + 3] = d;
        }

        for (; i < count; i++)
        {
            TIndex raw = index[i];
            destination[i] = source[long.CreateTruncating(raw + (axis & (raw >> sign)))];
        }
    }

    // One element of each line.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PickOne<T, TIndex>(T* source, T* destination, TIndex* index, long begin, long end, long axis)
        where T : unmanaged
        where TIndex : unmanaged, IBinaryInteger<TIndex>
    {
        source += begin * axis;
        for (long i = begin; i < end; i++, source += axis)
        {
            long raw = long.CreateTruncating(index[i]);
            destination[i] = source[raw + (axis & (raw >> 63))];
        }
    }

    private struct Job
    {
        public nint Source;
        public nint Destination;
        public nint Index;
        public long Axis;
        public long Count;
        public long Elements;
        public int Pieces;
    }
}
