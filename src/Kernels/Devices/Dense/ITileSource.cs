using System.Numerics;

namespace Fusion.Kernels;

/// <summary>How the threads of a group share the loading of a stage (lines × depth elements, one quad a thread).</summary>
internal enum TileOrder
{
    /// <summary>A quad lies along the lines (rows of A, columns of B), and so do neighbouring threads.</summary>
    Lines,

    /// <summary>A quad lies along the depth, and so do neighbouring threads.</summary>
    Depth,

    /// <summary>A quad lies along the depth, neighbouring threads lie along the lines: for operands that are gathered.</summary>
    Gather,
}

/// <summary>
/// An operand of a product, read by tiles: matrices, and patches of images that exist nowhere. A thread keeps its lines and walks along the depth, so
/// <see cref="At"/> does once what does not depend on the depth.
/// </summary>
/// <typeparam name="T">float or double.</typeparam>
/// <typeparam name="TSelf">The operand itself.</typeparam>
internal interface ITileSource<T, TSelf>
    where T : unmanaged, INumber<T>
    where TSelf : struct, ITileSource<T, TSelf>
{
    static abstract TileOrder Order { get; }

    /// <summary>This operand for a thread that reads one line (or four, from a line on), nothing at a depth of <paramref name="end"/> or more.</summary>
    TSelf At(int batch, int line, int end);

    /// <summary>Four elements at a depth, or from a depth on; 0 outside.</summary>
    Quartet<T> Load(int depth);
}

/// <summary>Where a product is written.</summary>
internal interface ITileTarget<T>
    where T : unmanaged, INumber<T>
{
    /// <summary>Four elements of a row; those outside of the result are not written.</summary>
    void Store(int batch, int row, int column, Quartet<T> values);
}
