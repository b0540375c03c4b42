using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// One thread's rectangle of a product, blocked for the caches as in BLIS (Van Zee and van de Geijn, ACM TOMS 41(3), 2015) with the roles swapped for row-major C:
/// vectors run along n, elements of A are broadcast, a tile of A lives in L1 and a block of packed B in L2. What is reused too little is not packed.
/// </summary>
internal static unsafe class GemmBlock
{
    // A packed block of B takes at most this much of L2.
    private const nint BytesOfB = 640 * 1024;
    private const nint RowsOfA = 2048;

    // Rows of A at this distance fall into one set of a first-level cache of eight ways; at half of it, those of a tile just fit into two.
    public const nint Aliasing = 4096;

    /// <summary>Computes the rows [row0, row1) and columns [column0, column1) of C, for all of K. Without a matrix B (null) its panels are packed in any case.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<T, TPacker>(in GemmProblem<T> p, in TPacker panelsOfB, nint row0, nint row1, nint column0, nint column1)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TPacker : struct, IPanelPacker<T>
    {
        if (p.Beta != T.Zero && p.Beta != T.One) Scale(p, row0, row1, column0, column1);
        if (GemmFlat.Fits(p, row1 - row0, column1 - column0))
        {
            GemmFlat.Run(p, row0, row1, column0, column1);
            if (!p.Finish.IsEmpty) p.Finish.Invoke(p.FirstRow + row0, row1 - row0, column0, column1 - column0);
            return;
        }

        var kernels = MicroKernels.For<T>();
        nint m = row1 - row0, n = column1 - column0, length = kernels.VectorLength;
        var vectors = n <= length ? 1 : 2;
        var panel = vectors * length;
        var tiles = (m + kernels.MaxRows - 1) / kernels.MaxRows;
        var rows = (m + tiles - 1) / tiles;
        var panels = (n + panel - 1) / panel;
        var depth = p.Depth;
        var columns = Math.Min(panels * panel, Math.Max(panel, BytesOfB / (Math.Max(1, depth) * sizeof(T)) / panel * panel));

        // With little reuse a panel of B is multiplied while it is still in L1.
        if (tiles <= 2) columns = panel;

        var aliased = p.Lda * sizeof(T) % Aliasing == 0;
        var packA = p.TransA
            ? panels > 2 && depth > 16
            : panels > 16 || (aliased && panels > 1) || (panels > 1 && depth * rows * sizeof(T) > 24 * 1024);
        var packB = p.TransB || p.B == null || tiles > 24 || (p.Ldb * sizeof(T) % Aliasing == 0 && tiles > 2) || (tiles > 2 && n * p.K * sizeof(T) > 1024 * 1024);

        // Next to a block with all columns of B a few tiles of A are packed at a time: they are still in a cache when they are multiplied.
        var isWhole = columns >= n;
        var rowsOfA = !packA ? m : isWhole ? PanelCopy.Tiles * rows : Math.Max(1, RowsOfA / rows) * rows;

        var stride = (nint)kernels.PackedStride;
        using var scratchA = new NativeScratch(packA ? (Math.Min(rowsOfA, m) + rows) / rows * stride * depth * sizeof(T) : 0);
        using var scratchB = new NativeScratch(packB ? columns * depth * sizeof(T) : 0);
        T* packedA = (T*)scratchA.Pointer, packedB = (T*)scratchB.Pointer;
        var w = new Walk<T>
        {
            Kernels = kernels,
            Rows = rows,
            Panel = panel,
            Vectors = vectors,
            PackA = packA,
            PackB = packB,
            PackedA = packedA,
            PackedB = packedB,
            FinishTiles = tiles > 2,
        };
        for (nint k = 0; k < p.K || k == 0; k += depth)
        {
            w.K = k;
            w.Depth = Math.Min(depth, p.K - k);
            for (var i = row0; i < row1; i += rowsOfA)
            {
                w.Row0 = i;
                w.Row1 = Math.Min(row1, i + rowsOfA);
                if (packA) PackA(p, w);
                for (var j = column0; j < column1; j += columns)
                {
                    w.Column0 = j;
                    w.Column1 = Math.Min(column1, j + columns);
                    if (packB && (i == row0 || !isWhole)) PackB(w, panelsOfB);
                    Tiles(p, w);
                }
            }

            if (p.K == 0) break;
        }

        if (!w.FinishTiles && !p.Finish.IsEmpty) p.Finish.Invoke(p.FirstRow + row0, m, column0, n);
    }

