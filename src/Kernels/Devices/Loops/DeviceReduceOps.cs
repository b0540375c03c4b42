using System.Numerics;

namespace Fusion.Kernels;

/// <summary>One kind of reduction in device code: as <see cref="IReduceOp"/>, element by element.</summary>
internal interface IDeviceReduction<TIn, TAcc, TOut>
{
    /// <summary>Where a sum starts; taking it in changes nothing.</summary>
    static abstract TAcc Identity { get; }

    static abstract TAcc Take(TAcc sum, TIn x);

    /// <summary>Joins two partial results, the earlier one first.</summary>
    static abstract TAcc Combine(TAcc a, TAcc b);

    static abstract TOut Result(TAcc sum);
}

/// <summary>The first stage of a reduction of several: it leaves sums.</summary>
internal readonly struct FirstStage<TOp, TIn, TAcc, TOut> : IDeviceReduction<TIn, TAcc, TAcc>
    where TOp : struct, IDeviceReduction<TIn, TAcc, TOut>
{
    public static TAcc Identity => TOp.Identity;

    public static TAcc Take(TAcc sum, TIn x) => TOp.Take(sum, x);

    public static TAcc Combine(TAcc a, TAcc b) => TOp.Combine(a, b);

    public static TAcc Result(TAcc sum) => sum;
}

/// <summary>The last stage: it joins what others left.</summary>
internal readonly struct LastStage<TOp, TIn, TAcc, TOut> : IDeviceReduction<TAcc, TAcc, TOut>
    where TOp : struct, IDeviceReduction<TIn, TAcc, TOut>
{
    public static TAcc Identity => TOp.Identity;

    public static TAcc Take(TAcc sum, TAcc x) => TOp.Combine(sum, x);

    public static TAcc Combine(TAcc a, TAcc b) => TOp.Combine(a, b);

    public static TOut Result(TAcc sum) => TOp.Result(sum);
}

internal readonly struct DeviceSum<T> : IDeviceReduction<T, T, T>
    where T : unmanaged, INumberBase<T>
{
    public static T Identity => T.Zero;

    public static T Take(T sum, T x) => sum + x;

    public static T Combine(T a, T b) => a + b;

    public static T Result(T sum) => sum;
}

/// <summary>Every square is rounded: <see cref="DeviceMath"/> keeps compilers from contracting it with the sum.</summary>
internal readonly struct DeviceSumOfSquares : IDeviceReduction<float, float, float>, IDeviceReduction<double, double, double>
{
    static float IDeviceReduction<float, float, float>.Identity => 0;

    static double IDeviceReduction<double, double, double>.Identity => 0;

    static float IDeviceReduction<float, float, float>.Take(float sum, float x) => sum + DeviceMath.Multiply(x, x);

    static double IDeviceReduction<double, double, double>.Take(double sum, double x) => sum + DeviceMath.Multiply(x, x);

    static float IDeviceReduction<float, float, float>.Combine(float a, float b) => a + b;

    static double IDeviceReduction<double, double, double>.Combine(double a, double b) => a + b;

    static float IDeviceReduction<float, float, float>.Result(float sum) => sum;

    static double IDeviceReduction<double, double, double>.Result(double sum) => sum;
}

/// <summary>NaN is ignored.</summary>
internal readonly struct DeviceMaxNumber : IDeviceReduction<float, float, float>, IDeviceReduction<double, double, double>
{
    static float IDeviceReduction<float, float, float>.Identity => float.NegativeInfinity;

    static double IDeviceReduction<double, double, double>.Identity => double.NegativeInfinity;

    static float IDeviceReduction<float, float, float>.Take(float sum, float x) => DeviceMath.MaxNative(x, sum);

    static double IDeviceReduction<double, double, double>.Take(double sum, double x) => DeviceMath.MaxNative(x, sum);

    static float IDeviceReduction<float, float, float>.Combine(float a, float b) => DeviceMath.MaxNative(b, a);

    static double IDeviceReduction<double, double, double>.Combine(double a, double b) => DeviceMath.MaxNative(b, a);

    static float IDeviceReduction<float, float, float>.Result(float sum) => sum;

    static double IDeviceReduction<double, double, double>.Result(double sum) => sum;
}

internal readonly struct DeviceProd<T> : IDeviceReduction<T, T, T>
    where T : unmanaged, INumberBase<T>
{
    public static T Identity => T.One;

    public static T Take(T sum, T x) => sum * x;

    public static T Combine(T a, T b) => a * b;

    public static T Result(T sum) => sum;
}

