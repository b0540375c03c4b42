using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Products of one or two registers of rows with a transposed B, such as a small batch in a layer: C^T = B · A^T. The rows of B are broadcast as they lie, and A is
/// packed, where <see cref="GemmBlock"/> would transpose all of B to use it two or three times. The chains are the same, hence the same bits.
/// </summary>
internal static unsafe class GemmFlat
{
    /// <summary>
    /// A rectangle of C is cheaper this way. In lanes without a row, or with few steps of k for the turn of each tile, as much is lost as the packing costs: measured.
    /// </summary>
    public static bool Fits<T>(in GemmProblem<T> p, nint rows, nint columns)
        where T : unmanaged
    {
        nint length = SimdWidth.Current / 8 / sizeof(T);
        return p.TransB && p.B != null && (rows == length || rows == 2 * length) && columns >= 2 * rows
            && 2 * p.Depth >= GemmProblem<T>.MaxDepth && p.Ldb * sizeof(T) % GemmBlock.Aliasing != 0;
    }

    /// <summary>Computes the rows [row0, row1) and columns [column0, column1) of C, which beta has scaled, for all of K.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<T>(in GemmProblem<T> p, nint row0, nint row1, nint column0, nint column1)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var kernels = MicroKernels.For<T>();
        nint m = row1 - row0, n = column1 - column0, depth = p.Depth, stride = kernels.PackedStride;
        var vectors = (int)(m / kernels.VectorLength);
        var tiles = (n + kernels.MaxRows - 1) / kernels.MaxRows;
        var height = (n + tiles - 1) / tiles;
        using var scratch = new NativeScratch(m * depth * sizeof(T));
        var packed = (T*)scratch.Pointer;
        byte* space = stackalloc byte[2 * GemmKernels<T>.TileBytes + 32 * 16 * sizeof(float)];
        var tile = (T*)(((nint)space + 63) & ~63);
        T* turned = tile + 14 * 32 * sizeof(float) / sizeof(T);
        var plain = new Epilogue<T> { Alpha = T.One };
        for (nint k = 0; k < p.K; k += depth)
        {
            var count = Math.Min(depth, p.K - k);
            if (p.TransA) PanelCopy.Rows(p.RowsOfA(row0, k), p.Lda, count, packed, m, m);
            else kernels.Transpose(p.RowsOfA(row0, k), p.Lda, m, count, packed, m);

            var last = k + count >= p.K;
            var epilogue = new Epilogue<T> { Alpha = p.Alpha, Accumulate = k > 0 || p.Beta != T.Zero, Relu = last && p.Relu };
            for (var j = column0; j < column1; j += height)
            {
                var columns = Math.Min(height, column1 - j);
                epilogue.Bias = last && p.Bias != null ? p.Bias + j : null;
                kernels.Kernel(false, vectors, columns)(count, p.B + j * p.Ldb + k, p.Ldb, packed, m, tile, m, &plain);
                kernels.Transpose(tile, m, columns, m, turned, stride);
                kernels.Edge(turned, stride, m, columns, p.C + row0 * p.Ldc + j, p.Ldc, &epilogue);
            }
        }
    }
}
