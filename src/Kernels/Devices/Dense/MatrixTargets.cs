using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>A row-major result of any size and alignment.</summary>
/// <param name="data">All of it.</param>
/// <param name="leading">Elements between rows.</param>
/// <param name="stride">Elements between the matrices of a batch.</param>
/// <param name="rows">Rows of a matrix.</param>
/// <param name="columns">Columns of a matrix.</param>
/// <param name="finish">What is done with the elements.</param>
internal readonly struct ElementTarget<T, TBody>(ArrayView<T> data, int leading, int stride, int rows, int columns, TileFinish<T, TBody> finish) : ITileTarget<T>
    where T : unmanaged, INumber<T>
    where TBody : struct, IProductBody<T>
{
    private readonly ArrayView<T> _data = data;
    private readonly int _leading = leading;
    private readonly int _stride = stride;
    private readonly int _rows = rows;
    private readonly int _columns = columns;
    private readonly TileFinish<T, TBody> _finish = finish;

    public static bool IsLong => TBody.IsLong;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int batch, int row, int column, Quartet<T> values)
    {
        if (row >= _rows) return;
        int index = batch * _stride + row * _leading + column;
        if (column < _columns) _finish.Store(_data, index, row, column, values.X);
        if (column + 1 < _columns) _finish.Store(_data, index + 1, row, column + 1, values.Y);
        if (column + 2 < _columns) _finish.Store(_data, index + 2, row, column + 2, values.Z);
        if (column + 3 < _columns) _finish.Store(_data, index + 3, row, column + 3, values.W);
    }
}

/// <summary>A row-major result that is written 16 bytes at a time: columns, leading dimension, stride and start are multiples of four.</summary>
/// <param name="data">All of it.</param>
/// <param name="leading">Quads between rows.</param>
/// <param name="stride">Quads between the matrices of a batch.</param>
/// <param name="rows">Rows of a matrix.</param>
/// <param name="columns">Columns of a matrix.</param>
/// <param name="finish">What is done with the elements.</param>
internal readonly struct QuadTarget<T, TBody>(ArrayView<Quartet<T>> data, int leading, int stride, int rows, int columns, TileFinish<T, TBody> finish) : ITileTarget<T>
    where T : unmanaged, INumber<T>
    where TBody : struct, IProductBody<T>
{
    private readonly ArrayView<Quartet<T>> _data = data;
    private readonly int _leading = leading;
    private readonly int _stride = stride;
    private readonly int _rows = rows;
    private readonly int _columns = columns;
    private readonly TileFinish<T, TBody> _finish = finish;

    public static bool IsLong => TBody.IsLong;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int batch, int row, int column, Quartet<T> values)
    {
        if (row < _rows && column < _columns) _finish.Store(_data, batch * _stride + row * _leading + (column >> 2), row, column, values);
    }
}

/// <summary>A result element by element, at any distances: lines (of few, or of a row) and positions along them.</summary>
/// <param name="data">All of it.</param>
/// <param name="stride">Elements between the matrices of a batch.</param>
/// <param name="line">Elements between lines.</param>
/// <param name="step">Elements along a line.</param>
/// <param name="finish">What is done with the elements; its rows are the lines.</param>
internal readonly struct StridedTarget<T, TBody>(ArrayView<T> data, int stride, int line, int step, TileFinish<T, TBody> finish) : ILineTarget<T>
    where T : unmanaged, INumber<T>
    where TBody : struct, IProductBody<T>
{
    private readonly ArrayView<T> _data = data;
    private readonly int _stride = stride;
    private readonly int _line = line;
    private readonly int _step = step;
    private readonly TileFinish<T, TBody> _finish = finish;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int batch, int line, int position, T value) =>
        _finish.Store(_data, batch * _stride + line * _line + position * _step, line, position, value);
}
