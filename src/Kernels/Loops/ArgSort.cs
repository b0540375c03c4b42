using System.Runtime.InteropServices;

namespace Fusion.Kernels;

/// <summary>
/// The order that sorts lines. It is stable, and total for floating-point numbers: −∞ … −0 = +0 … ∞, then NaN; descending is the exact reverse in value
/// with NaN first, equal elements still in the order of the line.
/// </summary>
internal static unsafe class ArgSort
{
    private const long SplitElements = 8 * 1024;

    /// <summary>Writes for each of <paramref name="lines"/> contiguous lines of <paramref name="n"/> elements the first <paramref name="k"/> indices of its order.</summary>
    public static void Run(DType dtype, nint source, long* order, long lines, int n, int k, bool descending)
    {
        if (lines == 0 || k == 0) return;
        Job job = new() { Source = source, Order = order, Lines = lines, Length = n, Count = k, Descending = descending, Type = dtype };
        job.Pieces = lines * n < SplitElements ? 1 : (int)Math.Min(lines, 4L * WorkerPool.Threads);
        WorkerPool.Run(job.Pieces, &Piece, &job);
    }

    private static void Piece(void* context, int piece)
    {
        ref Job job = ref *(Job*)context;
        long line = job.Lines * piece / job.Pieces, end = job.Lines * (piece + 1) / job.Pieces;
        switch (job.Type)
        {
            case DType.Float32: Sort<int, FloatKeys>(job, line, end); break;
            case DType.Float64: Sort<long, DoubleKeys>(job, line, end); break;
            case DType.Int32: Sort<int, IntKeys>(job, line, end); break;
            case DType.Int64: Sort<long, LongKeys>(job, line, end); break;
            default: Sort<byte, ByteKeys>(job, line, end); break;
        }
    }

    // Keys are integers in the wanted order; four bytes of key and four of position make one sortable number, longer keys carry positions along.
    private static void Sort<T, TKeys>(in Job job, long line, long end)
        where T : unmanaged
        where TKeys : struct, ISortKeys<T>
    {
        int n = job.Length;
        long[] keys = new long[n];
        int[] positions = TKeys.IsWide ? new int[n] : [];
        for (; line < end; line++)
        {
            ReadOnlySpan<T> x = new((T*)job.Source + line * n, n);
            long* order = job.Order + line * job.Count;
            if (!TKeys.IsWide)
            {
                for (int i = 0; i < n; i++) keys[i] = ((job.Descending ? ~TKeys.Key(x[i]) : TKeys.Key(x[i])) << 32) | (uint)i;
                Array.Sort(keys);
                for (int i = 0; i < job.Count; i++) order[i] = (uint)keys[i];
                continue;
            }

            for (int i = 0; i < n; i++) (keys[i], positions[i]) = (job.Descending ? ~TKeys.Key(x[i]) : TKeys.Key(x[i]), i);
            Array.Sort(keys, positions);

            // The library's sort is not stable: runs of equal keys are put in order.
            for (int start = 0; start < n;)
            {
                int stop = start + 1;
                while (stop < n && keys[stop] == keys[start]) stop++;
                if (stop - start > 1) Array.Sort(positions, start, stop - start);
                start = stop;
            }

            for (int i = 0; i < job.Count; i++) order[i] = positions[i];
        }
    }

    private interface ISortKeys<T>
    {
        static abstract bool IsWide { get; }

        static abstract long Key(T value);
    }

    private struct FloatKeys : ISortKeys<int>
    {
        public static bool IsWide => false;

        // Two's complement of the magnitude for negative numbers; both zeros are 0, every NaN is the largest.
        public static long Key(int bits)
        {
            int magnitude = bits & int.MaxValue;
            if (magnitude > 0x7F800000) return int.MaxValue;
            return bits < 0 ? -magnitude : magnitude;
        }
    }

    private struct DoubleKeys : ISortKeys<long>
    {
        public static bool IsWide => true;

        public static long Key(long bits)
        {
            long magnitude = bits & long.MaxValue;
            if (magnitude > 0x7FF0000000000000) return long.MaxValue;
            return bits < 0 ? -magnitude : magnitude;
        }
    }

    private struct IntKeys : ISortKeys<int>
    {
        public static bool IsWide => false;

        public static long Key(int value) => value;
    }

    private struct LongKeys : ISortKeys<long>
    {
        public static bool IsWide => true;

        public static long Key(long value) => value;
    }

    private struct ByteKeys : ISortKeys<byte>
    {
        public static bool IsWide => false;

        public static long Key(byte value) => value;
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Job
    {
        public nint Source;
        public long* Order;
        public long Lines;
        public int Length;
        public int Count;
        public bool Descending;
        public DType Type;
        public int Pieces;
    }
}
