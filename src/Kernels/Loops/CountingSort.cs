namespace Fusion.Kernels;

/// <summary>Sorts lines of bytes by counting how often each value occurs: two passes over the line, and no memory beside it.</summary>
internal static unsafe class CountingSort
{
    private const long SplitElements = 32 * 1024;
    private const int LeastCounted = 64;

    /// <summary>Writes each of <paramref name="lines"/> contiguous lines of <paramref name="n"/> bytes sorted.</summary>
    public static void Run(byte* source, byte* target, long lines, int n, bool descending)
    {
        if (lines == 0 || n == 0) return;
        Job job = new() { Source = source, Target = target, Lines = lines, Length = n, Descending = descending };
        job.Pieces = lines * n < SplitElements ? 1 : (int)Math.Min(lines, 4L * WorkerPool.Threads);
        WorkerPool.Run(job.Pieces, &Piece, &job);
    }

    private static void Piece(void* context, int piece)
    {
        ref Job job = ref *(Job*)context;
        long end = job.Lines * (piece + 1) / job.Pieces;
        int* counts = stackalloc int[256];
        for (long line = job.Lines * piece / job.Pieces; line < end; line++)
        {
            ReadOnlySpan<byte> from = new(job.Source + (line * job.Length), job.Length);
            Span<byte> to = new(job.Target + (line * job.Length), job.Length);
            if (job.Length < LeastCounted)
            {
                from.CopyTo(to);
                to.Sort();
                if (job.Descending) to.Reverse();
            }
            else
            {
                Count(from, to, new Span<int>(counts, 256), job.Descending);
            }
        }
    }

    private static void Count(ReadOnlySpan<byte> from, Span<byte> to, Span<int> counts, bool descending)
    {
        counts.Clear();
        foreach (byte value in from) counts[value]++;
        int at = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            int value = descending ? counts.Length - 1 - i : i;
            to.Slice(at, counts[value]).Fill((byte)value);
            at += counts[value];
        }
    }

    private struct Job
    {
        public byte* Source;
        public byte* Target;
        public long Lines;
        public int Length;
        public bool Descending;
        public int Pieces;
    }
}
