using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>What is added where a product is written: a value for its column, or its row.</summary>
/// <param name="bias">The values; any view where there are none.</param>
/// <param name="perRow">1: values belong to rows.</param>
/// <param name="perColumn">1: values belong to columns. Both 0: there are none.</param>
internal readonly struct TileFinish<T>(ArrayView<T> bias, int perRow, int perColumn)
    where T : unmanaged, INumber<T>
{
    private readonly ArrayView<T> _bias = bias;
    private readonly int _perRow = perRow;
    private readonly int _perColumn = perColumn;

    /// <summary>An element's final value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ArrayView<T> target, int index, int row, int column, T value)
    {
        if (_perRow + _perColumn != 0) value += _bias[row * _perRow + column * _perColumn];
        target[index] = value;
    }

    /// <summary>Four elements' final values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ArrayView<Quartet<T>> target, int index, int row, int column, Quartet<T> values)
    {
        if (_perRow + _perColumn != 0)
        {
            int first = row * _perRow + column * _perColumn;
            values = Quartet<T>.Add(values, new(_bias[first], _bias[first + _perColumn], _bias[first + 2 * _perColumn], _bias[first + 3 * _perColumn]));
        }

        target[index] = values;
    }
}

/// <summary>A row-major result of any size and alignment.</summary>
/// <param name="data">All of it.</param>
/// <param name="leading">Elements between rows.</param>
/// <param name="stride">Elements between the matrices of a batch.</param>
/// <param name="rows">Rows of a matrix.</param>
/// <param name="columns">Columns of a matrix.</param>
/// <param name="finish">What is added.</param>
internal readonly struct ElementTarget<T>(ArrayView<T> data, int leading, int stride, int rows, int columns, TileFinish<T> finish) : ITileTarget<T>
    where T : unmanaged, INumber<T>
{
    private readonly ArrayView<T> _data = data;
    private readonly int _leading = leading;
    private readonly int _stride = stride;
    private readonly int _rows = rows;
    private readonly int _columns = columns;
    private readonly TileFinish<T> _finish = finish;

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
/// <param name="finish">What is added.</param>
internal readonly struct QuadTarget<T>(ArrayView<Quartet<T>> data, int leading, int stride, int rows, int columns, TileFinish<T> finish) : ITileTarget<T>
    where T : unmanaged, INumber<T>
{
    private readonly ArrayView<Quartet<T>> _data = data;
    private readonly int _leading = leading;
    private readonly int _stride = stride;
    private readonly int _rows = rows;
    private readonly int _columns = columns;
    private readonly TileFinish<T> _finish = finish;

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
/// <param name="finish">What is added; its rows are the lines.</param>
internal readonly struct StridedTarget<T>(ArrayView<T> data, int stride, int line, int step, TileFinish<T> finish) : ILineTarget<T>
    where T : unmanaged, INumber<T>
{
    private readonly ArrayView<T> _data = data;
    private readonly int _stride = stride;
    private readonly int _line = line;
    private readonly int _step = step;
    private readonly TileFinish<T> _finish = finish;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int batch, int line, int position, T value) =>
        _finish.Store(_data, batch * _stride + line * _line + position * _step, line, position, value);
}
