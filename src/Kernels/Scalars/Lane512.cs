using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Fusion.Kernels;

/// <summary>One 512-bit register. Only where <c>Vector512.IsHardwareAccelerated</c>, which means AVX-512 F, BW, DQ and VL.</summary>
/// <remarks>For integer elements only arithmetic, comparisons, selection and bitwise operations have a meaning.</remarks>
internal unsafe struct Lane512<T> : IVectorLane<Lane512<T>, T>
    where T : unmanaged
{
    /// <summary>
    /// <see cref="LogEdges"/> as a table of <c>vfixupimm</c>, four bits for each kind of x (Intel, "Software Developer's Manual", volume 2, VFIXUPIMMPS):
    /// 0 is y, 1 x, 3 NaN, 4 −∞. The kinds, from the lowest: quiet and signaling NaN, 0, 1, −∞, +∞, negative, positive.
    /// </summary>
    public const int LogTable = 0x03130411;

    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    // Set by object initializers, not by a constructor: they cost the JIT fewer locals, and it inlines nothing into a method with 512 of them.
    public Vector512<T> V;

    public static int Count
    {
        [MethodImpl(Inline)]
        get => Vector512<T>.Count;
    }

    public static bool Is64
    {
        [MethodImpl(Inline)]
        get => sizeof(T) == 8;
    }

    public static bool HasScaleB
    {
        [MethodImpl(Inline)]
        get => true;
    }

    [MethodImpl(Inline)]
    public static Lane512<T> Load(T* source) => new() { V = Vector512.Load(source) };

    [MethodImpl(Inline)]
    public static void Store(Lane512<T> value, T* destination) => value.V.Store(destination);

    [MethodImpl(Inline)]
    public static Lane512<T> Broadcast(T value) => new() { V = Vector512.Create(value) };

    [MethodImpl(Inline)]
    public static Lane512<T> Const(double value)
    {
        if (typeof(T) == typeof(float)) return new() { V = Vector512.Create((float)value).As<float, T>() };
        if (typeof(T) == typeof(double)) return new() { V = Vector512.Create(value).As<double, T>() };
        return Bits((long)value);
    }

    [MethodImpl(Inline)]
    public static Lane512<T> Bits(long pattern)
    {
        if (sizeof(T) == 8) return new() { V = Vector512.Create(pattern).As<long, T>() };
        if (sizeof(T) == 4) return new() { V = Vector512.Create((int)pattern).As<int, T>() };
        return new() { V = Vector512.Create((byte)pattern).As<byte, T>() };
    }

    [MethodImpl(Inline)]
    public static Lane512<T> operator +(Lane512<T> a, Lane512<T> b) => new() { V = a.V + b.V };

    [MethodImpl(Inline)]
    public static Lane512<T> operator -(Lane512<T> a, Lane512<T> b) => new() { V = a.V - b.V };

    [MethodImpl(Inline)]
    public static Lane512<T> operator *(Lane512<T> a, Lane512<T> b) => new() { V = a.V * b.V };

    [MethodImpl(Inline)]
    public static Lane512<T> operator /(Lane512<T> a, Lane512<T> b) => new() { V = a.V / b.V };

    // Floating point: the sign bit is flipped, so that −0 and NaN come out right.
    [MethodImpl(Inline)]
    public static Lane512<T> operator -(Lane512<T> a)
    {
        if (typeof(T) == typeof(float)) return new() { V = (a.V.AsSingle() ^ Vector512.Create(-0f)).As<float, T>() };
        if (typeof(T) == typeof(double)) return new() { V = (a.V.AsDouble() ^ Vector512.Create(-0d)).As<double, T>() };
        return new() { V = Vector512<T>.Zero - a.V };
    }

    [MethodImpl(Inline)]
    public static Lane512<T> Fma(Lane512<T> a, Lane512<T> b, Lane512<T> c)
    {
        if (typeof(T) == typeof(float)) return new() { V = Vector512.FusedMultiplyAdd(a.V.AsSingle(), b.V.AsSingle(), c.V.AsSingle()).As<float, T>() };
        if (typeof(T) == typeof(double)) return new() { V = Vector512.FusedMultiplyAdd(a.V.AsDouble(), b.V.AsDouble(), c.V.AsDouble()).As<double, T>() };
        return new() { V = (a.V * b.V) + c.V };
    }

    [MethodImpl(Inline)]
    public static Lane512<T> MinNative(Lane512<T> a, Lane512<T> b) => new() { V = Vector512.MinNative(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane512<T> MaxNative(Lane512<T> a, Lane512<T> b) => new() { V = Vector512.MaxNative(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane512<T> Sqrt(Lane512<T> a) => new() { V = Vector512.Sqrt(a.V) };

    [MethodImpl(Inline)]
    public static Lane512<T> Abs(Lane512<T> a) => new() { V = Vector512.Abs(a.V) };

    [MethodImpl(Inline)]
    public static Lane512<T> Round(Lane512<T> a)
    {
        if (typeof(T) == typeof(float)) return new() { V = Vector512.Round(a.V.AsSingle()).As<float, T>() };
        if (typeof(T) == typeof(double)) return new() { V = Vector512.Round(a.V.AsDouble()).As<double, T>() };
        return a;
    }

    [MethodImpl(Inline)]
    public static Lane512<T> Floor(Lane512<T> a)
    {
        if (typeof(T) == typeof(float)) return new() { V = Vector512.Floor(a.V.AsSingle()).As<float, T>() };
        if (typeof(T) == typeof(double)) return new() { V = Vector512.Floor(a.V.AsDouble()).As<double, T>() };
        return a;
    }

    [MethodImpl(Inline)]
    public static Lane512<T> Ceiling(Lane512<T> a)
    {
        if (typeof(T) == typeof(float)) return new() { V = Vector512.Ceiling(a.V.AsSingle()).As<float, T>() };
        if (typeof(T) == typeof(double)) return new() { V = Vector512.Ceiling(a.V.AsDouble()).As<double, T>() };
        return a;
    }

    [MethodImpl(Inline)]
    public static Lane512<T> Truncate(Lane512<T> a)
    {
        if (typeof(T) == typeof(float)) return new() { V = Vector512.Truncate(a.V.AsSingle()).As<float, T>() };
        if (typeof(T) == typeof(double)) return new() { V = Vector512.Truncate(a.V.AsDouble()).As<double, T>() };
        return a;
    }

    [MethodImpl(Inline)]
    public static Lane512<T> ScaleB(Lane512<T> x, Lane512<T> n)
    {
        if (typeof(T) == typeof(float)) return new() { V = Avx512F.Scale(x.V.AsSingle(), n.V.AsSingle()).As<float, T>() };
        return new() { V = Avx512F.Scale(x.V.AsDouble(), n.V.AsDouble()).As<double, T>() };
    }

    [MethodImpl(Inline)]
    public static Lane512<T> Remainder(Lane512<T> a, Lane512<T> b)
    {
        Lane512<T> quotient = a / b;
        Lane512<T> simple = LaneFallback.IsSimpleRemainder(quotient, b), rest = LaneFallback.SimpleRemainder(a, b, quotient);
        // Element by element, so that no element's bits, not even a NaN's, depend on its neighbours.
        return simple.V.AsByte() == Vector512<byte>.AllBitsSet ? rest : Select(simple, rest, RemainderByElement(a, b));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Lane512<T> RemainderByElement(Lane512<T> a, Lane512<T> b)
    {
        (Vector512<T> x, Vector512<T> y) = (a.V, b.V);
        LaneFallback.Remainder((T*)&x, (T*)&y, Count);
        return new() { V = x };
    }

    [MethodImpl(Inline)]
    public static Lane512<T> LargeAngle(AngleFunction function, Lane512<T> x, Lane512<T> value)
    {
        Lane512<T> large = AngleReduction.IsLarge(x);
        return large.V.AsByte() == Vector512<byte>.Zero ? value : LargeAngleByElement(function, x, value, large);
    }

    /// <summary><paramref name="value"/>, but the function of <paramref name="x"/> where that is <paramref name="large"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Lane512<T> LargeAngleByElement(AngleFunction function, Lane512<T> x, Lane512<T> value, Lane512<T> large)
    {
        Vector512<T> values = x.V;
        AngleReduction.Evaluate(function, (T*)&values, Count);
        return Select(large, new() { V = values }, value);
    }

    [MethodImpl(Inline)]
    public static Lane512<T> LogEdges(Lane512<T> x, Lane512<T> y) => typeof(T) == typeof(float)
        ? new() { V = Avx512F.Fixup(y.V.AsSingle(), x.V.AsSingle(), Vector512.Create(LogTable), 0).As<float, T>() }
        : new() { V = Avx512F.Fixup(y.V.AsDouble(), x.V.AsDouble(), Vector512.Create((long)LogTable), 0).As<double, T>() };

    [MethodImpl(Inline)]
    public static Lane512<T> Less(Lane512<T> a, Lane512<T> b) => new() { V = Vector512.LessThan(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane512<T> LessOrEqual(Lane512<T> a, Lane512<T> b) => new() { V = Vector512.LessThanOrEqual(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane512<T> Greater(Lane512<T> a, Lane512<T> b) => new() { V = Vector512.GreaterThan(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane512<T> GreaterOrEqual(Lane512<T> a, Lane512<T> b) => new() { V = Vector512.GreaterThanOrEqual(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane512<T> Equal(Lane512<T> a, Lane512<T> b) => new() { V = Vector512.Equals(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane512<T> NotEqual(Lane512<T> a, Lane512<T> b) => new() { V = ~Vector512.Equals(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane512<T> Select(Lane512<T> mask, Lane512<T> a, Lane512<T> b) => new() { V = Vector512.ConditionalSelect(mask.V, a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane512<T> And(Lane512<T> a, Lane512<T> b) => new() { V = a.V & b.V };

    [MethodImpl(Inline)]
    public static Lane512<T> Or(Lane512<T> a, Lane512<T> b) => new() { V = a.V | b.V };

    [MethodImpl(Inline)]
    public static Lane512<T> Xor(Lane512<T> a, Lane512<T> b) => new() { V = a.V ^ b.V };

    [MethodImpl(Inline)]
    public static Lane512<T> Not(Lane512<T> a) => new() { V = ~a.V };

    [MethodImpl(Inline)]
    public static Lane512<T> AddInteger(Lane512<T> a, Lane512<T> b) =>
        sizeof(T) == 8 ? new() { V = (a.V.AsInt64() + b.V.AsInt64()).As<long, T>() } : new() { V = (a.V.AsInt32() + b.V.AsInt32()).As<int, T>() };

    [MethodImpl(Inline)]
    public static Lane512<T> SubtractInteger(Lane512<T> a, Lane512<T> b) =>
        sizeof(T) == 8 ? new() { V = (a.V.AsInt64() - b.V.AsInt64()).As<long, T>() } : new() { V = (a.V.AsInt32() - b.V.AsInt32()).As<int, T>() };

    [MethodImpl(Inline)]
    public static Lane512<T> ShiftLeft(Lane512<T> a, int count) =>
        sizeof(T) == 8 ? new() { V = (a.V.AsInt64() << count).As<long, T>() } : new() { V = (a.V.AsInt32() << count).As<int, T>() };

    [MethodImpl(Inline)]
    public static Lane512<T> ShiftRightArithmetic(Lane512<T> a, int count) =>
        sizeof(T) == 8 ? new() { V = (a.V.AsInt64() >> count).As<long, T>() } : new() { V = (a.V.AsInt32() >> count).As<int, T>() };

    [MethodImpl(Inline)]
    public static Lane512<T> ShiftRightLogical(Lane512<T> a, int count) =>
        sizeof(T) == 8 ? new() { V = (a.V.AsInt64() >>> count).As<long, T>() } : new() { V = (a.V.AsInt32() >>> count).As<int, T>() };

    [MethodImpl(Inline)]
    public static Lane512<T> ToInteger(Lane512<T> a) =>
        sizeof(T) == 8
            ? new() { V = Avx512DQ.ConvertToVector512Int64(a.V.AsDouble()).As<long, T>() }
            : new() { V = Avx512F.ConvertToVector512Int32(a.V.AsSingle()).As<int, T>() };

    [MethodImpl(Inline)]
    public static Lane512<T> FromInteger(Lane512<T> a) =>
        sizeof(T) == 8
            ? new() { V = Avx512DQ.ConvertToVector512Double(a.V.AsInt64()).As<double, T>() }
            : new() { V = Avx512F.ConvertToVector512Single(a.V.AsInt32()).As<float, T>() };

    [MethodImpl(Inline)]
    public static Lane512<T> LoadMask(byte* source)
    {
        if (sizeof(T) == 8)
        {
            Vector512<long> wide = Avx512F.ConvertToVector512Int64(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(source)).AsByte());
            return new() { V = (~Vector512.Equals(wide, Vector512<long>.Zero)).As<long, T>() };
        }
        if (sizeof(T) == 4)
        {
            Vector512<int> wide = Avx512F.ConvertToVector512Int32(Vector128.Load(source));
            return new() { V = (~Vector512.Equals(wide, Vector512<int>.Zero)).As<int, T>() };
        }
        return new() { V = (~Vector512.Equals(Vector512.Load(source), Vector512<byte>.Zero)).As<byte, T>() };
    }

    [MethodImpl(Inline)]
    public static void StoreMask(Lane512<T> mask, byte* destination)
    {
        if (sizeof(T) == 8)
            Unsafe.WriteUnaligned(destination, Avx512F.ConvertToVector128Byte(mask.V.AsInt64() & Vector512<long>.One).AsUInt64().ToScalar());
        else if (sizeof(T) == 4)
            Avx512F.ConvertToVector128Byte(mask.V.AsInt32() & Vector512<int>.One).Store(destination);
        else
            (mask.V.AsByte() & Vector512<byte>.One).Store(destination);
    }
}
