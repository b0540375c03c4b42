using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>What happens to the finished elements of a product, on the thread that has them in registers.</summary>
internal interface IProductBody<T>
    where T : unmanaged, INumber<T>
{
    /// <summary>The code is long: a loop over the rows of a thread's tile rather than a copy for each.</summary>
    static abstract bool IsLong { get; }

    /// <summary>One element.</summary>
    /// <param name="target">The memory of the product.</param>
    /// <param name="index">Its place there.</param>
    /// <param name="value">The element.</param>
    void Store(ArrayView<T> target, int index, T value);

    /// <summary>Four neighbours of a row.</summary>
    /// <param name="target">The memory of the product.</param>
    /// <param name="index">The place of the quad.</param>
    /// <param name="values">The elements.</param>
    void Store(ArrayView<Quartet<T>> target, int index, Quartet<T> values);
}

/// <summary>They are written.</summary>
internal readonly struct NoBody<T> : IProductBody<T>
    where T : unmanaged, INumber<T>
{
    public static bool IsLong => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ArrayView<T> target, int index, T value) => target[index] = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ArrayView<Quartet<T>> target, int index, Quartet<T> values) => target[index] = values;
}

/// <summary>An element-wise kernel works on them: see <see cref="ProductCodeTree"/>.</summary>
/// <param name="operands">What it reads and writes.</param>
internal readonly struct ProductBody<T, TCode>(ProductOperands operands) : IProductBody<T>
    where T : unmanaged, INumber<T>
    where TCode : struct, IProductCode<T>
{
    private readonly ProductOperands _operands = operands;

    public static bool IsLong => TCode.IsLong;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ArrayView<T> target, int index, T value) => TCode.Store(_operands, target, index, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ArrayView<Quartet<T>> target, int index, Quartet<T> values) => TCode.StoreQuad(_operands, target, index, values);
}

/// <summary>The code of an element-wise kernel on the elements of a product; its types are made at run time.</summary>
internal interface IProductCode<T>
    where T : unmanaged, INumber<T>
{
    static abstract bool IsLong { get; }

    static abstract void Store(ProductOperands operands, ArrayView<T> target, int index, T value);

    static abstract void StoreQuad(ProductOperands operands, ArrayView<Quartet<T>> target, int index, Quartet<T> values);
}

/// <summary>What is done where a product is written: a value for its column or its row is added, then the elements are handed on.</summary>
/// <param name="bias">The values; any view where there are none.</param>
/// <param name="perRow">1: values belong to rows.</param>
/// <param name="perColumn">1: values belong to columns. Both 0: there are none.</param>
/// <param name="body">What is done with the sums.</param>
internal readonly struct TileFinish<T, TBody>(ArrayView<T> bias, int perRow, int perColumn, TBody body)
    where T : unmanaged, INumber<T>
    where TBody : struct, IProductBody<T>
{
    private readonly ArrayView<T> _bias = bias;
    private readonly int _perRow = perRow;
    private readonly int _perColumn = perColumn;
    private readonly TBody _body = body;

    /// <summary>One element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ArrayView<T> target, int index, int row, int column, T value)
    {
        if (_perRow + _perColumn != 0) value += _bias[row * _perRow + column * _perColumn];
        _body.Store(target, index, value);
    }

    /// <summary>Four neighbours of a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ArrayView<Quartet<T>> target, int index, int row, int column, Quartet<T> values)
    {
        if (_perRow + _perColumn != 0)
        {
            int first = row * _perRow + column * _perColumn;
            values = Quartet<T>.Add(values, new(_bias[first], _bias[first + _perColumn], _bias[first + 2 * _perColumn], _bias[first + 3 * _perColumn]));
        }

        _body.Store(target, index, values);
    }
}
