using System.Runtime.CompilerServices;
using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// Kernels and library calls on the same rows, those that have formulas as one kernel (<see cref="RowFusion"/>), run one after the other for a few rows at a time: what
/// passes between them never leaves the cache. Every part computes what it would compute alone. Numbers that all rows read come first, what is computed of all rows
/// together comes last.
/// </summary>
internal sealed unsafe class RowsStep : PlanStep
{
    // From this many elements on a second thread pays.
    private const long ParallelElements = 16 * 1024;

    // A thread takes this part of a tile at least, so that arrays that fill few tiles are shared, too.
    private const long PartsOfTile = 4;

    private readonly LoweredRows _rows;
    private readonly TilePart[] _tiles;
    private readonly RowSumPlace[] _sums;

    private RowsStep(PlanGroup group, LoweredRows rows)
        : base(group, [.. rows.Arrays.Inputs], rows.Arrays.Outputs)
    {
        _rows = rows;
        _tiles = [.. rows.Tiles];
        _sums = [.. rows.Sums];
    }

    public override IEnumerable<LoweredKernel> Kernels => _rows.Kernels.Concat(_rows.Before.Concat(_rows.After).SelectMany(static n => n.Step.Kernels));

    public override IEnumerable<(RowSpec Spec, OpNode[] Members)> RowKernels => _rows.Programs;

    public override bool CannotFail => _rows.Checks.Count == 0 && _rows.Before.Concat(_rows.After).All(static n => n.Step.CannotFail);

    public override bool CanOverwrite(GraphNode old, OpNode output, HashSet<GraphNode> leaves) => Array.TrueForAll(Inputs, i => !ReferenceEquals(Placement.Root(i, leaves), old));

    public static RowsStep Create(PlanGroup group, GraphFunction function, HashSet<GraphNode> written) => new(group, new LoweredRows(group, function, written));

    public override void Run(ReadOnlySpan<NDArray> inputs, Span<NDArray> outputs)
    {
        foreach ((Action<NDArray, long> check, int array) in _rows.Checks) check(LaunchArrays.Get(array, inputs, outputs), _rows.Frame.Columns);
        foreach (NestedStep nested in _rows.Before) nested.Run(inputs, outputs);
        Action action = new() { Step = this };
        ArrayPins.Run(outputs, inputs, ref action);
        foreach (NestedStep nested in _rows.After) nested.Run(inputs, outputs);
    }

    private void RunTiles(ReadOnlySpan<nint> pointers)
    {
        uint places = PagePlaces.Of(pointers);
        fixed (nint* arrays = pointers)
        {
            using NativeScratch scratch = new(_rows.SumBytes + PagePlaces.Room);
            byte* sums = PagePlaces.Next(scratch.Pointer, ref places);
            RunTiles(arrays, sums, places);
            foreach (RowSumPlace place in _sums) place.Join(arrays, sums, RowSums.BlockCount(_rows.Frame.Rows));
        }
    }

    private void RunTiles(nint* arrays, byte* sums, uint places)
    {
        RowFrame frame = _rows.Frame;
        Job job = new() { Step = this, Arrays = arrays, Sums = sums, Places = places, RowsPerChunk = frame.Rows };
        long grain = _sums.Length > 0 ? RowSums.Block : Math.Max(1, _rows.TileRows / PartsOfTile); // a block of sums is one thread's
        if (frame.Rows * frame.Columns < ParallelElements || WorkerPool.Threads == 1 || frame.Rows <= grain)
        {
            RunChunk(Unsafe.AsPointer(ref job), 0);
            return;
        }

        long grains = (frame.Rows + grain - 1) / grain;
        long chunks = Math.Min(grains, 4L * WorkerPool.Threads);
        job.RowsPerChunk = (grains + chunks - 1) / chunks * grain;
        WorkerPool.Run((int)((frame.Rows + job.RowsPerChunk - 1) / job.RowsPerChunk), &RunChunk, Unsafe.AsPointer(ref job));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunChunk(void* context, int chunk)
    {
        ref Job job = ref Unsafe.AsRef<Job>(context);
        LoweredRows rows = job.Step._rows;
        long start = chunk * job.RowsPerChunk;
        long end = Math.Min(start + job.RowsPerChunk, rows.Frame.Rows);
        long block = job.Step._sums.Length > 0 ? RowSums.Block : long.MaxValue;
        using NativeScratch scratch = new(rows.ScratchBytes + PagePlaces.Room);
        uint places = job.Places;
        Tile tile = new() { Arrays = job.Arrays, Scratch = PagePlaces.Next(scratch.Pointer, ref places), Sums = job.Sums, Row = start };
        foreach (TilePart part in job.Step._tiles) part.Begin(tile);
        for (; tile.Row < end; tile.Row += tile.Rows)
        {
            tile.Rows = Math.Min(Math.Min(rows.TileRows, end - tile.Row), block - tile.Row % block);
            tile.Spare = end - tile.Row - tile.Rows;
            foreach (TilePart part in job.Step._tiles) part.Run(tile);
        }
    }

    private struct Job
    {
        public RowsStep Step;
        public nint* Arrays;
        public byte* Sums;
        public uint Places;
        public long RowsPerChunk;
    }

    private ref struct Action : IArrayAction
    {
        public RowsStep Step;

        public readonly void Invoke(ReadOnlySpan<nint> pointers) => Step.RunTiles(pointers);
    }
}
