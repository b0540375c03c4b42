using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Fusion.Kernels;

/// <summary>One 128-bit register: SSE or Arm AdvSimd.</summary>
/// <remarks>For integer elements only arithmetic, comparisons, selection and bitwise operations have a meaning.</remarks>
internal unsafe struct Lane128<T> : IVectorLane<Lane128<T>, T>
    where T : unmanaged
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    // Set by object initializers, not by a constructor: they cost the JIT fewer locals, and it inlines nothing into a method with 512 of them.
    public Vector128<T> V;

    public static int Count
    {
        [MethodImpl(Inline)]
        get => Vector128<T>.Count;
    }

    public static bool Is64
    {
        [MethodImpl(Inline)]
        get => sizeof(T) == 8;
    }

    public static bool HasScaleB
    {
        [MethodImpl(Inline)]
        get => Avx512F.VL.IsSupported;
    }

    [MethodImpl(Inline)]
    public static Lane128<T> Load(T* source) => new() { V = Vector128.Load(source) };

    [MethodImpl(Inline)]
    public static void Store(Lane128<T> value, T* destination) => value.V.Store(destination);

    [MethodImpl(Inline)]
    public static Lane128<T> Broadcast(T value) => new() { V = Vector128.Create(value) };

    [MethodImpl(Inline)]
    public static Lane128<T> Const(double value)
    {
        if (typeof(T) == typeof(float)) return new() { V = Vector128.Create((float)value).As<float, T>() };
        if (typeof(T) == typeof(double)) return new() { V = Vector128.Create(value).As<double, T>() };
        return Bits((long)value);
    }

    [MethodImpl(Inline)]
    public static Lane128<T> Bits(long pattern)
    {
        if (sizeof(T) == 8) return new() { V = Vector128.Create(pattern).As<long, T>() };
        if (sizeof(T) == 4) return new() { V = Vector128.Create((int)pattern).As<int, T>() };
        return new() { V = Vector128.Create((byte)pattern).As<byte, T>() };
    }

    [MethodImpl(Inline)]
    public static Lane128<T> operator +(Lane128<T> a, Lane128<T> b) => new() { V = a.V + b.V };

    [MethodImpl(Inline)]
    public static Lane128<T> operator -(Lane128<T> a, Lane128<T> b) => new() { V = a.V - b.V };

    [MethodImpl(Inline)]
    public static Lane128<T> operator *(Lane128<T> a, Lane128<T> b) => new() { V = a.V * b.V };

    [MethodImpl(Inline)]
    public static Lane128<T> operator /(Lane128<T> a, Lane128<T> b) => new() { V = a.V / b.V };

    // Floating point: the sign bit is flipped, so that −0 and NaN come out right.
    [MethodImpl(Inline)]
    public static Lane128<T> operator -(Lane128<T> a)
    {
        if (typeof(T) == typeof(float)) return new() { V = (a.V.AsSingle() ^ Vector128.Create(-0f)).As<float, T>() };
        if (typeof(T) == typeof(double)) return new() { V = (a.V.AsDouble() ^ Vector128.Create(-0d)).As<double, T>() };
        return new() { V = Vector128<T>.Zero - a.V };
    }

    [MethodImpl(Inline)]
    public static Lane128<T> Fma(Lane128<T> a, Lane128<T> b, Lane128<T> c)
    {
        if (typeof(T) == typeof(float)) return new() { V = Vector128.FusedMultiplyAdd(a.V.AsSingle(), b.V.AsSingle(), c.V.AsSingle()).As<float, T>() };
        if (typeof(T) == typeof(double)) return new() { V = Vector128.FusedMultiplyAdd(a.V.AsDouble(), b.V.AsDouble(), c.V.AsDouble()).As<double, T>() };
        return new() { V = (a.V * b.V) + c.V };
    }

    [MethodImpl(Inline)]
    public static Lane128<T> MinNative(Lane128<T> a, Lane128<T> b) =>
        new() { V = Sse.IsSupported ? Vector128.MinNative(a.V, b.V) : Vector128.ConditionalSelect(Vector128.LessThan(a.V, b.V), a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane128<T> MaxNative(Lane128<T> a, Lane128<T> b) =>
        new() { V = Sse.IsSupported ? Vector128.MaxNative(a.V, b.V) : Vector128.ConditionalSelect(Vector128.GreaterThan(a.V, b.V), a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane128<T> Sqrt(Lane128<T> a) => new() { V = Vector128.Sqrt(a.V) };

    [MethodImpl(Inline)]
    public static Lane128<T> Abs(Lane128<T> a) => new() { V = Vector128.Abs(a.V) };

    [MethodImpl(Inline)]
    public static Lane128<T> Round(Lane128<T> a)
    {
        if (typeof(T) == typeof(float)) return new() { V = Vector128.Round(a.V.AsSingle()).As<float, T>() };
        if (typeof(T) == typeof(double)) return new() { V = Vector128.Round(a.V.AsDouble()).As<double, T>() };
        return a;
    }

    [MethodImpl(Inline)]
    public static Lane128<T> Floor(Lane128<T> a)
    {
        if (typeof(T) == typeof(float)) return new() { V = Vector128.Floor(a.V.AsSingle()).As<float, T>() };
        if (typeof(T) == typeof(double)) return new() { V = Vector128.Floor(a.V.AsDouble()).As<double, T>() };
        return a;
    }

    [MethodImpl(Inline)]
    public static Lane128<T> Ceiling(Lane128<T> a)
    {
        if (typeof(T) == typeof(float)) return new() { V = Vector128.Ceiling(a.V.AsSingle()).As<float, T>() };
        if (typeof(T) == typeof(double)) return new() { V = Vector128.Ceiling(a.V.AsDouble()).As<double, T>() };
        return a;
    }

    [MethodImpl(Inline)]
    public static Lane128<T> Truncate(Lane128<T> a)
    {
        if (typeof(T) == typeof(float)) return new() { V = Vector128.Truncate(a.V.AsSingle()).As<float, T>() };
        if (typeof(T) == typeof(double)) return new() { V = Vector128.Truncate(a.V.AsDouble()).As<double, T>() };
        return a;
    }

    [MethodImpl(Inline)]
    public static Lane128<T> ScaleB(Lane128<T> x, Lane128<T> n)
    {
        if (!Avx512F.VL.IsSupported) return LaneFallback.ScaleB(x, n);
        if (typeof(T) == typeof(float)) return new() { V = Avx512F.VL.Scale(x.V.AsSingle(), n.V.AsSingle()).As<float, T>() };
        return new() { V = Avx512F.VL.Scale(x.V.AsDouble(), n.V.AsDouble()).As<double, T>() };
    }

    [MethodImpl(Inline)]
    public static Lane128<T> Remainder(Lane128<T> a, Lane128<T> b)
    {
        Lane128<T> quotient = a / b;
        Lane128<T> simple = LaneFallback.IsSimpleRemainder(quotient, b), rest = LaneFallback.SimpleRemainder(a, b, quotient);
        // Element by element, so that no element's bits, not even a NaN's, depend on its neighbours.
        return simple.V.AsByte() == Vector128<byte>.AllBitsSet ? rest : Select(simple, rest, RemainderByElement(a, b));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Lane128<T> RemainderByElement(Lane128<T> a, Lane128<T> b)
    {
        (Vector128<T> x, Vector128<T> y) = (a.V, b.V);
        LaneFallback.Remainder((T*)&x, (T*)&y, Count);
        return new() { V = x };
    }

    [MethodImpl(Inline)]
    public static Lane128<T> LargeAngle(AngleFunction function, Lane128<T> x, Lane128<T> value)
    {
        Lane128<T> large = AngleReduction.IsLarge(x);
        return large.V.AsByte() == Vector128<byte>.Zero ? value : LargeAngleByElement(function, x, value, large);
    }

    /// <summary><paramref name="value"/>, but the function of <paramref name="x"/> where that is <paramref name="large"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Lane128<T> LargeAngleByElement(AngleFunction function, Lane128<T> x, Lane128<T> value, Lane128<T> large)
    {
        Vector128<T> values = x.V;
        AngleReduction.Evaluate(function, (T*)&values, Count);
        return Select(large, new() { V = values }, value);
    }

    [MethodImpl(Inline)]
    public static Lane128<T> Less(Lane128<T> a, Lane128<T> b) => new() { V = Vector128.LessThan(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane128<T> LessOrEqual(Lane128<T> a, Lane128<T> b) => new() { V = Vector128.LessThanOrEqual(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane128<T> Greater(Lane128<T> a, Lane128<T> b) => new() { V = Vector128.GreaterThan(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane128<T> GreaterOrEqual(Lane128<T> a, Lane128<T> b) => new() { V = Vector128.GreaterThanOrEqual(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane128<T> Equal(Lane128<T> a, Lane128<T> b) => new() { V = Vector128.Equals(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane128<T> NotEqual(Lane128<T> a, Lane128<T> b) => new() { V = ~Vector128.Equals(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane128<T> Select(Lane128<T> mask, Lane128<T> a, Lane128<T> b) => new() { V = Vector128.ConditionalSelect(mask.V, a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane128<T> And(Lane128<T> a, Lane128<T> b) => new() { V = a.V & b.V };

    [MethodImpl(Inline)]
    public static Lane128<T> Or(Lane128<T> a, Lane128<T> b) => new() { V = a.V | b.V };

    [MethodImpl(Inline)]
    public static Lane128<T> Xor(Lane128<T> a, Lane128<T> b) => new() { V = a.V ^ b.V };

    [MethodImpl(Inline)]
    public static Lane128<T> Not(Lane128<T> a) => new() { V = ~a.V };

    [MethodImpl(Inline)]
    public static Lane128<T> AddInteger(Lane128<T> a, Lane128<T> b) =>
        sizeof(T) == 8 ? new() { V = (a.V.AsInt64() + b.V.AsInt64()).As<long, T>() } : new() { V = (a.V.AsInt32() + b.V.AsInt32()).As<int, T>() };

    [MethodImpl(Inline)]
    public static Lane128<T> SubtractInteger(Lane128<T> a, Lane128<T> b) =>
        sizeof(T) == 8 ? new() { V = (a.V.AsInt64() - b.V.AsInt64()).As<long, T>() } : new() { V = (a.V.AsInt32() - b.V.AsInt32()).As<int, T>() };

    [MethodImpl(Inline)]
    public static Lane128<T> ShiftLeft(Lane128<T> a, int count) =>
        sizeof(T) == 8 ? new() { V = (a.V.AsInt64() << count).As<long, T>() } : new() { V = (a.V.AsInt32() << count).As<int, T>() };

    [MethodImpl(Inline)]
    public static Lane128<T> ShiftRightArithmetic(Lane128<T> a, int count) =>
        sizeof(T) == 8 ? new() { V = (a.V.AsInt64() >> count).As<long, T>() } : new() { V = (a.V.AsInt32() >> count).As<int, T>() };

    [MethodImpl(Inline)]
    public static Lane128<T> ShiftRightLogical(Lane128<T> a, int count) =>
        sizeof(T) == 8 ? new() { V = (a.V.AsInt64() >>> count).As<long, T>() } : new() { V = (a.V.AsInt32() >>> count).As<int, T>() };

    [MethodImpl(Inline)]
    public static Lane128<T> ToInteger(Lane128<T> a)
    {
        if (sizeof(T) == 4) return new() { V = Vector128.ConvertToInt32Native(a.V.AsSingle()).As<int, T>() };
        if (Avx512DQ.VL.IsSupported) return new() { V = Avx512DQ.VL.ConvertToVector128Int64(a.V.AsDouble()).As<long, T>() };
        if (AdvSimd.Arm64.IsSupported) return new() { V = AdvSimd.Arm64.ConvertToInt64RoundToZero(a.V.AsDouble()).As<long, T>() };
        return LaneFallback.ToInteger(a);
    }

    [MethodImpl(Inline)]
    public static Lane128<T> FromInteger(Lane128<T> a) =>
        sizeof(T) == 8
            ? new() { V = Vector128.ConvertToDouble(a.V.AsInt64()).As<double, T>() }
            : new() { V = Vector128.ConvertToSingle(a.V.AsInt32()).As<float, T>() };

    [MethodImpl(Inline)]
    public static Lane128<T> LoadMask(byte* source)
    {
        if (sizeof(T) == 8)
        {
            Vector128<byte> bytes = Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ushort>(source)).AsByte();
            Vector128<ulong> wide = Vector128.WidenLower(Vector128.WidenLower(Vector128.WidenLower(bytes)));
            return new() { V = (~Vector128.Equals(wide, Vector128<ulong>.Zero)).As<ulong, T>() };
        }
        if (sizeof(T) == 4)
        {
            Vector128<byte> bytes = Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<uint>(source)).AsByte();
            Vector128<uint> wide = Vector128.WidenLower(Vector128.WidenLower(bytes));
            return new() { V = (~Vector128.Equals(wide, Vector128<uint>.Zero)).As<uint, T>() };
        }
        return new() { V = (~Vector128.Equals(Vector128.Load(source), Vector128<byte>.Zero)).As<byte, T>() };
    }

    [MethodImpl(Inline)]
    public static void StoreMask(Lane128<T> mask, byte* destination)
    {
        if (sizeof(T) == 8)
        {
            uint bits = mask.V.AsInt64().ExtractMostSignificantBits();
            Unsafe.WriteUnaligned(destination, (ushort)((bits & 1) | ((bits & 2) << 7)));
        }
        else if (sizeof(T) == 4)
        {
            Vector128<short> narrow = Vector128.NarrowWithSaturation(mask.V.AsInt32(), mask.V.AsInt32());
            Unsafe.WriteUnaligned(destination, (Vector128.NarrowWithSaturation(narrow, narrow).AsByte() & Vector128<byte>.One).AsUInt32().ToScalar());
        }
        else
        {
            (mask.V.AsByte() & Vector128<byte>.One).Store(destination);
        }
    }
}
