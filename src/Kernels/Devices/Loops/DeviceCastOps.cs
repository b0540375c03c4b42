using System.Numerics;

namespace Fusion.Kernels;

/// <summary>One conversion of <see cref="Cast"/>, in the words that device code has.</summary>
internal interface IDeviceCast<TFrom, TTo>
{
    static abstract TTo Convert(TFrom x);
}

/// <summary>
/// From floating-point numbers to integers toward zero; a number out of range becomes the nearest one in range, NaN becomes 0. Device languages leave what the
/// conversion itself gives there undefined, so it is not asked.
/// </summary>
/// <remarks>
/// NaN is asked for first: ILGPU's OpenCL code forgets that a branch is to be taken for unordered operands (CompareFlags.UnsignedOrUnordered), so a branch on
/// a comparison with NaN goes either way there.
/// </remarks>
internal readonly struct CastFloat : IDeviceCast<float, int>, IDeviceCast<float, long>, IDeviceCast<float, byte>, IDeviceCast<float, double>
{
    private const float IntEnd = 2147483648f;
    private const float LongEnd = 9223372036854775808f;

    static int IDeviceCast<float, int>.Convert(float x)
    {
        if (float.IsNaN(x)) return 0;
        if (x >= IntEnd) return int.MaxValue;
        return x <= -IntEnd ? int.MinValue : (int)x;
    }

    static long IDeviceCast<float, long>.Convert(float x)
    {
        if (float.IsNaN(x)) return 0;
        if (x >= LongEnd) return long.MaxValue;
        return x <= -LongEnd ? long.MinValue : (long)x;
    }

    static byte IDeviceCast<float, byte>.Convert(float x)
    {
        if (float.IsNaN(x)) return 0;
        if (x >= byte.MaxValue) return byte.MaxValue;
        return x <= 0 ? (byte)0 : (byte)(int)x;
    }

    static double IDeviceCast<float, double>.Convert(float x) => x;
}

/// <inheritdoc cref="CastFloat"/>
internal readonly struct CastDouble : IDeviceCast<double, int>, IDeviceCast<double, long>, IDeviceCast<double, byte>, IDeviceCast<double, float>
{
    private const double IntEnd = 2147483648;
    private const double LongEnd = 9223372036854775808;

    static int IDeviceCast<double, int>.Convert(double x)
    {
        if (double.IsNaN(x)) return 0;
        if (x >= IntEnd) return int.MaxValue;
        return x <= -IntEnd ? int.MinValue : (int)x;
    }

    static long IDeviceCast<double, long>.Convert(double x)
    {
        if (double.IsNaN(x)) return 0;
        if (x >= LongEnd) return long.MaxValue;
        return x <= -LongEnd ? long.MinValue : (long)x;
    }

    static byte IDeviceCast<double, byte>.Convert(double x)
    {
        if (double.IsNaN(x)) return 0;
        if (x >= byte.MaxValue) return byte.MaxValue;
        return x <= 0 ? (byte)0 : (byte)(int)x;
    }

    static float IDeviceCast<double, float>.Convert(double x) => (float)x;
}

/// <summary>From Int32: the low bits, or rounded to nearest.</summary>
internal readonly struct CastInt : IDeviceCast<int, long>, IDeviceCast<int, byte>, IDeviceCast<int, float>, IDeviceCast<int, double>
{
    static long IDeviceCast<int, long>.Convert(int x) => x;

    static byte IDeviceCast<int, byte>.Convert(int x) => unchecked((byte)x);

    static float IDeviceCast<int, float>.Convert(int x) => x;

    static double IDeviceCast<int, double>.Convert(int x) => x;
}

/// <summary>From Int64: the low bits, or rounded to nearest.</summary>
internal readonly struct CastLong : IDeviceCast<long, int>, IDeviceCast<long, byte>, IDeviceCast<long, float>, IDeviceCast<long, double>
{
    static int IDeviceCast<long, int>.Convert(long x) => unchecked((int)x);

    static byte IDeviceCast<long, byte>.Convert(long x) => unchecked((byte)x);

    static float IDeviceCast<long, float>.Convert(long x) => x;

    static double IDeviceCast<long, double>.Convert(long x) => x;
}

/// <summary>From UInt8: exact.</summary>
internal readonly struct CastByte : IDeviceCast<byte, int>, IDeviceCast<byte, long>, IDeviceCast<byte, float>, IDeviceCast<byte, double>
{
    static int IDeviceCast<byte, int>.Convert(byte x) => x;

    static long IDeviceCast<byte, long>.Convert(byte x) => x;

    static float IDeviceCast<byte, float>.Convert(byte x) => x;

    static double IDeviceCast<byte, double>.Convert(byte x) => x;
}

/// <summary>To Bool: 1 where the element is not 0, and NaN is not.</summary>
internal readonly struct CastToBool<T> : IDeviceCast<T, byte>
    where T : unmanaged, INumberBase<T>
{
    public static byte Convert(T x) => x != T.Zero ? (byte)1 : (byte)0;
}

/// <summary>From Bool: 0 or 1.</summary>
internal readonly struct CastFromBool<T> : IDeviceCast<byte, T>
    where T : unmanaged, INumberBase<T>
{
    public static T Convert(byte x) => x != 0 ? T.One : T.Zero;
}

/// <summary>No conversion.</summary>
internal readonly struct CastNothing<T> : IDeviceCast<T, T>
{
    public static T Convert(T x) => x;
}
