using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Convolutions of 3 × 3 filters at unit steps with many channels, forward and for the gradient of the input, by Winograd's minimal filtering: four ninths of
/// the multiplications. The filters are transformed once; then each block of tiles is staged, transformed, multiplied as sixteen matrix products over the
/// channels, and transformed back, in the caches of one core. Which shapes are computed this way depends on the shape only, and every result is a fixed chain of
/// operations: the same bits for any number of threads and any vector width.
/// </summary>
/// <remarks>
/// Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016. The transforms add inputs that the sum itself keeps apart: an element that is
/// infinite, NaN or near the largest float would reach its neighbours. Such operands are left to the other ways.
/// </remarks>
internal unsafe struct WinogradProduct : IWinogradJob
{
    // A block's transformed inputs and products: more than L2 holds, but each is read one product at a time.
    private const nint BlockBytes = 3 << 20;

    // Up to so much, a thread keeps its transformed filters from block to block; of larger ones it transforms a part at a time, again for every block, since
    // what has to come from memory is only little more than half as large before.
    private const nint KeptBytes = 6 << 20;
    private const nint PartBytes = 1 << 20;

    // What reading a row of transformed filters once more costs, in columns of its product.
    private const nint RereadColumns = 6;

    private PatchMap _map;
    private FilterPanels<float> _filters;
    private PatchTarget<float> _target;
    private GemmFinish _finish;
    private float* _source;
    private int _batch;
    private bool _turned;
    private int _rowParts;
    private int _blockParts;
    private nint _blockRows;
    private nint _blocks;

    /// <summary>Whether to compute this way, and then does it. A dense target, one group.</summary>
    /// <param name="map">The patches: unit steps and three taps along y and x.</param>
    /// <param name="batch">Images.</param>
    /// <param name="filters">The filters.</param>
    /// <param name="source">[batch, channels, source of the map].</param>
    /// <param name="target">Where the results go.</param>
    /// <param name="finish">Called for finished parts of planes.</param>
    public static bool TryRun(in PatchMap map, int batch, in FilterPanels<float> filters, float* source, in PatchTarget<float> target, GemmFinish finish)
    {
        if (!Winograd.Enabled || !IsBetter(map, batch, filters)) return false;
        var job = new WinogradProduct { _filters = filters, _target = target, _finish = finish, _source = source, _batch = batch, _turned = map.Y.Increment < 0 };
        return job.Run(map);
    }

    private static bool IsBetter(in PatchMap map, int batch, in FilterPanels<float> filters)
    {
        if (map.Z.Taps != 1 || map.Z.Grid != 1 || map.Z.Source != 1 || map.Z.First != 0) return false;
        if (!Fits(map.Y) || !Fits(map.X) || map.Y.Increment != map.X.Increment || filters.Rows == 0 || filters.Channels == 0 || batch == 0) return false;
        double rows = filters.Rows, channels = filters.Channels, pairs = rows * channels;
        double direct = 9 * pairs * map.Y.Grid * (map.X.Grid + 2);
        var tiles = (nint)((map.Y.Grid + 1) / 2) * ((map.X.Grid + 1) / 2 + 1);
        double columns = (tiles + 15) / 16 * 16;
        return Winograd.Products * pairs * columns + Winograd.TransformWork * ((rows + channels) * columns + 2 * pairs / batch) < 0.8 * direct;
    }

    private static bool Fits(in PatchAxis axis) => axis is { Taps: 3, Step: 1, Increment: 1 or -1, Grid: >= 8 };

    private static PatchAxis Tiles(in PatchAxis axis)
        => new() { Source = axis.Source, Grid = (axis.Grid + 1) / 2, Step = 2, Taps = 4, First = axis.Low, Increment = 1 };

    private bool Run(in PatchMap map)
    {
        var elements = (nint)_batch * _filters.Channels * map.Y.Source * map.X.Source;
        var largest = new LargestMagnitudes(_source, elements, _filters.Filters, _filters.Rows * _filters.Channels * 9);

        // The inputs grow by 4 at most, the filters by 9/4, and 9 products of each channel are added.
        if (!Winograd.IsSafe(largest, 81.0 * _filters.Channels)) return false;
        _map = new PatchMap(new PatchAxis { Source = 1, Grid = 1, Step = 1, Taps = 1, Increment = 1 }, Tiles(map.Y), Tiles(map.X), staged: true);
        Divide();
        Winograd.Run(ref this, _rowParts * _blockParts);
        return true;
    }