/// <summary>NaN wins, the first one of a lane; of +0 and −0 the later one. The comparison is asked for only when no NaN is left in the sum.</summary>
internal readonly struct DeviceMax<T> : IDeviceReduction<T, T, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static T Identity => T.NegativeInfinity;

    public static T Take(T sum, T x) => T.IsNaN(sum) || sum > x ? sum : x;

    public static T Combine(T a, T b) => Take(a, b);

    public static T Result(T sum) => sum;
}

/// <inheritdoc cref="DeviceMax{T}"/>
internal readonly struct DeviceMin<T> : IDeviceReduction<T, T, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static T Identity => T.PositiveInfinity;

    public static T Take(T sum, T x) => T.IsNaN(sum) || sum < x ? sum : x;

    public static T Combine(T a, T b) => Take(a, b);

    public static T Result(T sum) => sum;
}

internal readonly struct DeviceIntegerMax<T> : IDeviceReduction<T, T, T>
    where T : unmanaged, INumber<T>, IMinMaxValue<T>
{
    public static T Identity => T.MinValue;

    public static T Take(T sum, T x) => x > sum ? x : sum;

    public static T Combine(T a, T b) => Take(a, b);

    public static T Result(T sum) => sum;
}

internal readonly struct DeviceIntegerMin<T> : IDeviceReduction<T, T, T>
    where T : unmanaged, INumber<T>, IMinMaxValue<T>
{
    public static T Identity => T.MaxValue;

    public static T Take(T sum, T x) => x < sum ? x : sum;

    public static T Combine(T a, T b) => Take(a, b);

    public static T Result(T sum) => sum;
}

/// <summary>Integers are added up in Int64, whatever goes in and comes out.</summary>
internal readonly struct DeviceIntegerSum<TFrom, TIn, TTo, TOut> : IDeviceReduction<TIn, long, TOut>
    where TFrom : struct, IDeviceCast<TIn, long>
    where TTo : struct, IDeviceCast<long, TOut>
{
    public static long Identity => 0;

    public static long Take(long sum, TIn x) => sum + TFrom.Convert(x);

    public static long Combine(long a, long b) => a + b;

    public static TOut Result(long sum) => TTo.Convert(sum);
}

/// <inheritdoc cref="DeviceIntegerSum{TFrom, TIn, TTo, TOut}"/>
internal readonly struct DeviceIntegerSumOfSquares<TFrom, TIn, TTo, TOut> : IDeviceReduction<TIn, long, TOut>
    where TFrom : struct, IDeviceCast<TIn, long>
    where TTo : struct, IDeviceCast<long, TOut>
{
    public static long Identity => 0;

    public static long Take(long sum, TIn x) => sum + (TFrom.Convert(x) * TFrom.Convert(x));

    public static long Combine(long a, long b) => a + b;

    public static TOut Result(long sum) => TTo.Convert(sum);
}

/// <inheritdoc cref="DeviceIntegerSum{TFrom, TIn, TTo, TOut}"/>
internal readonly struct DeviceIntegerProd<TFrom, TIn, TTo, TOut> : IDeviceReduction<TIn, long, TOut>
    where TFrom : struct, IDeviceCast<TIn, long>
    where TTo : struct, IDeviceCast<long, TOut>
{
    public static long Identity => 1;

    public static long Take(long sum, TIn x) => sum * TFrom.Convert(x);

    public static long Combine(long a, long b) => a * b;

    public static TOut Result(long sum) => TTo.Convert(sum);
}

/// <summary>1 if some element is not zero; NaN is not zero.</summary>
internal readonly struct DeviceAny<T> : IDeviceReduction<T, int, byte>
    where T : unmanaged, INumberBase<T>
{
    public static int Identity => 0;

    public static int Take(int sum, T x) => x != T.Zero ? 1 : sum;

    public static int Combine(int a, int b) => a | b;

    public static byte Result(int sum) => (byte)sum;
}

/// <summary>1 if no element is zero.</summary>
internal readonly struct DeviceAll<T> : IDeviceReduction<T, int, byte>
    where T : unmanaged, INumberBase<T>
{
    public static int Identity => 1;

    public static int Take(int sum, T x) => x != T.Zero ? sum : 0;

    public static int Combine(int a, int b) => a & b;

    public static byte Result(int sum) => (byte)sum;
}
