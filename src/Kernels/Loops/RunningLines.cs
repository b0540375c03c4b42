namespace Fusion.Kernels;

/// <summary>A part of the lines along the middle axis of (outer, n, inner): some columns of one outer index, or some whole lines where inner is 1.</summary>
/// <param name="Start">The element at which the first line of the part starts.</param>
/// <param name="Lines">How many lines, one element apart; n apart where inner is 1.</param>
internal readonly record struct LinePart(long Start, long Lines);

/// <summary>
/// Cuts the lines of an array into parts and shares these among threads. Every line belongs to one part and is worked on in order, so what is
/// computed does not depend on the cut.
/// </summary>
internal unsafe struct RunningLines(long outer, long n, long inner)
{
    private const long SplitElements = 32 * 1024;

    // Columns whose running results stay in L1 while the rows go by; lines that are worked on together.
    private const long Strip = 1024;
    private const long Group = 16;

    /// <summary>Elements of a line.</summary>
    public readonly long Length = n;

    /// <summary>Elements from one element of a line to the next.</summary>
    public readonly long Step = inner;

    private readonly long _parts = inner == 1 ? (outer + Group - 1) / Group : outer * ((inner + Strip - 1) / Strip);
    private readonly long _outer = outer;
    private readonly bool _split = outer * n * inner >= SplitElements;
    private void* _context;
    private delegate*<void*, in RunningLines, LinePart, void> _body;

    /// <summary>Calls the body for every part; nothing is called for an array without elements.</summary>
    public void Run(void* context, delegate*<void*, in RunningLines, LinePart, void> body)
    {
        if (_outer == 0 || Length == 0 || Step == 0) return;
        _context = context;
        _body = body;
        long pieces = _split ? Math.Min(_parts, 8L * WorkerPool.Threads) : 1;
        Job job = new() { Pieces = pieces };
        fixed (RunningLines* self = &this)
        {
            job.Lines = self;
            WorkerPool.Run((int)pieces, &Piece, &job);
        }
    }

    private static void Piece(void* context, int piece)
    {
        ref Job job = ref *(Job*)context;
        ref RunningLines lines = ref *job.Lines;
        long end = lines._parts * (piece + 1) / job.Pieces;
        for (long i = lines._parts * piece / job.Pieces; i < end; i++) lines._body(lines._context, lines, lines.Part(i));
    }

    private readonly LinePart Part(long i)
    {
        if (Step == 1) return new LinePart(i * Group * Length, Math.Min(Group, _outer - (i * Group)));
        (long o, long strip) = Math.DivRem(i, (Step + Strip - 1) / Strip);
        return new LinePart((o * Length * Step) + (strip * Strip), Math.Min(Strip, Step - (strip * Strip)));
    }

    private struct Job
    {
        public RunningLines* Lines;
        public long Pieces;
    }
}
