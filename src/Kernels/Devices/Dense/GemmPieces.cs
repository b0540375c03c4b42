using System.Numerics;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>The second stage of products whose depth is split.</summary>
internal static class GemmPieces<T>
    where T : unmanaged, INumber<T>
{
    /// <summary>Queues target = the sums of pieces, which are [batch, split, line, position].</summary>
    public static void Add<TTarget>(GpuDevice device, ArrayView<T> pieces, TTarget target, int batch, int splits, int lines, int positions)
        where TTarget : struct, ILineTarget<T>
    {
        var kernel = device.Kernel(Kernels<TTarget>.Key, static a => a.LoadKernel<ArrayView<T>, TTarget, int, int, int, int>(ElementKernels.AddPieces));
        int count = batch * lines * positions;
        kernel(device.Stream, DeviceGrid.For(device, count), pieces, target, lines, positions, splits, count);
        device.LaunchCount++;
    }

    /// <summary>
    /// The depth of a piece, so that there are about as many groups as a large device runs at the same time. It depends on sizes only.
    /// </summary>
    /// <param name="groups">Groups without splitting.</param>
    /// <param name="wanted">Groups that are wanted.</param>
    /// <param name="depth">The inner dimension.</param>
    /// <param name="shortest">The least depth that is worth a piece.</param>
    public static (int Splits, int Piece) Split(long groups, int wanted, int depth, int shortest)
    {
        long splits = Math.Clamp(wanted / groups, 1, Math.Max(1, depth / shortest));
        int piece = Math.Max(16, (int)((depth + splits - 1) / splits + 15) & ~15);
        return (Math.Max(1, (depth + piece - 1) / piece), piece);
    }

    private static class Kernels<TTarget>
    {
        public static readonly object Key = new();
    }
}
