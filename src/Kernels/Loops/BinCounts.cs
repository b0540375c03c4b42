using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Which bin an element belongs to; −1: none.</summary>
internal interface IBinSource
{
    long Bin(long i);
}

/// <summary>Indices that are bins themselves, checked before.</summary>
internal readonly unsafe struct IndexBins<TIndex>(TIndex* indices) : IBinSource
    where TIndex : unmanaged, IBinaryInteger<TIndex>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long Bin(long i) => long.CreateTruncating(indices[i]);
}

/// <summary>
/// Intervals between ascending edges, each with its lower edge, the last one with both; where edges coincide the last of them counts. The bin is
/// reckoned as if the edges were evenly spaced, and put right by comparing: evenly spaced edges that were rounded need a step at most.
/// </summary>
internal readonly unsafe struct EdgeBins<T>(T* x, T* edges, long bins) : IBinSource
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T _low = edges[0];
    private readonly T _high = edges[bins];
    private readonly T _scale = T.CreateTruncating(bins) / (edges[bins] - edges[0]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long Bin(long i)
    {
        T value = x[i];
        if (!(value >= _low && value <= _high)) return -1;
        long bin = Math.Clamp(long.CreateSaturating((value - _low) * _scale), 0, bins - 1);
        while (value < edges[bin]) bin--;
        while (bin < bins - 1 && value >= edges[bin + 1]) bin++;
        return bin;
    }
}

/// <summary>Counts of the elements in each of some bins.</summary>
internal static unsafe class BinCounts
{
    private const long SplitElements = 64 * 1024;

    // Up to so many bins, an element and its next neighbours count in tables of their own: a bin that was just counted up cannot be read at once.
    private const int MaxTableBins = 2048;
    private const int Tables = 4;

    // The counts of a table are 32 bits wide.
    private const long MaxTableElements = 1L << 31;

    /// <summary>Counts every index from 0 to <paramref name="bins"/> − 1. Returns the place of the first that is none, or −1.</summary>
    public static long OfIndices(nint indices, DType indexType, long count, long* counts, long bins)
    {
        long bad = new GatherIndex(indices, indexType, bins).FirstBad(count, allowNegative: false);
        if (bad >= 0) return bad;
        if (indexType == DType.Int32) Run(new IndexBins<int>((int*)indices), count, counts, bins);
        else Run(new IndexBins<long>((long*)indices), count, counts, bins);
        return -1;
    }

    /// <summary>Counts the elements between each two of <paramref name="bins"/> + 1 ascending edges, Float32 or Float64; NaN and what lies outside nowhere.</summary>
    public static void BetweenEdges(DType dtype, nint x, long count, nint edges, long* counts, long bins)
    {
        if (dtype == DType.Float32) Run(new EdgeBins<float>((float*)x, (float*)edges, bins), count, counts, bins);
        else Run(new EdgeBins<double>((double*)x, (double*)edges, bins), count, counts, bins);
    }

    private static void Run<TSource>(TSource source, long count, long* counts, long bins)
        where TSource : unmanaged, IBinSource
    {
        new Span<long>(counts, checked((int)bins)).Clear();
        if (bins > MaxTableBins || count >= MaxTableElements)
        {
            for (long i = 0; i < count; i++)
            {
                long bin = source.Bin(i);
                if (bin >= 0) counts[bin]++;
            }

            return;
        }

        // Whole numbers: their sum is the same in any order.
        int pieces = count < SplitElements ? 1 : WorkerPool.Threads;
        using NativeScratch scratch = new(pieces * bins * sizeof(long));
        Job<TSource> job = new() { Source = source, Count = count, Bins = bins, Counts = (long*)scratch.Pointer, Pieces = pieces };
        WorkerPool.Run(pieces, &Piece<TSource>, &job);
        for (int piece = 0; piece < pieces; piece++)
            for (long bin = 0; bin < bins; bin++) counts[bin] += job.Counts[(piece * bins) + bin];
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Piece<TSource>(void* context, int piece)
        where TSource : unmanaged, IBinSource
    {
        ref Job<TSource> job = ref *(Job<TSource>*)context;
        TSource source = job.Source;
        long bins = job.Bins, i = job.Count * piece / job.Pieces, end = job.Count * (piece + 1) / job.Pieces;

        // The first place of each table takes what belongs nowhere.
        uint* first = stackalloc uint[Tables * (MaxTableBins + 1)], second = first + bins + 1, third = second + bins + 1, fourth = third + bins + 1;
        new Span<uint>(first, Tables * (int)(bins + 1)).Clear();
        for (; i + Tables <= end; i += Tables)
        {
            long a = source.Bin(i), b = source.Bin(i + 1), c = source.Bin(i + 2), d = source.Bin(i + 3);
            first[a + 1]++;
            second[b + 1]++;
            third[c + 1]++;
            fourth[d + 1]++;
        }

        for (; i < end; i++) first[source.Bin(i) + 1]++;
        long* counts = job.Counts + (piece * bins);
        for (long bin = 0; bin < bins; bin++) counts[bin] = (long)first[bin + 1] + second[bin + 1] + third[bin + 1] + fourth[bin + 1];
    }

    private struct Job<TSource>
        where TSource : unmanaged
    {
        public TSource Source;
        public long Count;
        public long Bins;
        public long* Counts;
        public int Pieces;
    }
}
