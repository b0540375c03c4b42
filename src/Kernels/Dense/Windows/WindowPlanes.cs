using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Windows that stay inside their plane: pooling and depthwise convolutions. Planes are independent and spread over the threads; every result is one chain
/// in the order of the taps.
/// </summary>
internal unsafe partial struct WindowPlanes<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const double ParallelSteps = 32 * 1024;

    public PatchMap Map;
    public nint* TapOffsets;

    /// <summary>Planes of the destination.</summary>
    public nint Planes;

    /// <summary>How many planes of the destination come from one plane of the source.</summary>
    public nint PerSource;

    /// <summary>Planes of the destination before the weights and biases repeat.</summary>
    public nint Channels;

    /// <summary>[Channels, taps], or null.</summary>
    public T* Weights;

    public T* Source;
    public PatchTarget<T> Target;

    /// <summary>Called for finished planes of a dense target: rows of as many columns as a plane has elements.</summary>
    public GemmFinish Finish;

    private nint _perChunk;

    public void Run<TRow>()
        where TRow : IWindowRow
    {
        var steps = (double)Planes * Map.Pixels * Math.Max(1, Map.Taps);
        if (steps == 0) return;
        var width = SimdWidth.Current;
        if (TRow.JoinsRows && Map.HasAdjacentRows) while (width > 128 && Map.X.Grid * sizeof(T) * 8 < width) width /= 2;
        delegate*<WindowPlanes<T>*, nint, nint, void> body = width switch
        {
            512 => &Range<TRow, Lane512<T>>,
            256 => &Range<TRow, Lane256<T>>,
            _ => &Range<TRow, Lane128<T>>,
        };
        var self = (WindowPlanes<T>*)Unsafe.AsPointer(ref this);
        if (WorkerPool.Threads == 1 || Planes == 1 || steps < ParallelSteps)
        {
            body(self, 0, Planes);
            return;
        }

        var chunks = Math.Min(Planes, 4 * WorkerPool.Threads);
        _perChunk = (Planes + chunks - 1) / chunks;
        var job = new Job { Planes = self, Body = body };
        WorkerPool.Run((int)((Planes + _perChunk - 1) / _perChunk), &Chunk, &job);
    }

    private static void Chunk(void* context, int chunk)
    {
        var job = (Job*)context;
        var start = chunk * job->Planes->_perChunk;
        job->Body(job->Planes, start, Math.Min(job->Planes->Planes, start + job->Planes->_perChunk));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Range<TRow, L>(WindowPlanes<T>* job, nint start, nint end)
        where TRow : IWindowRow
        where L : struct, IVectorLane<L, T>
    {
        if (TRow.JoinsPairs && HasPairs(job->Map) && job->Target.Dense && job->Target.Bias == null)
        {
            PairRange<TRow, L>(job, start, end);
            return;
        }

        ref readonly var map = ref job->Map;
        var target = job->Target;
        nint pixels = map.Pixels, sourcePlane = (nint)map.Z.Source * map.Y.Source * map.X.Source;
        using var staged = new NativeScratch(map.Staged ? map.PlaneSize * sizeof(T) : 0);
        using var values = new NativeScratch(target.Dense ? 0 : pixels * sizeof(T));
        nint inStage = -1, layers = map.Z.Grid, rows = map.Y.Grid, columns = map.X.Grid;

        // Rows, or layers, that follow each other without a gap are one row.
        if (map.StepY == columns || rows == 1) (columns, rows) = (columns * rows, 1);
        if (rows == 1 && (map.StepZ == columns || layers == 1)) (columns, layers) = (columns * layers, 1);
        var joins = TRow.JoinsRows && map.HasAdjacentRows && rows >= 4 && columns >= L.Count;
        for (var plane = start; plane < end; plane++)
        {
            var from = plane / job->PerSource;
            T* source = job->Source + from * sourcePlane;
            if (map.Staged)
            {
                if (inStage != from) map.Stage(source, (T*)staged.Pointer, T.CreateTruncating(TRow.Padding));
                inStage = from;
                source = (T*)staged.Pointer;
            }

            var channel = plane % job->Channels;
            T* to = target.Dense ? target.Plane(plane) : (T*)values.Pointer, weights = job->Weights + channel * map.Taps, row = to;
            for (nint z = 0; z < layers; z++)
            {
                nint y = 0;
                if (joins)
                {
                    // The last four may have been done in part: the same again.
                    for (; y < rows; y += 4) FourRows<TRow, L>(job, source + z * map.StepZ, Math.Min(y, rows - 4), weights, row, columns);
                    row += rows * columns;
                }

                for (; y < rows; y++, row += columns)
                    TRow.Row<L, T>(source + z * map.StepZ + y * map.StepY, job->TapOffsets, map.Taps, weights, row, columns);
            }

            if (target.Dense) target.AddBias(plane, channel, pixels);
            else target.Write(to, 1, plane, channel, pixels);
            if (!job->Finish.IsEmpty) job->Finish.Invoke(plane, 1, 0, pixels);
        }
    }

    // Taps that go backwards along y: the rows are taken from the last one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourRows<TRow, L>(WindowPlanes<T>* job, T* source, nint y, T* weights, T* result, nint columns)
        where TRow : IWindowRow
        where L : struct, IVectorLane<L, T>
    {
        nint* taps = job->TapOffsets;
        nint step = job->Map.StepY;
        source += taps[0] + y * step;
        result += y * columns;
        if (taps[3] > taps[0]) TRow.FourRows<L, T>(source, step, taps[1] - taps[0], weights, result, columns, columns);
        else TRow.FourRows<L, T>(source + 3 * step, -step, taps[1] - taps[0], weights, result + 3 * columns, -columns, columns);
    }

    private struct Job
    {
        public WindowPlanes<T>* Planes;
        public delegate*<WindowPlanes<T>*, nint, nint, void> Body;
    }
}
