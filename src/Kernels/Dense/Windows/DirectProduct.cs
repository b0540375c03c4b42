using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// The products of <see cref="PatchProduct{T}"/> without packing: the planes are staged so that, for a tap, all positions of the grid lie at one distance from
/// the element that the tap meets. A micro-kernel reads a row of the patches at base + offset(channel, tap), straight from the planes; between the rows of the grid it
/// computes some positions that are not in it and are dropped. The same bits as by packed panels.
/// </summary>
/// <remarks>Georganas et al., "Anatomy of High-Performance Deep Learning Convolutions on SIMD Architectures", SC 2018 (direct convolution); Dukhan, "The
/// Indirect Convolution Algorithm", 2019.</remarks>
internal unsafe struct DirectProduct<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // What it costs to pack a row of a panel, in rows of the product, with the joining and the repeated packing of several threads.
    private const nint PackingRows = 24;

    // The part of the result that is computed at a time stays in L2.
    private const nint BlockBytes = 256 * 1024;

    /// <summary>Staged.</summary>
    public PatchMap Map;
    public int Batch;
    public int Groups;
    public FilterPanels<T> Filters;

    /// <summary>[Batch, Groups · Channels, source of the map].</summary>
    public T* Source;

    public PatchTarget<T> Target;

    /// <summary>Called for finished planes of a dense target: rows of as many columns as a plane has elements.</summary>
    public GemmFinish Finish;

    private nint* _offsets;
    private nint _reach;
    private nint _panelSize;
    private nint _columns;
    private nint _width;
    private nint _imagesPerPart;
    private nint _imageParts;
    private nint _tilesPerPart;
    private nint _tileParts;
    private nint _columnsPerPart;
    private nint _columnParts;

    /// <summary>Whether this is less work than by packed panels; <paramref name="images"/> of them would be joined.</summary>
    public static bool IsBetter(in PatchMap map, nint rows, nint images)
    {
        nint length = MicroKernels.For<T>().VectorLength, panel = 2 * length;
        var direct = (map.FlatSize + panel - 1) / panel * panel * rows;
        var packed = (images * map.Pixels + length - 1) / length * length * (rows + PackingRows) / images;
        return direct <= packed;
    }

    public void Run()
    {
        var kernels = MicroKernels.For<T>();
        nint inner = Filters.Inner, maxRows = kernels.MaxRows, tiles = (Filters.Rows + maxRows - 1) / maxRows;
        Filters.TileRows = (Filters.Rows + tiles - 1) / tiles;
        _panelSize = inner * kernels.PackedStride;
        _columns = Map.FlatSize;
        _width = kernels.VectorLength * (_columns <= kernels.VectorLength ? 1 : 2);
        using var table = new NativeScratch(inner * sizeof(nint));
        _offsets = (nint*)table.Pointer;
        Map.WriteTapOffsets(_offsets);
        for (nint t = 0; t < Filters.Taps; t++) _reach = Math.Max(_reach, _offsets[t] % Map.PhaseSize);
        for (var k = Filters.Taps; k < inner; k++) _offsets[k] = _offsets[k - Filters.Taps] + Map.PlaneSize;
        Divide();
        WorkerPool.Run((int)(Groups * _imageParts * _tileParts * _columnParts), &Chunk, Unsafe.AsPointer(ref this));
        if (!Finish.IsEmpty && _columnParts > 1) Finish.InvokeRows(0, (long)Batch * Groups * Filters.Rows, Map.Pixels);
    }

    /// <summary>Cuts the work between the threads.</summary>
    private void Divide()
    {
        nint panels = (_columns + _width - 1) / _width, tiles = Filters.Tiles;
        var flops = 2.0 * Filters.Rows * Filters.Inner * _columns * Batch * Groups;
        var division = new PartDivision(flops, (nint)Batch * Groups, tiles, panels, Filters.Rows * Filters.Inner, Filters.Channels * Map.PlaneSize);
        var (imageParts, tileParts, columnParts) = (Math.Min(Batch, (division.Images + Groups - 1) / Groups), division.Rows, division.Columns);
        _imagesPerPart = (Batch + imageParts - 1) / imageParts;
        _imageParts = (Batch + _imagesPerPart - 1) / _imagesPerPart;
        _tilesPerPart = (tiles + tileParts - 1) / tileParts;
        _tileParts = (tiles + _tilesPerPart - 1) / _tilesPerPart;
        _columnsPerPart = (panels + columnParts - 1) / columnParts * _width;
        _columnParts = (panels * _width + _columnsPerPart - 1) / _columnsPerPart;
    }

    private static void Chunk(void* context, int chunk)
    {
        // A copy: what other threads write may lie beside the original.
        var job = Unsafe.AsRef<DirectProduct<T>>(context);
        job.Part(chunk);
    }

    /// <summary>Some tiles of rows by some positions of some images of a group, from packing and staging to the result.</summary>
    private readonly void Part(nint part)
    {
        var (columnPart, tilePart, imagePart, group) = (part % _columnParts, part / _columnParts % _tileParts, part / _columnParts / _tileParts % _imageParts,
            part / _columnParts / _tileParts / _imageParts);
        nint tile0 = tilePart * _tilesPerPart, tile1 = Math.Min(Filters.Tiles, tile0 + _tilesPerPart);
        nint first = columnPart * _columnsPerPart, end = Math.Min(_columns, first + _columnsPerPart);
        using var panels = new NativeScratch((tile1 - tile0) * _panelSize * sizeof(T));
        using var staged = new NativeScratch(Filters.Channels * Map.PlaneSize * sizeof(T) + _width * sizeof(T) + 64);
        T* packed = (T*)panels.Pointer, planes = (T*)staged.Pointer;
        Filters.Pack(group, tile0, tile1, packed);
        var (row0, row1) = Map.Z.Cells == 1 ? (first / Map.StepY, (end - 1 + _reach) / Map.StepY + 1) : (0, Map.Y.Cells);
        var plane = (nint)Map.Z.Source * Map.Y.Source * Map.X.Source;
        var block = Math.Max(1, BlockBytes / ((tile1 - tile0) * Filters.TileRows * _width * sizeof(T))) * _width;
        nint row = tile0 * Filters.TileRows, rows = Math.Min(Filters.Rows, tile1 * Filters.TileRows) - row;
        for (nint image = imagePart * _imagesPerPart; image < Math.Min(Batch, (imagePart + 1) * _imagesPerPart); image++)
        {
            T* source = Source + (image * Groups + group) * Filters.Channels * plane;
            for (nint c = 0; c < Filters.Channels; c++) Map.Stage(source + c * plane, planes + c * Map.PlaneSize, T.Zero, (int)row0, (int)row1);
            for (var column = first; column < end; column += block) Block(packed, planes, image, group, tile0, tile1, column, Math.Min(block, end - column));
            if (!Finish.IsEmpty && _columnParts == 1) Finish.Invoke((image * Groups + group) * Filters.Rows + row, rows, 0, Map.Pixels);
        }
    }

    /// <summary>One rectangle of the product of one image, for all of k.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Block(T* panels, T* planes, nint image, nint group, nint tile0, nint tile1, nint column0, nint count)
    {
        var kernels = MicroKernels.For<T>();
        nint inner = Filters.Inner, stride = kernels.PackedStride, columns = (count + _width - 1) / _width * _width;
        var vectors = _width == kernels.VectorLength ? 1 : 2;
        nint row0 = tile0 * Filters.TileRows, rows = Math.Min(Filters.Rows, tile1 * Filters.TileRows) - row0;
        using var scratch = new NativeScratch(rows * columns * sizeof(T));
        T* result = (T*)scratch.Pointer, source = planes + column0;
        var depth = GemmProblem<T>.BlockDepth(inner);
        var epilogue = new Epilogue<T>(T.One);
        for (nint k = 0; k < inner; k += depth)
        {
            epilogue.Accumulate = k > 0;
            var length = Math.Min(depth, inner - k);
            for (var tile = tile0; tile < tile1; tile++)
            {
                var height = Math.Min(Filters.TileRows, Filters.Rows - tile * Filters.TileRows);
                var kernel = kernels.Gathered(vectors, height);
                T* a = panels + (tile - tile0) * _panelSize + k * stride, c = result + (tile - tile0) * Filters.TileRows * columns;
                for (nint j = 0; j < columns; j += _width) kernel(length, a, stride, source + j, (nint)(_offsets + k), c + j, columns, &epilogue);
            }
        }

        var channel = group * Filters.Rows + row0;
        for (nint r = 0; r < rows; r++) Target.WriteGrid(Map, result + r * columns, column0, count, image * Groups * Filters.Rows + channel + r, channel + r);
    }
}
