using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>
/// An operand whose lines are contiguous along the depth (A as it is, B transposed), read 16 bytes at a time: all sizes are multiples of four.
/// </summary>
/// <param name="data">All of it.</param>
/// <param name="leading">Quads between lines.</param>
/// <param name="stride">Quads between the matrices of a batch.</param>
/// <param name="lines">Lines of a matrix.</param>
internal struct DepthQuads<T>(ArrayView<Quartet<T>> data, int leading, int stride, int lines) : ITileSource<T, DepthQuads<T>>
    where T : unmanaged, INumber<T>
{
    private readonly ArrayView<Quartet<T>> _data = data;
    private readonly int _leading = leading;
    private readonly int _stride = stride;
    private readonly int _lines = lines;
    private int _start;
    private int _end;

    public static TileOrder Order => TileOrder.Depth;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Limit(int batch, int end) => end;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly DepthQuads<T> At(int batch, int line, int spacing, int end)
    {
        DepthQuads<T> result = this;
        result._start = batch * _stride + line * _leading;
        result._end = line < _lines ? end : 0;
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Quartet<T> Load(int depth) => depth < _end ? _data[_start + (depth >> 2)] : default;
}

/// <summary>As <see cref="DepthQuads{T}"/>, for any sizes and any alignment.</summary>
/// <param name="data">All of it.</param>
/// <param name="leading">Elements between lines.</param>
/// <param name="stride">Elements between the matrices of a batch.</param>
/// <param name="lines">Lines of a matrix.</param>
internal struct DepthElements<T>(ArrayView<T> data, int leading, int stride, int lines) : ITileSource<T, DepthElements<T>>
    where T : unmanaged, INumber<T>
{
    private readonly ArrayView<T> _data = data;
    private readonly int _leading = leading;
    private readonly int _stride = stride;
    private readonly int _lines = lines;
    private int _start;
    private int _end;

    public static TileOrder Order => TileOrder.Depth;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Limit(int batch, int end) => end;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly DepthElements<T> At(int batch, int line, int spacing, int end)
    {
        DepthElements<T> result = this;
        result._start = batch * _stride + line * _leading;
        result._end = line < _lines ? end : 0;
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Quartet<T> Load(int depth) => new(Element(depth), Element(depth + 1), Element(depth + 2), Element(depth + 3));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly T Element(int depth) => depth < _end ? _data[_start + depth] : T.Zero;
}

/// <summary>An operand whose lines lie side by side (B as it is, A transposed), read 16 bytes at a time: all sizes are multiples of four.</summary>
/// <param name="data">All of it.</param>
/// <param name="leading">Quads between one depth and the next.</param>
/// <param name="stride">Quads between the matrices of a batch.</param>
/// <param name="lines">Lines of a matrix.</param>
internal struct LineQuads<T>(ArrayView<Quartet<T>> data, int leading, int stride, int lines) : ITileSource<T, LineQuads<T>>
    where T : unmanaged, INumber<T>
{
    private readonly ArrayView<Quartet<T>> _data = data;
    private readonly int _leading = leading;
    private readonly int _stride = stride;
    private readonly int _lines = lines;
    private int _start;
    private int _end;

    public static TileOrder Order => TileOrder.Lines;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Limit(int batch, int end) => end;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly LineQuads<T> At(int batch, int line, int spacing, int end)
    {
        LineQuads<T> result = this;
        result._start = batch * _stride + (line >> 2);
        result._end = line < _lines ? end : 0;
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Quartet<T> Load(int depth) => depth < _end ? _data[_start + depth * _leading] : default;
}

/// <summary>As <see cref="LineQuads{T}"/>, for any sizes and any alignment.</summary>
/// <param name="data">All of it.</param>
/// <param name="leading">Elements between one depth and the next.</param>
/// <param name="stride">Elements between the matrices of a batch.</param>
/// <param name="lines">Lines of a matrix.</param>
internal struct LineElements<T>(ArrayView<T> data, int leading, int stride, int lines) : ITileSource<T, LineElements<T>>
    where T : unmanaged, INumber<T>
{
    private readonly ArrayView<T> _data = data;
    private readonly int _leading = leading;
    private readonly int _stride = stride;
    private readonly int _lines = lines;
    private int _start;
    private int _left;
    private int _end;

    public static TileOrder Order => TileOrder.Lines;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Limit(int batch, int end) => end;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly LineElements<T> At(int batch, int line, int spacing, int end)
    {
        LineElements<T> result = this;
        result._start = batch * _stride + line;
        result._left = _lines - line;
        result._end = end;
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Quartet<T> Load(int depth) => new(Element(depth, 0), Element(depth, 1), Element(depth, 2), Element(depth, 3));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly T Element(int depth, int i) => depth < _end && i < _left ? _data[_start + depth * _leading + i] : T.Zero;
}
