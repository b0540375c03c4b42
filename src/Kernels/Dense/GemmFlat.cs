using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Few rows times a transposed right operand, as in a linear layer with a small batch, computed as Cᵀ = B · Aᵀ: rows of B are read where they lie, and instead of all of B
/// the rows of A and those of C are transposed. The same chains of multiply-adds as in <see cref="GemmBlock"/>, hence the same bits.
/// </summary>
internal static unsafe class GemmFlat
{
    // So much of Cᵀ is computed before it is transposed: a multiple of all vectors, in the first-level cache.
    private const nint Chunk = 64;

    // Elements between the working arrays, so that none of them lies a multiple of 4 KB behind another: loads would wait for stores to the other.
    private const nint Gap = 272;

    // Elements of B. Below, what is transposed instead costs as much.
    private const nint LeastOfB = 24 * 1024;

    /// <summary>A rectangle of C is computed faster this way: its rows fill one or two registers but for an eighth, and there is much of B that is not transposed.</summary>
    public static bool Fits<T>(in GemmProblem<T> p, nint rows, nint columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        nint length = MicroKernels.For<T>().VectorLength;
        return p.TransB && !p.TransA && p.B != null && IsFull(rows, length) && columns * p.K >= LeastOfB && p.Ldb * sizeof(T) % GemmBlock.Aliasing != 0
            && (p.Beta == T.Zero || p.K <= p.Depth);
    }

    private static bool IsFull(nint rows, nint length)
    {
        var empty = (rows <= length ? length : 2 * length) - rows;
        return empty >= 0 && 8 * empty <= rows + empty;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<T>(in GemmProblem<T> p, nint row0, nint row1, nint column0, nint column1)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var kernels = MicroKernels.For<T>();
        nint m = row1 - row0, length = kernels.VectorLength;
        var vectors = m <= length ? 1 : 2;
        var panel = vectors * length;
        using var scratch = new NativeScratch((p.K * panel + 2 * (Chunk * panel + Gap)) * sizeof(T));
        T* rows = (T*)scratch.Pointer, product = rows + p.K * panel + Gap, turned = product + Chunk * panel + Gap;
        kernels.Transpose(p.RowsOfA(row0, 0), p.Lda, m, p.K, rows, panel);

        // Where C is added to there is one block of K: its alpha can wait.
        var isOne = p.K <= p.Depth;
        var block = new Epilogue<T>(isOne ? T.One : p.Alpha);
        var written = new Epilogue<T>(isOne ? p.Alpha : T.One, p.Beta != T.Zero, p.Relu);
        for (var j = column0; j < column1; j += Chunk)
        {
            var width = Math.Min(Chunk, column1 - j);
            var tiles = (width + kernels.MaxRows - 1) / kernels.MaxRows;
            var height = (width + tiles - 1) / tiles;
            for (nint k = 0; k < p.K; k += p.Depth)
            {
                block.Accumulate = k > 0;
                for (nint i = 0; i < width; i += height)
                {
                    var count = Math.Min(height, width - i);
                    kernels.Kernel(false, vectors, count)(Math.Min(p.Depth, p.K - k), p.B + (j + i) * p.Ldb + k, p.Ldb, rows + k * panel, panel, product + i * panel, panel, &block);
                }
            }

            kernels.Transpose(product, panel, width, m, turned, Chunk);
            written.Bias = p.Bias != null ? p.Bias + j : null;
            kernels.Edge(turned, Chunk, m, width, p.C + row0 * p.Ldc + j, p.Ldc, &written);
        }
    }
}
