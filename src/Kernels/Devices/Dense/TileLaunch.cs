using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>Plans and launches tiles of products whose operands may be anything.</summary>
internal static class TileLaunch<T>
    where T : unmanaged, INumber<T>
{
    // An H100 has 132 multiprocessors, which run two groups with large tiles each, or three with small ones.
    private const int EnoughLarge = 100;
    private const int EnoughSmall = 200;
    private const int WantedLarge = 264;
    private const int ShortestLarge = 512;
    private const int ShortestPiece = 256;
    private const int ShortestSmall = 128;

    /// <summary>
    /// The tiles of a batch of products: large where there are enough of them, or would be with the depth split in pieces that outweigh writing and reading
    /// them; else small, the depth split where these are too few.
    /// </summary>
    public static TileGrid Plan(int m, int n, int k, int batch, out bool large)
    {
        long tiles = Tiles(m, n, TileKernels.LargeEdge) * batch;
        large = m > TileKernels.SmallEdge && n > TileKernels.SmallEdge && tiles * Math.Max(1, k / ShortestLarge) >= EnoughLarge;
        int edge = large ? TileKernels.LargeEdge : TileKernels.SmallEdge;
        (int splits, int piece) = (1, k);
        if (!large) (splits, piece) = GemmPieces<T>.Split(Tiles(m, n, edge) * batch, EnoughSmall, k, ShortestSmall);
        else if (tiles < EnoughLarge) (splits, piece) = GemmPieces<T>.Split(tiles, WantedLarge, k, ShortestPiece);
        return new TileGrid((m + edge - 1) / edge, (n + edge - 1) / edge, splits, piece, k);
    }

    /// <summary>Queues the product.</summary>
    public static void Run<TA, TB, TC>(GpuDevice device, bool large, TileGrid grid, int batch, TA a, TB b, TC c)
        where TA : struct, ITileSource<T, TA>
        where TB : struct, ITileSource<T, TB>
        where TC : struct, ITileTarget<T>
    {
        var kernel = large
            ? device.Kernel(Kernels<TA, TB, TC>.LargeKey, Kernels<TA, TB, TC>.LoadLarge)
            : device.Kernel(Kernels<TA, TB, TC>.SmallKey, Kernels<TA, TB, TC>.LoadSmall);
        kernel(device.Stream, new KernelConfig(checked(grid.TileRows * grid.TileColumns * grid.Splits * batch), TileKernels.Threads), a, b, c, grid);
        device.LaunchCount++;
    }

    /// <summary>Queues the product in two stages: the pieces of the depth, and their sum.</summary>
    public static void Split<TA, TB, TTarget>(GpuDevice device, bool large, TileGrid grid, int m, int n, int batch, TA a, TB b, TTarget target)
        where TA : struct, ITileSource<T, TA>
        where TB : struct, ITileSource<T, TB>
        where TTarget : struct, ILineTarget<T>
    {
        int results = batch * grid.Splits, size = checked(m * n), total = checked(results * size);
        var scratch = new DeviceBlock(device, (long)total * Unsafe.SizeOf<T>());
        ArrayView<T> pieces = scratch.View<T>(0, total);
        var finish = new TileFinish<T, NoBody<T>>(pieces, 0, 0, default);
        if ((n & 3) == 0) Run(device, large, grid, batch, a, b, new QuadTarget<T, NoBody<T>>(scratch.View<Quartet<T>>(0, total / 4), n / 4, size / 4, m, n, finish));
        else Run(device, large, grid, batch, a, b, new ElementTarget<T, NoBody<T>>(pieces, n, size, m, n, finish));
        GemmPieces<T>.Add(device, pieces, target, batch, grid.Splits, m, n);
        // Reused in the order of the stream.
        scratch.Release();
    }

    private static long Tiles(long m, long n, int edge) => ((m + edge - 1) / edge) * ((n + edge - 1) / edge);

    private static class Kernels<TA, TB, TC>
        where TA : struct, ITileSource<T, TA>
        where TB : struct, ITileSource<T, TB>
        where TC : struct, ITileTarget<T>
    {
        public static readonly object LargeKey = new();
        public static readonly object SmallKey = new();

        // 65 536 registers a multiprocessor: two groups with 128 registers a thread. The 64 accumulators of Float64 alone fill these.
        public static Action<AcceleratorStream, KernelConfig, TA, TB, TC, TileGrid> LoadLarge(Accelerator accelerator) =>
            accelerator.LoadKernel<TA, TB, TC, TileGrid>(
                TileKernels.Large<T, TA, TB, TC>, new KernelSpecialization(TileKernels.Threads, typeof(T) == typeof(float) ? 2 : 1));

        public static Action<AcceleratorStream, KernelConfig, TA, TB, TC, TileGrid> LoadSmall(Accelerator accelerator) =>
            accelerator.LoadKernel<TA, TB, TC, TileGrid>(
                TileKernels.Small<T, TA, TB, TC>, new KernelSpecialization(TileKernels.Threads, typeof(T) == typeof(float) ? 3 : 2));
    }
}
