using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// The products of <see cref="PatchProduct{T}"/> without packing: the planes are staged so that, for a tap, all positions of the grid lie at one distance from
/// the element that the tap meets. A micro-kernel reads a row of the patches at base + offset(channel, tap), straight from the planes; between the rows of the grid it
/// computes some positions that are not in it and are dropped. The filters are packed once. The same bits as by packed panels.
/// </summary>
/// <remarks>Georganas et al., "Anatomy of High-Performance Deep Learning Convolutions on SIMD Architectures", SC 2018 (direct convolution); Dukhan, "The
/// Indirect Convolution Algorithm", 2019.</remarks>
internal unsafe struct DirectProduct<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const double ParallelFlops = 400_000;

    // What it costs to pack a row of a panel, in rows of the product.
    private const nint PackingRows = 10;

    // The part of the result that one unit of work computes stays in L2.
    private const nint UnitBytes = 128 * 1024;
    private const double UnitFlops = 1_000_000;
    private const nint StagedElements = 16 * 1024;

    /// <summary>Staged.</summary>
    public PatchMap Map;
    public int Batch;
    public int Groups;
    public FilterPanels<T> Filters;

    /// <summary>[Batch, Groups · Channels, source of the map].</summary>
    public T* Source;

    public PatchTarget<T> Target;

    private T* _panels;
    private T* _planes;
    private nint* _offsets;
    private nint _panelSize;
    private nint _columns;
    private nint _width;
    private nint _unitColumns;
    private nint _unitTiles;
    private nint _columnUnits;
    private nint _tileUnits;
    private nint _planesPerChunk;

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
        nint inner = Filters.Inner, maxRows = kernels.MaxRows, tiles = (Filters.Rows + maxRows - 1) / maxRows, images = (nint)Batch * Groups;
        Filters.TileRows = (Filters.Rows + tiles - 1) / tiles;
        tiles = Filters.Tiles;
        _panelSize = inner * kernels.PackedStride;
        _columns = Map.FlatSize;
        _width = kernels.VectorLength * (_columns <= kernels.VectorLength ? 1 : 2);
        using var offsets = new NativeScratch(inner * sizeof(nint));
        using var panels = new NativeScratch(Groups * tiles * _panelSize * sizeof(T));
        _offsets = (nint*)offsets.Pointer;
        _panels = (T*)panels.Pointer;
        Map.WriteTapOffsets(_offsets);
        for (var k = Filters.Taps; k < inner; k++) _offsets[k] = _offsets[k - Filters.Taps] + Map.PlaneSize;

        int threads = WorkerPool.Threads;
        var flops = 2.0 * Filters.Rows * inner * _columns;
        Divide(1);
        if (threads == 1 || flops * images < ParallelFlops || images % threads == 0 || images >= 4 * threads)
        {
            // An image at a time, staged by the thread that needs it.
            if (threads == 1 || flops * images < ParallelFlops)
            {
                for (var i = 0; i < Groups * tiles; i++) Pack(i);
                for (var i = 0; i < images; i++) Image(i);
                return;
            }

            var self = Unsafe.AsPointer(ref this);
            WorkerPool.Run((int)(Groups * tiles), &PackChunk, self);
            WorkerPool.Run((int)images, &ImageChunk, self);
            return;
        }

        var allPlanes = images * Filters.Channels;
        using var staged = new NativeScratch(allPlanes * Map.PlaneSize * sizeof(T) + _width * sizeof(T));
        _planes = (T*)staged.Pointer;
        _planesPerChunk = Math.Max(1, StagedElements / Map.PlaneSize);
        Divide((int)Math.Min((8 * threads + images - 1) / images, 1 + (nint)(flops / UnitFlops)));
        var job = Unsafe.AsPointer(ref this);
        WorkerPool.Run((int)(Groups * tiles + (allPlanes + _planesPerChunk - 1) / _planesPerChunk), &PrepareChunk, job);
        WorkerPool.Run((int)(images * _columnUnits * _tileUnits), &UnitChunk, job);
    }

    private static void PackChunk(void* context, int chunk) => Unsafe.AsRef<DirectProduct<T>>(context).Pack(chunk);

    private static void ImageChunk(void* context, int chunk) => Unsafe.AsRef<DirectProduct<T>>(context).Image(chunk);

    private static void PrepareChunk(void* context, int chunk) => Unsafe.AsRef<DirectProduct<T>>(context).Prepare(chunk);

    private static void UnitChunk(void* context, int chunk)
    {
        ref readonly var job = ref Unsafe.AsRef<DirectProduct<T>>(context);
        var (image, unit) = Math.DivRem(chunk, (int)(job._columnUnits * job._tileUnits));
        job.Unit(job._planes + image * job.Filters.Channels * job.Map.PlaneSize, image, unit);
    }

    /// <summary>Cuts the product of an image into rectangles that fit into the cache, at least <paramref name="parts"/> of them if it is large enough.</summary>
    private void Divide(int parts)
    {
        nint all = (_columns + _width - 1) / _width, tiles = Filters.Tiles;
        var units = Math.Max((all * _width * Filters.Rows * sizeof(T) + UnitBytes - 1) / UnitBytes, Math.Min(parts, (all + 3) / 4));
        units = Math.Clamp(units, 1, all);
        var panels = (all + units - 1) / units;
        _unitColumns = panels * _width;
        _columnUnits = (all + panels - 1) / panels;
        _unitTiles = Math.Max(1, tiles * _columnUnits / Math.Max(parts, _columnUnits));
        _tileUnits = (tiles + _unitTiles - 1) / _unitTiles;
    }

    private readonly void Pack(nint index) => Filters.Pack(index / Filters.Tiles, index % Filters.Tiles, _panels + index * _panelSize);

    private readonly void Prepare(nint chunk)
    {
        var panels = Groups * Filters.Tiles;
        if (chunk < panels)
        {
            Pack(chunk);
            return;
        }

        nint first = (chunk - panels) * _planesPerChunk, end = Math.Min(first + _planesPerChunk, (nint)Batch * Groups * Filters.Channels);
        Stage(first, end - first, _planes + first * Map.PlaneSize);
    }

    private readonly void Stage(nint first, nint count, T* to)
    {
        var plane = (nint)Map.Z.Source * Map.Y.Source * Map.X.Source;
        for (nint i = 0; i < count; i++) Map.Stage(Source + (first + i) * plane, to + i * Map.PlaneSize, T.Zero);
    }

    /// <summary>One group of one image, from staging to the result.</summary>
    private readonly void Image(nint image)
    {
        using var staged = new NativeScratch(Filters.Channels * Map.PlaneSize * sizeof(T) + _width * sizeof(T));
        Stage(image * Filters.Channels, Filters.Channels, (T*)staged.Pointer);
        for (nint i = 0; i < _columnUnits * _tileUnits; i++) Unit((T*)staged.Pointer, image, i);
    }

    /// <summary>One rectangle of the product of one image: some tiles of rows, some panels of positions, all of k.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Unit(T* planes, nint image, nint unit)
    {
        var kernels = MicroKernels.For<T>();
        nint group = image % Groups, inner = Filters.Inner, tiles = Filters.Tiles, stride = kernels.PackedStride;
        nint tile0 = unit % _tileUnits * _unitTiles, tile1 = Math.Min(tiles, tile0 + _unitTiles);
        nint column0 = unit / _tileUnits * _unitColumns, columns = Math.Min(_unitColumns, (_columns - column0 + _width - 1) / _width * _width);
        var vectors = _width == kernels.VectorLength ? 1 : 2;
        nint row0 = tile0 * Filters.TileRows, rows = Math.Min(Filters.Rows, tile1 * Filters.TileRows) - row0;
        using var scratch = new NativeScratch(rows * columns * sizeof(T));
        T* result = (T*)scratch.Pointer, source = planes + column0;
        var depth = GemmProblem<T>.BlockDepth(inner);
        var epilogue = new Epilogue<T> { Alpha = T.One };
        for (nint k = 0; k < inner; k += depth)
        {
            epilogue.Accumulate = k > 0;
            var length = Math.Min(depth, inner - k);
            for (var tile = tile0; tile < tile1; tile++)
            {
                var height = Math.Min(Filters.TileRows, Filters.Rows - tile * Filters.TileRows);
                var kernel = kernels.Gathered(vectors, height);
                T* a = _panels + (group * tiles + tile) * _panelSize + k * stride, c = result + (tile - tile0) * Filters.TileRows * columns;
                for (nint j = 0; j < columns; j += _width) kernel(length, a, stride, source + j, (nint)(_offsets + k), c + j, columns, &epilogue);
            }
        }

        var plane = image * Filters.Rows + row0;
        for (nint r = 0; r < rows; r++) Target.WriteGrid(Map, result + r * columns, column0, columns, plane + r, group * Filters.Rows + row0 + r);
    }
}
