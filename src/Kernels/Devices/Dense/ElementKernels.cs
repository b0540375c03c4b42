using System.Numerics;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>Kernels with one thread for an element of the result, for groups of any size.</summary>
internal static class ElementKernels
{
    /// <summary>
    /// A product without tiles: one chain of multiply-adds in the order of the depth. For small products (what a thread reads its neighbours read too, from
    /// caches), and for devices whose groups are too small for tiles.
    /// </summary>
    public static void Product<T, TTarget>(StridedElements<T> a, StridedElements<T> b, TTarget target, int rows, int columns, int depth, int count)
        where T : unmanaged, INumber<T>
        where TTarget : struct, ILineTarget<T>
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= count) return;
        int line = i / columns, column = i - line * columns, batch = line / rows, row = line - batch * rows;
        T sum = T.Zero;
        for (int k = 0; k < depth; k++) sum += a.Load(batch, row, k) * b.Load(batch, column, k);
        target.Store(batch, row, column, sum);
    }

    /// <summary>The second stage of a sum in pieces: adds those of each element in order. Pieces are [batch, split, line, position].</summary>
    public static void AddPieces<T, TTarget>(ArrayView<T> pieces, TTarget target, int lines, int positions, int splits, int count)
        where T : unmanaged, INumber<T>
        where TTarget : struct, ILineTarget<T>
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= count) return;
        int size = lines * positions, batch = i / size, within = i - batch * size, at = batch * splits * size + within;
        T sum = pieces[at];
        for (int s = 1; s < splits; s++) sum += pieces[at + s * size];
        int line = within / positions;
        target.Store(batch, line, within - line * positions, sum);
    }
}
