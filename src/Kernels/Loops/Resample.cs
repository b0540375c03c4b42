using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Linear maps of the rows and the columns of contiguous planes, such as interpolation and averaging, in one pass: what is between the two maps of a plane
/// stays in scratch memory. Each sum is taken in the order of its terms, every product rounded. The map along the rows is a loop over single elements: it is
/// done where there are fewer rows, before or after the other one.
/// </summary>
internal static unsafe class Resample
{
    private const long SplitElements = 16 * 1024;

    /// <summary>y = R·x·Cᵀ for each plane x (rows.From, columns.From).</summary>
    public static void Run(DType dtype, nint x, nint y, long planes, AxisTaps rows, AxisTaps columns)
    {
        if (dtype == DType.Float32) Run<float>(dtype, x, y, planes, rows, columns);
        else Run<double>(dtype, x, y, planes, rows, columns);
    }

    private static void Run<T>(DType dtype, nint x, nint y, long planes, AxisTaps rows, AxisTaps columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (planes == 0) return;
        using var weights = new NativeScratch((rows.Weights.Length + columns.Weights.Length) * sizeof(T));
        T* down = (T*)weights.Pointer, across = down + rows.Weights.Length;
        for (int i = 0; i < rows.Weights.Length; i++) down[i] = T.CreateTruncating(rows.Weights[i]);
        for (int i = 0; i < columns.Weights.Length; i++) across[i] = T.CreateTruncating(columns.Weights[i]);
        fixed (int* downFirst = rows.First, downStart = rows.Start, acrossFirst = columns.First, acrossStart = columns.Start)
        {
            var job = new Job { Input = x, Output = y, Planes = planes };
            job.Rows = new Taps(rows, downFirst, downStart, (nint)down);
            job.Columns = new Taps(columns, acrossFirst, acrossStart, (nint)across);
            job.Body = SimdWidth.Current switch
            {
                512 => &Planes<Lane512<T>, T>,
                256 => &Planes<Lane256<T>, T>,
                _ => &Planes<Lane128<T>, T>,
            };
            long elements = planes * Math.Max(job.Rows.From * job.Columns.From, job.Rows.To * job.Columns.To);
            job.Pieces = elements < SplitElements ? 1 : (int)Math.Min(planes, 4L * WorkerPool.Threads);
            WorkerPool.Run(job.Pieces, &RunPiece, &job);
        }
    }

    private static void RunPiece(void* context, int piece)
    {
        var job = (Job*)context;
        job->Body(job, job->Planes * piece / job->Pieces, job->Planes * (piece + 1) / job->Pieces);
    }

    private static void Planes<L, T>(Job* job, long begin, long end)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ref Taps rows = ref job->Rows, columns = ref job->Columns;
        bool columnsFirst = rows.From <= rows.To;
        long between = columnsFirst ? rows.From * columns.To : rows.To * columns.From;
        using var memory = new NativeScratch(between * sizeof(T));
        T* scratch = (T*)memory.Pointer;
        for (long plane = begin; plane < end; plane++)
        {
            T* x = (T*)job->Input + plane * rows.From * columns.From, y = (T*)job->Output + plane * rows.To * columns.To;
            if (rows.IsIdentity && columns.IsIdentity) new ReadOnlySpan<T>(x, checked((int)(rows.To * columns.To))).CopyTo(new Span<T>(y, checked((int)(rows.To * columns.To))));
            else if (rows.IsIdentity) Across(columns, x, y, rows.From);
            else if (columns.IsIdentity) Down<L, T>(rows, x, y, columns.From);
            else if (columnsFirst)
            {
                Across(columns, x, scratch, rows.From);
                Down<L, T>(rows, scratch, y, columns.To);
            }
            else
            {
                Down<L, T>(rows, x, scratch, columns.From);
                Across(columns, scratch, y, rows.To);
            }
        }
    }

    // Sums of whole rows of a width.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Down<L, T>(in Taps taps, T* x, T* y, long width)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int* starts = taps.Start, firsts = taps.First;
        T* weights = (T*)taps.Weights;
        for (long o = 0; o < taps.To; o++, y += width)
        {
            int start = starts[o], count = starts[o + 1] - start;
            T* w = weights + start, row = x + firsts[o] * width;
            if (count == 0)
            {
                new Span<T>(y, checked((int)width)).Clear();
                continue;
            }

            L first = L.Broadcast(*w);
            for (long i = 0; i < width; i += L.Count)
            {
                T* at = row + i;
                L sum = first * L.Load(at);
                for (int k = 1; k < count; k++)
                {
                    at += width;
                    sum += L.Broadcast(w[k]) * L.Load(at);
                }

                LaneTail.Store<L, T>(sum, y + i, width - i);
            }
        }
    }

    // Sums of elements of each row.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Across<T>(in Taps taps, T* x, T* y, long rows)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int* starts = taps.Start, firsts = taps.First;
        T* weights = (T*)taps.Weights;
        long width = taps.From, to = taps.To;
        for (long r = 0; r < rows; r++, x += width, y += to)
        {
            for (long o = 0; o < to; o++)
            {
                int start = starts[o], count = starts[o + 1] - start;
                T* w = weights + start, at = x + firsts[o];
                T sum = count == 0 ? T.Zero : *w * *at;
                for (int k = 1; k < count; k++) sum += w[k] * at[k];
                y[o] = sum;
            }
        }
    }

    private unsafe struct Taps(AxisTaps taps, int* first, int* start, nint weights)
    {
        public readonly long From = taps.From;
        public readonly long To = taps.To;
        public readonly bool IsIdentity = taps.IsIdentity;
        public readonly int* First = first;
        public readonly int* Start = start;
        public readonly nint Weights = weights;
    }

    private struct Job
    {
        public nint Input;
        public nint Output;
        public long Planes;
        public Taps Rows;
        public Taps Columns;
        public int Pieces;
        public delegate*<Job*, long, long, void> Body;
    }
}
