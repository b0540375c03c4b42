using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Which running result.</summary>
internal enum RunningKind
{
    Prod,
    Max,
    Min,
}

/// <summary>What joins a running result and the next element; for registers the same, element by element.</summary>
internal interface IRunningOp<T>
    where T : unmanaged
{
    static abstract T Join(T before, T x);

    static abstract Vector<T> Join(Vector<T> before, Vector<T> x);
}

internal readonly struct RunningProd<T> : IRunningOp<T>
    where T : unmanaged, INumber<T>
{
    public static T Join(T before, T x) => before * x;

    public static Vector<T> Join(Vector<T> before, Vector<T> x) => before * x;
}

/// <summary>The first of equal elements stays, and so does the first NaN.</summary>
internal readonly struct RunningMax<T> : IRunningOp<T>
    where T : unmanaged, INumber<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Join(T before, T x) => x <= before || T.IsNaN(before) ? before : x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<T> Join(Vector<T> before, Vector<T> x) =>
        Vector.ConditionalSelect(Vector.AndNot(Vector.Equals(before, before), Vector.LessThanOrEqual(x, before)), x, before);
}

/// <summary>As <see cref="RunningMax{T}"/>.</summary>
internal readonly struct RunningMin<T> : IRunningOp<T>
    where T : unmanaged, INumber<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Join(T before, T x) => x >= before || T.IsNaN(before) ? before : x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<T> Join(Vector<T> before, Vector<T> x) =>
        Vector.ConditionalSelect(Vector.AndNot(Vector.Equals(before, before), Vector.GreaterThanOrEqual(x, before)), x, before);
}
