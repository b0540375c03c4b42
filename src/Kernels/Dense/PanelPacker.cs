using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>Where the panels of the right operand come from: a matrix, or something that only looks like one, such as the patches of an image.</summary>
internal unsafe interface IPanelPacker<T>
    where T : unmanaged
{
    /// <summary>
    /// Writes destination[i · stride + j] = B[k + i, column + j] for i &lt; depth and j &lt; width. What lies between width and stride is not used;
    /// nothing is written past depth · stride. Called by several threads at once.
    /// </summary>
    void Pack(nint k, nint depth, nint column, nint width, T* destination, nint stride);
}

/// <summary>The panels of a problem's own B.</summary>
internal readonly unsafe struct MatrixPanels<T>(in GemmProblem<T> problem) : IPanelPacker<T>
    where T : unmanaged
{
    private readonly T* _b = problem.B;
    private readonly nint _ldb = problem.Ldb;
    private readonly bool _transposed = problem.TransB;

    public void Pack(nint k, nint depth, nint column, nint width, T* destination, nint stride)
    {
        if (_transposed) MicroKernels.For<T>().Transpose(_b + column * _ldb + k, _ldb, width, depth, destination, stride);
        else PanelCopy.Rows(_b + k * _ldb + column, _ldb, depth, destination, stride, width);
    }
}

/// <summary>Copies rows into a panel.</summary>
internal static unsafe class PanelCopy
{
    /// <summary>The first elements of each row, rounded up to whole registers: reads less than 64 bytes more, and writes no further than the stride.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<T>(T* source, nint sourceStride, nint count, T* destination, nint stride, nint elements)
        where T : unmanaged
    {
        byte* s = (byte*)source, d = (byte*)destination;
        nint bytes = elements * sizeof(T), ss = sourceStride * sizeof(T), ds = stride * sizeof(T);
        if (bytes > 64 && ds >= 128)
        {
            for (; count > 0; count--, s += ss, d += ds)
            {
                Vector512.Store(Vector512.Load(s), d);
                Vector512.Store(Vector512.Load(s + 64), d + 64);
            }
        }
        else if (bytes > 32 && bytes <= 64 && ds >= 64)
        {
            for (; count > 0; count--, s += ss, d += ds) Vector512.Store(Vector512.Load(s), d);
        }
        else
        {
            for (; count > 0; count--, s += ss, d += ds)
            {
                for (nint i = 0; i < bytes; i += 16) Vector128.Store(Vector128.Load(s + i), d + i);
            }
        }
    }

    /// <summary>As many tiles as <see cref="RowsOfTiles"/> copies.</summary>
    public const int Tiles = 4;

    /// <summary>
    /// The same for panels of <see cref="Tiles"/> tiles whose elements lie side by side in the source: of rows that lie far apart a line of the cache is read once, not
    /// for each tile that has a part of it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RowsOfTiles<T>(T* source, nint sourceStride, nint count, T* destination, nint stride, nint elements)
        where T : unmanaged
    {
        byte* s = (byte*)source, d = (byte*)destination;
        nint bytes = elements * sizeof(T), ss = sourceStride * sizeof(T), ds = stride * sizeof(T), panel = ds * count;
        if (bytes <= 64 && ds == 64)
        {
            for (byte* e = d + 2 * panel; count > 0; count--, s += ss, d += 64, e += 64)
            {
                Vector512.Store(Vector512.Load(s), d);
                Vector512.Store(Vector512.Load(s + bytes), d + panel);
                Vector512.Store(Vector512.Load(s + 2 * bytes), e);
                Vector512.Store(Vector512.Load(s + 3 * bytes), e + panel);
            }
        }
        else if (bytes <= 32 && ds == 32)
        {
            for (byte* e = d + 2 * panel; count > 0; count--, s += ss, d += 32, e += 32)
            {
                Vector256.Store(Vector256.Load(s), d);
                Vector256.Store(Vector256.Load(s + bytes), d + panel);
                Vector256.Store(Vector256.Load(s + 2 * bytes), e);
                Vector256.Store(Vector256.Load(s + 3 * bytes), e + panel);
            }
        }
        else
        {
            for (nint t = 0; t < Tiles; t++) Rows(source + t * elements, sourceStride, count, destination + t * stride * count, stride, elements);
        }
    }
}
