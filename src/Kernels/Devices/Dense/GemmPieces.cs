using System.Numerics;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>The second stage of products whose depth is split.</summary>
internal static class GemmPieces<T>
    where T : unmanaged, INumber<T>
{
    private static readonly object s_key = new();

    /// <summary>Queues target = the sums of pieces, which are [batch, split, line, position].</summary>
    public static void Add(GpuDevice device, ArrayView<T> pieces, StridedTarget<T> target, int batch, int splits, int lines, int positions)
    {
        var kernel = device.Kernel(s_key, static a => a.LoadKernel<ArrayView<T>, StridedTarget<T>, int, int, int, int>(ElementKernels.AddPieces));
        int count = batch * lines * positions;
        kernel(device.Stream, DeviceLaunch.PerElement(device, count), pieces, target, lines, positions, splits, count);
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
        int piece = (int)((depth + splits - 1) / splits + 15) & ~15;
        return ((depth + piece - 1) / piece, piece);
    }
}
