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

    /// <summary>A quad is four lines that lie apart, neighbouring threads lie along the depth: for operands that are gathered, but contiguous there.</summary>
    Spread,
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

    /// <summary>Where the depth of a matrix of the batch ends, at the latest at <paramref name="end"/>.</summary>
    int Limit(int batch, int end);

    /// <summary>This operand for a thread that reads one line, or four; nothing at a depth of <paramref name="end"/> or more.</summary>
    /// <param name="batch">The matrix.</param>
    /// <param name="line">The first line.</param>
    /// <param name="spacing">From one line of a quad to the next, in the order <see cref="TileOrder.Spread"/>.</param>
    /// <param name="end">Where the depth ends.</param>
    TSelf At(int batch, int line, int spacing, int end);

    /// <summary>Four elements at a depth, or from a depth on; 0 outside.</summary>
    Quartet<T> Load(int depth);
}

/// <summary>Where a product is written.</summary>
internal interface ITileTarget<T>
    where T : unmanaged, INumber<T>
{
    /// <summary>What is done with an element is long code: see <see cref="IProductBody{T}.IsLong"/>.</summary>
    static abstract bool IsLong { get; }

    /// <summary>Four elements of a row; those outside of the result are not written.</summary>
    void Store(int batch, int row, int column, Quartet<T> values);
}

/// <summary>Where a product is written element by element.</summary>
internal interface ILineTarget<T>
    where T : unmanaged, INumber<T>
{
    void Store(int batch, int line, int position, T value);
}