    /// <summary>
    /// Cuts the work between the threads, which share nothing: what a part of the rows needs of the inputs, and a part of the blocks of the filters, it
    /// transforms itself. Blocks have as few columns for nothing as possible.
    /// </summary>
    private void Divide()
    {
        var kernels = MicroKernels.For<float>();
        nint tiles = (_filters.Rows + kernels.MaxRows - 1) / kernels.MaxRows, all = _map.Y.Grid;
        double channels = _filters.Channels, best = double.PositiveInfinity;
        for (var rowParts = 1; rowParts <= Math.Min(tiles, WorkerPool.Threads); rowParts++)
        {
            var blockParts = WorkerPool.Threads / rowParts;
            double rows = Math.Ceiling((double)_filters.Rows / rowParts), pairs = rows * channels;
            for (nint blockRows = 1; blockRows <= all; blockRows++)
            {
                nint columns = Columns(blockRows, kernels.VectorLength), blocks = _batch * ((all + blockRows - 1) / blockRows);
                if (blockRows > 1 && Winograd.Products * columns * (rows + channels) * sizeof(float) > BlockBytes) break;
                var block = Winograd.Products * pairs * (columns + RereadColumns) + Winograd.TransformWork * (rows + channels) * columns;
                var (share, filters) = ((blocks + blockParts - 1) / blockParts, Winograd.TransformWork * 2 * pairs);
                var cost = share * block + (Winograd.Products * pairs * sizeof(float) <= KeptBytes ? filters : share * filters);
                if (cost > best) continue;
                (best, _rowParts, _blockRows, _blockParts) = (cost, rowParts, blockRows, (int)Math.Min(blocks, blockParts));
            }
        }

        _blocks = (all + _blockRows - 1) / _blockRows;
        tiles = (tiles + _rowParts - 1) / _rowParts * _rowParts;
        _filters.TileRows = (_filters.Rows + tiles - 1) / tiles;
    }

    private readonly nint Columns(nint rows, nint length) => (rows * _map.RowLength + length - 1) / length * length;

