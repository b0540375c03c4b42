using System.Numerics;

namespace Fusion.Kernels;

internal readonly unsafe struct IntegerSum<TIn> : IIntegerReduceOp<TIn, long>
    where TIn : unmanaged, INumberBase<TIn>
{
    public static long Start => 0;

    public static long Take(long state, TIn x) => state + long.CreateTruncating(x);

    public static long Combine(long a, long b) => a + b;

    public static long TakeVectors(TIn* x, long n, ref long state)
    {
        if (typeof(TIn) == typeof(int)) return IntegerVectors.Sum((int*)x, n, ref state);
        return typeof(TIn) == typeof(byte) ? IntegerVectors.Sum((byte*)x, n, ref state) : 0;
    }
}

internal readonly struct IntegerSumOfSquares<TIn> : IIntegerReduceOp<TIn, long>
    where TIn : unmanaged, INumberBase<TIn>
{
    public static long Start => 0;

    public static long Take(long state, TIn x) => state + long.CreateTruncating(x) * long.CreateTruncating(x);

    public static long Combine(long a, long b) => a + b;
}

internal readonly struct IntegerProd<TIn> : IIntegerReduceOp<TIn, long>
    where TIn : unmanaged, INumberBase<TIn>
{
    public static long Start => 1;

    public static long Take(long state, TIn x) => state * long.CreateTruncating(x);

    public static long Combine(long a, long b) => a * b;
}

internal readonly unsafe struct IntegerMax<TIn> : IIntegerReduceOp<TIn, TIn>
    where TIn : unmanaged, INumber<TIn>, IMinMaxValue<TIn>
{
    public static TIn Start => TIn.MinValue;

    public static TIn Take(TIn state, TIn x) => x > state ? x : state;

    public static TIn Combine(TIn a, TIn b) => Take(a, b);

    public static long TakeVectors(TIn* x, long n, ref TIn state) => n < 64 ? 0 : IntegerVectors.Max(x, n, ref state);
}

internal readonly unsafe struct IntegerMin<TIn> : IIntegerReduceOp<TIn, TIn>
    where TIn : unmanaged, INumber<TIn>, IMinMaxValue<TIn>
{
    public static TIn Start => TIn.MaxValue;

    public static TIn Take(TIn state, TIn x) => x < state ? x : state;

    public static TIn Combine(TIn a, TIn b) => Take(a, b);

    public static long TakeVectors(TIn* x, long n, ref TIn state) => n < 64 ? 0 : IntegerVectors.Min(x, n, ref state);
}

/// <summary>1 if some element is not zero; NaN is not zero.</summary>
internal readonly struct AnyNonZero<TIn> : IIntegerReduceOp<TIn, byte>
    where TIn : unmanaged, INumberBase<TIn>
{
    public static byte Start => 0;

    public static byte Take(byte state, TIn x) => (byte)(state | (x != TIn.Zero ? 1 : 0));

    public static byte Combine(byte a, byte b) => (byte)(a | b);
}

/// <summary>1 if no element is zero.</summary>
internal readonly struct AllNonZero<TIn> : IIntegerReduceOp<TIn, byte>
    where TIn : unmanaged, INumberBase<TIn>
{
    public static byte Start => 1;

    public static byte Take(byte state, TIn x) => (byte)(state & (x != TIn.Zero ? 1 : 0));

    public static byte Combine(byte a, byte b) => (byte)(a & b);
}
