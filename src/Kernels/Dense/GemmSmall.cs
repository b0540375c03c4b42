using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Products of one block of K and at most a panel of columns, where blocking and packing would cost more than the product: the tiles one below the other,
/// with the narrowest vectors that hold a row of C. The same operations as <see cref="GemmBlock"/>, hence the same bits.
/// </summary>
internal static unsafe class GemmSmall
{
    // A transposed B is packed on the stack.
    private const int StackBytes = 16 * 1024;
    private const nint MaxRows = 128;

    /// <summary>The product is small; <see cref="Run"/> can take it.</summary>
    public static bool Fits<T>(in GemmProblem<T> p)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var panel = 2 * SimdWidth.Current / 8 / sizeof(T);
        return p.N <= panel && p.M <= MaxRows && p.K <= GemmProblem<T>.MaxDepth && (p.Beta == T.Zero || p.Beta == T.One)
            && (!p.TransB || p.K * panel * sizeof(T) <= StackBytes);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<T>(in GemmProblem<T> p)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var kernels = MicroKernels.For<T>(p.N);
        nint length = kernels.VectorLength, rows = kernels.MaxRows;
        var vectors = p.N <= length ? 1 : 2;
        var panel = vectors * length;
        T* b = p.B;
        var strideB = p.Ldb;
        byte* space = stackalloc byte[p.TransB ? StackBytes + 64 : 64];
        if (p.TransB)
        {
            b = (T*)(((nint)space + 63) & ~63);
            strideB = panel;
            kernels.Transpose(p.B, p.Ldb, p.N, p.K, b, strideB);
        }

        byte* tileSpace = stackalloc byte[GemmKernels<T>.TileBytes];
        var tile = (T*)(((nint)tileSpace + 63) & ~63);
        var epilogue = new Epilogue<T>(p.Alpha, p.Beta != T.Zero, p.Relu, p.Bias);
        var plain = new Epilogue<T>(T.One);
        if (p.M > rows)
        {
            var tiles = (int)(p.M + rows - 1) / (int)rows;
            rows = ((int)p.M + tiles - 1) / tiles;
        }

        for (nint i = 0; i < p.M; i += rows)
        {
            var height = Math.Min(rows, p.M - i);
            T* a = p.TransA ? p.A + i : p.A + i * p.Lda, c = p.C + i * p.Ldc;
            var kernel = kernels.Kernel(p.TransA, vectors, height);
            if (p.N == panel)
            {
                kernel(p.K, a, p.Lda, b, strideB, c, p.Ldc, &epilogue);
                continue;
            }

            kernel(p.K, a, p.Lda, b, strideB, tile, panel, &plain);
            kernels.Edge(tile, panel, height, p.N, c, p.Ldc, &epilogue);
        }
    }
}
