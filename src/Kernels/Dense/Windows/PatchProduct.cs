using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Products of a small matrix per group with the patches of many planes: destination[n, g·Rows + r, p] = Σ weights[g, r, (c, t)] · patch[n, g·Channels + c, t,
/// p].
/// Both the forward convolution and, for each phase of the stride, its gradient with respect to the input.
/// </summary>
internal unsafe struct PatchProduct<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // From this many columns on an image fills the panels by itself; smaller ones are joined, by a copy of the result.
    private const nint JoinedColumns = 384;
    private const double ParallelFlops = 400_000;

    public PatchMap Map;
    public nint* TapOffsets;
    public int Batch;
    public int Groups;

    /// <summary>Planes of the source in a group.</summary>
    public nint Channels;

    /// <summary>Planes of the destination in a group.</summary>
    public nint Rows;

    /// <summary>[Groups, Rows, Channels · taps].</summary>
    public T* Weights;

    /// <summary>The weights are [Groups, Channels, Rows], which is for planes that are matrices (<see cref="IsMatrix"/>).</summary>
    public bool IsTransposed;

    /// <summary>[Batch, Groups · Channels, source of the map].</summary>
    public T* Source;

    public PatchTarget<T> Target;

    /// <summary>Called for finished planes of a dense target: rows of as many columns as a plane has elements.</summary>
    public GemmFinish Finish;

    private nint _images;
    private nint _blocks;
    private bool _parallelProduct;

    private readonly nint SourcePlane => (nint)Map.Z.Source * Map.Y.Source * Map.X.Source;

    public void Run()
    {
        var pixels = Map.Pixels;
        if (pixels == 0 || Batch == 0 || Rows == 0) return;
        if (Map.Taps == 0 || Channels == 0)
        {
            for (nint plane = 0; plane < Batch * Groups * Rows; plane++) Target.Write(null, 0, plane, plane % (Groups * Rows), pixels);
            if (!Finish.IsEmpty) Finish.InvokeRows(0, Batch * Groups * Rows, pixels);
            return;
        }

        _images = JoinedImages(Batch, pixels);
        _blocks = (Batch + _images - 1) / _images;
        var chunks = _blocks * Groups;
        var flops = 2.0 * Batch * Groups * Rows * Channels * Map.Taps * pixels;
        var threads = WorkerPool.Threads;
        _parallelProduct = threads > 1 && chunks < 2 * threads && chunks % threads != 0;
        if (threads == 1 || flops < ParallelFlops || _parallelProduct)
        {
            for (var i = 0; i < chunks; i++) RunChunk(i);
        }
        else WorkerPool.Run((int)chunks, &Chunk, Unsafe.AsPointer(ref this));
    }

    private static void Chunk(void* context, int chunk) => Unsafe.AsRef<PatchProduct<T>>(context).RunChunk(chunk);

    /// <summary>One group of some images.</summary>
    private readonly void RunChunk(int chunk)
    {
        var (group, block) = ((nint)chunk / _blocks, chunk % _blocks);
        var first = block * _images;
        var images = Math.Min(_images, Batch - first);
        nint inner = Channels * Map.Taps, pixels = Map.Pixels, columns = images * pixels;
        T* weights = Weights + group * Rows * inner, source = Source + (first * Groups + group) * Channels * SourcePlane;
        using var staged = new NativeScratch(Map.Staged ? images * Channels * Map.PlaneSize * sizeof(T) : 0);
        var planes = Map.Staged ? Stage(source, images, (T*)staged.Pointer) : source;
        var patches = new PatchPacker<T>(Map, TapOffsets, planes, Map.Staged ? Channels * Map.PlaneSize : Groups * Channels * Map.PlaneSize);
        var plane = (first * Groups + group) * Rows;
        if (images == 1 && Target.Dense)
        {
            T* c = Target.Plane(plane);
            if (IsMatrix(Map, Batch)) Gemm.Run(IsTransposed, false, Rows, pixels, inner, T.One, weights, IsTransposed ? Rows : inner, source, pixels, T.Zero, c, pixels);
            else Gemm.RunPacked(false, Rows, pixels, inner, T.One, weights, inner, patches, T.Zero, c, pixels, parallel: _parallelProduct);
            for (nint r = 0; r < Rows; r++) Target.AddBias(plane + r, group * Rows + r, pixels);
            FinishPlanes(plane);
            return;
        }

        using var result = new NativeScratch(Rows * columns * sizeof(T));
        T* product = (T*)result.Pointer;
        Gemm.RunPacked(false, Rows, columns, inner, T.One, weights, inner, patches, T.Zero, product, columns, parallel: _parallelProduct);
        for (nint i = 0; i < images; i++)
        {
            for (nint r = 0; r < Rows; r++)
                Target.Write(product + r * columns + i * pixels, 1, plane + i * Groups * Rows + r, group * Rows + r, pixels);
            FinishPlanes(plane + i * Groups * Rows);
        }
    }

    private readonly void FinishPlanes(nint plane)
    {
        if (Finish.IsEmpty) return;
        if (_parallelProduct) Finish.InvokeRows(plane, Rows, Map.Pixels);
        else Finish.Invoke(plane, Rows, 0, Map.Pixels);
    }

    /// <summary>The patches are the planes themselves, as in a 1 × 1 convolution, and of one image or so large that no image is ever joined.</summary>
    public static bool IsMatrix(in PatchMap map, int batch) =>
        !map.Staged && map.Taps == 1 && map.Pixels == map.PlaneSize && (map.Pixels >= JoinedColumns || batch == 1);

    /// <summary>How many images of so many positions share the panels.</summary>
    public static nint JoinedImages(nint batch, nint pixels) => pixels >= JoinedColumns ? 1 : Math.Min(batch, (JoinedColumns + pixels - 1) / pixels);

    private readonly T* Stage(T* source, nint images, T* staged)
    {
        T* to = staged;
        for (nint i = 0; i < images; i++)
        {
            for (nint c = 0; c < Channels; c++, to += Map.PlaneSize) Map.Stage(source + (i * Groups * Channels + c) * SourcePlane, to, T.Zero);
        }

        return staged;
    }
}