    /// <summary>Every tile of one block of A with one block of B.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tiles<T>(in GemmProblem<T> p, in Walk<T> w)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var kernels = w.Kernels;
        byte* space = stackalloc byte[GemmKernels<T>.TileBytes];
        var tile = (T*)(((nint)space + 63) & ~63);
        var last = w.K + w.Depth >= p.K;
        var epilogue = new Epilogue<T>(p.Alpha, w.K > 0 || p.Beta != T.Zero, last && p.Relu);
        var plain = new Epilogue<T>(T.One);
        nint length = kernels.VectorLength, stride = kernels.PackedStride;
        var panelAccess = w.PackA || p.TransA;
        for (var i = w.Row0; i < w.Row1; i += w.Rows)
        {
            var height = Math.Min(w.Rows, w.Row1 - i);
            T* a = w.PackA ? w.PackedA + (i - w.Row0) / w.Rows * stride * w.Depth : p.RowsOfA(i, w.K);
            var strideA = w.PackA ? stride : p.Lda;
            var kernel = kernels.Kernel(panelAccess, w.Vectors, height);
            for (var j = w.Column0; j < w.Column1; j += w.Panel)
            {
                var width = Math.Min(w.Panel, w.Column1 - j);
                var narrow = width <= length;
                T* b = w.PackB ? w.PackedB + (j - w.Column0) * w.Depth : p.B + w.K * p.Ldb + j;
                var strideB = w.PackB ? (narrow ? length : w.Panel) : p.Ldb;
                T* c = p.C + i * p.Ldc + j;
                epilogue.Bias = last && p.Bias != null ? p.Bias + j : null;
                if (width == w.Panel)
                {
                    kernel(w.Depth, a, strideA, b, strideB, c, p.Ldc, &epilogue);
                    continue;
                }

                var edge = narrow ? kernels.Kernel(panelAccess, 1, height) : kernel;
                edge(w.Depth, a, strideA, b, strideB, tile, w.Panel, &plain);
                kernels.Edge(tile, w.Panel, height, width, c, p.Ldc, &epilogue);
            }

            if (last && w.FinishTiles && !p.Finish.IsEmpty) p.Finish.Invoke(p.FirstRow + i, height, w.Column0, w.Column1 - w.Column0);
        }
    }

    /// <summary>Tiles of A, one after the other, as panels of PackedStride elements per k.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackA<T>(in GemmProblem<T> p, in Walk<T> w)
        where T : unmanaged
    {
        nint stride = w.Kernels.PackedStride, i = w.Row0;
        T* d = w.PackedA;
        if (p.TransA)
        {
            for (; i + PanelCopy.Tiles * w.Rows <= w.Row1; i += PanelCopy.Tiles * w.Rows, d += PanelCopy.Tiles * stride * w.Depth)
                PanelCopy.RowsOfTiles(p.RowsOfA(i, w.K), p.Lda, w.Depth, d, stride, w.Rows);
        }

        for (; i < w.Row1; i += w.Rows, d += stride * w.Depth)
        {
            var height = Math.Min(w.Rows, w.Row1 - i);
            if (!p.TransA) w.Kernels.Transpose(p.RowsOfA(i, w.K), p.Lda, height, w.Depth, d, stride);
            else PanelCopy.Rows(p.RowsOfA(i, w.K), p.Lda, w.Depth, d, stride, height);
        }
    }

    /// <summary>Panels of B, one after the other; the last one has one vector per k if that is enough.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackB<T, TPacker>(in Walk<T> w, in TPacker panelsOfB)
        where T : unmanaged
        where TPacker : struct, IPanelPacker<T>
    {
        T* d = w.PackedB;
        nint length = w.Kernels.VectorLength;
        for (var j = w.Column0; j < w.Column1; j += w.Panel, d += w.Panel * w.Depth)
        {
            var width = Math.Min(w.Panel, w.Column1 - j);
            panelsOfB.Pack(w.K, w.Depth, j, width, d, width <= length ? length : w.Panel);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale<T>(in GemmProblem<T> p, nint row0, nint row1, nint column0, nint column1)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var i = row0; i < row1; i++)
        {
            for (var j = column0; j < column1; j++) p.C[i * p.Ldc + j] *= p.Beta;
        }
    }

    /// <summary>Where the loops over k, rows and columns stand.</summary>
    private struct Walk<T>
        where T : unmanaged
    {
        public GemmKernels<T> Kernels;
        public nint Rows;
        public nint Panel;
        public int Vectors;
        public bool PackA;
        public bool PackB;

        /// <summary>Rows of tiles are finished one by one; the few rows of a flat rectangle, of which only a panel is done at a time, all at the end.</summary>
        public bool FinishTiles;
        public T* PackedA;
        public T* PackedB;
        public nint K;
        public nint Depth;
        public nint Row0;
        public nint Row1;
        public nint Column0;
        public nint Column1;
    }
}
