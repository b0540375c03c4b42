using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Sums of one, two, four or eight lines of a thin operand with the same elements of a wide one, a quad of sums a line, in registers.</summary>
internal interface IThinSums<T, TSelf>
    where T : unmanaged, INumber<T>
    where TSelf : struct, IThinSums<T, TSelf>
{
    static abstract int Lines { get; }

    /// <summary>sums + elements · line, at four depths from one on: four parts of the sum over the depth.</summary>
    static abstract TSelf AddProducts(TSelf sums, Quartet<T> elements, DepthQuads<T> thin, int batch, int line, int depth, int end);

    /// <summary>sums + elements · line, at one depth: sums of four neighbours.</summary>
    static abstract TSelf AddScaled(TSelf sums, Quartet<T> elements, StridedElements<T> thin, int batch, int line, int depth);

    static abstract Quartet<T> Line(TSelf sums, int line);
}

/// <summary>One line.</summary>
internal struct ThinLine<T> : IThinSums<T, ThinLine<T>>
    where T : unmanaged, INumber<T>
{
    private Quartet<T> _sums;

    public static int Lines => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ThinLine<T> AddProducts(ThinLine<T> sums, Quartet<T> elements, DepthQuads<T> thin, int batch, int line, int depth, int end)
    {
        sums._sums = Quartet<T>.AddProduct(sums._sums, elements, thin.At(batch, line, 0, end).Load(depth));
        return sums;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ThinLine<T> AddScaled(ThinLine<T> sums, Quartet<T> elements, StridedElements<T> thin, int batch, int line, int depth)
    {
        sums._sums = Quartet<T>.AddScaled(sums._sums, thin.Load(batch, line, depth), elements);
        return sums;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Quartet<T> Line(ThinLine<T> sums, int line) => sums._sums;
}

/// <summary>Twice as many lines.</summary>
internal struct ThinPair<T, TSums> : IThinSums<T, ThinPair<T, TSums>>
    where T : unmanaged, INumber<T>
    where TSums : struct, IThinSums<T, TSums>
{
    private TSums _low;
    private TSums _high;

    public static int Lines => 2 * TSums.Lines;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ThinPair<T, TSums> AddProducts(ThinPair<T, TSums> sums, Quartet<T> elements, DepthQuads<T> thin, int batch, int line, int depth, int end)
    {
        sums._low = TSums.AddProducts(sums._low, elements, thin, batch, line, depth, end);
        sums._high = TSums.AddProducts(sums._high, elements, thin, batch, line + TSums.Lines, depth, end);
        return sums;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ThinPair<T, TSums> AddScaled(ThinPair<T, TSums> sums, Quartet<T> elements, StridedElements<T> thin, int batch, int line, int depth)
    {
        sums._low = TSums.AddScaled(sums._low, elements, thin, batch, line, depth);
        sums._high = TSums.AddScaled(sums._high, elements, thin, batch, line + TSums.Lines, depth);
        return sums;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Quartet<T> Line(ThinPair<T, TSums> sums, int line) =>
        line < TSums.Lines ? TSums.Line(sums._low, line) : TSums.Line(sums._high, line - TSums.Lines);
}