    /// <summary>Some tiles of the filters' rows by some blocks, from packing and staging to the result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Part<L>(int part)
        where L : struct, IVectorLane<L, float>
    {
        var (blockPart, rowPart) = Math.DivRem(part, _rowParts);
        nint tile0 = _filters.Tiles * rowPart / _rowParts, tile1 = _filters.Tiles * (rowPart + 1) / _rowParts, tiles = tile1 - tile0, channels = _filters.Channels;
        var panel = channels * MicroKernels.For<float>().PackedStride;
        if (Winograd.Products * tiles * panel * sizeof(float) > KeptBytes) tiles = Math.Clamp(PartBytes / (Winograd.Products * panel * sizeof(float)), 1, tiles);
        nint step = Winograd.Step(tiles * panel), columns = Columns(_blockRows, L.Count), inputStep = Winograd.Step(columns * channels);
        using var filterScratch = new NativeScratch((Winograd.Products * step + 9 * panel) * sizeof(float));
        using var inputScratch = new NativeScratch((Winograd.Products * inputStep + _map.PlaneSize + 4 * L.Count) * sizeof(float));
        RowsOfFilters rows = new() { Transformed = (float*)filterScratch.Pointer, Step = step };
        TilesOfInputs inputs = new() { Transformed = (float*)inputScratch.Pointer, Step = inputStep };
        nint all = _batch * _blocks, end = all * (blockPart + 1) / _blockParts;
        for (nint block = all * blockPart / _blockParts, first = block; block < end; block++)
        {
            var (image, number) = Math.DivRem(block, _blocks);
            (inputs.Image, inputs.Row) = (image, number * _blockRows);
            inputs.Count = Math.Min(_blockRows, _map.Y.Grid - inputs.Row);
            inputs.Columns = Columns(inputs.Count, L.Count);
            Transform<L>(inputs);
            for (var tile = tile0; tile < tile1; tile += tiles)
            {
                rows.First = tile * _filters.TileRows;
                rows.Count = Math.Min(_filters.Rows, Math.Min(tile1, tile + tiles) * _filters.TileRows) - rows.First;
                if (block == first || tiles < tile1 - tile0) Transform<L>(rows, tile, Math.Min(tile1, tile + tiles));
                Multiply<L>(rows, inputs);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Transform<L>(in RowsOfFilters rows, nint tile0, nint tile1)
        where L : struct, IVectorLane<L, float>
    {
        nint channels = _filters.Channels, stride = MicroKernels.For<float>().PackedStride, panel = channels * stride;
        float* taps = rows.Transformed + Winograd.Products * rows.Step;
        for (var tile = tile0; tile < tile1; tile++)
        {
            _filters.Pack(0, tile, tile + 1, taps);
            WinogradTransform<L>.Filters(taps, channels, stride, _turned, rows.Transformed + (tile - tile0) * panel, rows.Step);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Transform<L>(in TilesOfInputs inputs)
        where L : struct, IVectorLane<L, float>
    {
        nint channels = _filters.Channels, size = (nint)_map.Y.Source * _map.X.Source, length = _map.RowLength;
        float* source = _source + inputs.Image * channels * size, plane = inputs.Transformed + Winograd.Products * inputs.Step;

        // The registers of the last tiles read past the rows that are staged.
        new Span<float>(plane, (int)_map.PlaneSize + 4 * L.Count).Clear();
        for (nint c = 0; c < channels; c++)
        {
            _map.Stage(source + c * size, plane, 0f, (int)inputs.Row, (int)(inputs.Row + inputs.Count + 1));
            float* first = plane + inputs.Row * length;
            WinogradTransform<L>.Inputs(first, _map.PhaseSize, length, inputs.Columns, 2 * L.Count, c, channels, inputs.Transformed, inputs.Step);
        }
    }

    /// <summary>Some rows of a block of one image, from the products to the result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Multiply<L>(in RowsOfFilters filters, in TilesOfInputs inputs)
        where L : struct, IVectorLane<L, float>
    {
        nint columns = inputs.Columns, step = Winograd.Step(columns * filters.Count);
        using var scratch = new NativeScratch((Winograd.Products * step + 4 * columns) * sizeof(float));
        float* products = (float*)scratch.Pointer, results = products + Winograd.Products * step;
        Multiply(filters, inputs, products, step);
        nint width = _target.Size[2], firstRow = 2 * inputs.Row, rows = Math.Min(2 * inputs.Count, _target.Size[1] - firstRow);
        var firstPlane = inputs.Image * _filters.Rows + filters.First;
        for (nint r = 0; r < filters.Count; r++)
        {
            var bias = _target.Bias == null ? 0 : _target.Bias[filters.First + r];
            WinogradTransform<L>.Outputs(products + r * columns, step, columns, bias, _target.Bias != null, results);
            float* to = _target.Plane(firstPlane + r) + firstRow * width;
            for (nint y = 0; y < rows; y++, to += width)
            {
                float* even = results + (y % 2 * 2 * columns) + y / 2 * _map.RowLength;

                // What spills over the end of a row is overwritten by the next one.
                WinogradRows.Interleave(even, even + columns, to, width, spill: (rows - y - 1) * width >= WinogradRows.Length);
            }
        }

        if (!_finish.IsEmpty) _finish.Invoke(firstPlane, filters.Count, firstRow * width, rows * width);
    }

    /// <summary>The sixteen products of a block: rows of filters by channels times channels by tiles.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Multiply(in RowsOfFilters filters, in TilesOfInputs inputs, float* products, nint productStep)
    {
        var kernels = MicroKernels.For<float>();
        nint stride = kernels.PackedStride, channels = _filters.Channels, panel = 2 * (nint)kernels.VectorLength, columns = inputs.Columns;
        var depth = GemmProblem<float>.BlockDepth(channels);
        var epilogue = new Epilogue<float>(1);
        for (nint i = 0; i < Winograd.Products; i++)
        {
            for (nint k = 0; k < channels; k += depth)
            {
                epilogue.Accumulate = k > 0;
                var length = Math.Min(depth, channels - k);
                float* a = filters.Transformed + i * filters.Step + k * stride;
                for (nint row = 0; row < filters.Count; row += _filters.TileRows, a += channels * stride)
                {
                    var height = Math.Min(_filters.TileRows, filters.Count - row);
                    float* c = products + i * productStep + row * columns;
                    for (nint j = 0; j < columns; j += panel)
                    {
                        var width = Math.Min(panel, columns - j);
                        var kernel = kernels.Kernel(true, width == panel ? 2 : 1, height);
                        kernel(length, a, stride, inputs.Transformed + i * inputs.Step + j * channels + k * width, width, c + j, columns, &epilogue);
                    }
                }
            }
        }
    }

    /// <summary>Rows of the products, their filters as sixteen times panels of tiles; behind them room for the taps of one tile.</summary>
    private struct RowsOfFilters
    {
        public nint First;
        public nint Count;
        public float* Transformed;

        /// <summary>Elements from a product's panels to the next one's.</summary>
        public nint Step;
    }

    /// <summary>A block: some rows of tiles of one image, sixteen times panels of tiles by channels; behind them one staged plane.</summary>
    private struct TilesOfInputs
    {
        public nint Image;

        /// <summary>The first row of tiles.</summary>
        public nint Row;

        /// <summary>Rows of tiles.</summary>
        public nint Count;

        /// <summary>Tiles, with those between the rows and up to a whole register.</summary>
        public nint Columns;
        public float* Transformed;

        /// <summary>Elements from a product's panels to the next one's.</summary>
        public nint Step;
    }
}
