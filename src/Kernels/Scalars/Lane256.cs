using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Fusion.Kernels;

/// <summary>One 256-bit register; AVX2 with FMA makes it fast, AVX-512 VL helps where present.</summary>
/// <remarks>For integer elements only arithmetic, comparisons, selection and bitwise operations have a meaning.</remarks>
internal unsafe struct Lane256<T> : IVectorLane<Lane256<T>, T>
    where T : unmanaged
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    // Set by object initializers, not by a constructor: they cost the JIT fewer locals, and it inlines nothing into a method with 512 of them.
    public Vector256<T> V;

    public static int Count
    {
        [MethodImpl(Inline)]
        get => Vector256<T>.Count;
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
    public static Lane256<T> Load(T* source) => new() { V = Vector256.Load(source) };

    [MethodImpl(Inline)]
    public static void Store(Lane256<T> value, T* destination) => value.V.Store(destination);

    [MethodImpl(Inline)]
    public static Lane256<T> Broadcast(T value) => new() { V = Vector256.Create(value) };

    [MethodImpl(Inline)]
    public static Lane256<T> Const(double value)
    {
        if (typeof(T) == typeof(float)) return new() { V = Vector256.Create((float)value).As<float, T>() };
        if (typeof(T) == typeof(double)) return new() { V = Vector256.Create(value).As<double, T>() };
        return Bits((long)value);
    }

    [MethodImpl(Inline)]
    public static Lane256<T> Bits(long pattern)
    {
        if (sizeof(T) == 8) return new() { V = Vector256.Create(pattern).As<long, T>() };
        if (sizeof(T) == 4) return new() { V = Vector256.Create((int)pattern).As<int, T>() };
        return new() { V = Vector256.Create((byte)pattern).As<byte, T>() };
    }

    [MethodImpl(Inline)]
    public static Lane256<T> operator +(Lane256<T> a, Lane256<T> b) => new() { V = a.V + b.V };

    [MethodImpl(Inline)]
    public static Lane256<T> operator -(Lane256<T> a, Lane256<T> b) => new() { V = a.V - b.V };

    [MethodImpl(Inline)]
    public static Lane256<T> operator *(Lane256<T> a, Lane256<T> b) => new() { V = a.V * b.V };

    [MethodImpl(Inline)]
    public static Lane256<T> operator /(Lane256<T> a, Lane256<T> b) => new() { V = a.V / b.V };

    // Floating point: the sign bit is flipped, so that −0 and NaN come out right.
    [MethodImpl(Inline)]
    public static Lane256<T> operator -(Lane256<T> a)
    {
        if (typeof(T) == typeof(float)) return new() { V = (a.V.AsSingle() ^ Vector256.Create(-0f)).As<float, T>() };
        if (typeof(T) == typeof(double)) return new() { V = (a.V.AsDouble() ^ Vector256.Create(-0d)).As<double, T>() };
        return new() { V = Vector256<T>.Zero - a.V };
    }

    [MethodImpl(Inline)]
    public static Lane256<T> Fma(Lane256<T> a, Lane256<T> b, Lane256<T> c)
    {
        if (typeof(T) == typeof(float)) return new() { V = Vector256.FusedMultiplyAdd(a.V.AsSingle(), b.V.AsSingle(), c.V.AsSingle()).As<float, T>() };
        if (typeof(T) == typeof(double)) return new() { V = Vector256.FusedMultiplyAdd(a.V.AsDouble(), b.V.AsDouble(), c.V.AsDouble()).As<double, T>() };
        return new() { V = (a.V * b.V) + c.V };
    }

    [MethodImpl(Inline)]
    public static Lane256<T> MinNative(Lane256<T> a, Lane256<T> b) => new() { V = Vector256.MinNative(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane256<T> MaxNative(Lane256<T> a, Lane256<T> b) => new() { V = Vector256.MaxNative(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane256<T> Sqrt(Lane256<T> a) => new() { V = Vector256.Sqrt(a.V) };

    [MethodImpl(Inline)]
    public static Lane256<T> Abs(Lane256<T> a) => new() { V = Vector256.Abs(a.V) };

    [MethodImpl(Inline)]
    public static Lane256<T> Round(Lane256<T> a)
    {
        if (typeof(T) == typeof(float)) return new() { V = Vector256.Round(a.V.AsSingle()).As<float, T>() };
        if (typeof(T) == typeof(double)) return new() { V = Vector256.Round(a.V.AsDouble()).As<double, T>() };
        return a;
    }

    [MethodImpl(Inline)]
    public static Lane256<T> Floor(Lane256<T> a)
    {
        if (typeof(T) == typeof(float)) return new() { V = Vector256.Floor(a.V.AsSingle()).As<float, T>() };
        if (typeof(T) == typeof(double)) return new() { V = Vector256.Floor(a.V.AsDouble()).As<double, T>() };
        return a;
    }

    [MethodImpl(Inline)]
    public static Lane256<T> Ceiling(Lane256<T> a)
    {
        if (typeof(T) == typeof(float)) return new() { V = Vector256.Ceiling(a.V.AsSingle()).As<float, T>() };
        if (typeof(T) == typeof(double)) return new() { V = Vector256.Ceiling(a.V.AsDouble()).As<double, T>() };
        return a;
    }

    [MethodImpl(Inline)]
    public static Lane256<T> Truncate(Lane256<T> a)
    {
        if (typeof(T) == typeof(float)) return new() { V = Vector256.Truncate(a.V.AsSingle()).As<float, T>() };
        if (typeof(T) == typeof(double)) return new() { V = Vector256.Truncate(a.V.AsDouble()).As<double, T>() };
        return a;
    }

    [MethodImpl(Inline)]
    public static Lane256<T> ScaleB(Lane256<T> x, Lane256<T> n)
    {
        if (!Avx512F.VL.IsSupported) return LaneFallback.ScaleB(x, n);
        if (typeof(T) == typeof(float)) return new() { V = Avx512F.VL.Scale(x.V.AsSingle(), n.V.AsSingle()).As<float, T>() };
        return new() { V = Avx512F.VL.Scale(x.V.AsDouble(), n.V.AsDouble()).As<double, T>() };
    }

    [MethodImpl(Inline)]
    public static Lane256<T> Remainder(Lane256<T> a, Lane256<T> b)
    {
        Lane256<T> quotient = a / b;
        Lane256<T> simple = LaneFallback.IsSimpleRemainder(quotient, b), rest = LaneFallback.SimpleRemainder(a, b, quotient);
        // Element by element, so that no element's bits, not even a NaN's, depend on its neighbours.
        return simple.V.AsByte() == Vector256<byte>.AllBitsSet ? rest : Select(simple, rest, RemainderByElement(a, b));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Lane256<T> RemainderByElement(Lane256<T> a, Lane256<T> b)
    {
        (Vector256<T> x, Vector256<T> y) = (a.V, b.V);
        LaneFallback.Remainder((T*)&x, (T*)&y, Count);
        return new() { V = x };
    }

    [MethodImpl(Inline)]
    public static Lane256<T> LargeAngle(AngleFunction function, Lane256<T> x, Lane256<T> value)
    {
        Lane256<T> large = AngleReduction.IsLarge(x);
        return large.V.AsByte() == Vector256<byte>.Zero ? value : LargeAngleByElement(function, x, value, large);
    }

    /// <summary><paramref name="value"/>, but the function of <paramref name="x"/> where that is <paramref name="large"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Lane256<T> LargeAngleByElement(AngleFunction function, Lane256<T> x, Lane256<T> value, Lane256<T> large)
    {
        Vector256<T> values = x.V;
        AngleReduction.Evaluate(function, (T*)&values, Count);
        return Select(large, new() { V = values }, value);
    }

    [MethodImpl(Inline)]
    public static Lane256<T> Less(Lane256<T> a, Lane256<T> b) => new() { V = Vector256.LessThan(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane256<T> LessOrEqual(Lane256<T> a, Lane256<T> b) => new() { V = Vector256.LessThanOrEqual(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane256<T> Greater(Lane256<T> a, Lane256<T> b) => new() { V = Vector256.GreaterThan(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane256<T> GreaterOrEqual(Lane256<T> a, Lane256<T> b) => new() { V = Vector256.GreaterThanOrEqual(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane256<T> Equal(Lane256<T> a, Lane256<T> b) => new() { V = Vector256.Equals(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane256<T> NotEqual(Lane256<T> a, Lane256<T> b) => new() { V = ~Vector256.Equals(a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane256<T> Select(Lane256<T> mask, Lane256<T> a, Lane256<T> b) => new() { V = Vector256.ConditionalSelect(mask.V, a.V, b.V) };

    [MethodImpl(Inline)]
    public static Lane256<T> And(Lane256<T> a, Lane256<T> b) => new() { V = a.V & b.V };

    [MethodImpl(Inline)]
    public static Lane256<T> Or(Lane256<T> a, Lane256<T> b) => new() { V = a.V | b.V };

    [MethodImpl(Inline)]
    public static Lane256<T> Xor(Lane256<T> a, Lane256<T> b) => new() { V = a.V ^ b.V };

    [MethodImpl(Inline)]
    public static Lane256<T> Not(Lane256<T> a) => new() { V = ~a.V };

    [MethodImpl(Inline)]
    public static Lane256<T> AddInteger(Lane256<T> a, Lane256<T> b) =>
        sizeof(T) == 8 ? new() { V = (a.V.AsInt64() + b.V.AsInt64()).As<long, T>() } : new() { V = (a.V.AsInt32() + b.V.AsInt32()).As<int, T>() };

    [MethodImpl(Inline)]
    public static Lane256<T> SubtractInteger(Lane256<T> a, Lane256<T> b) =>
        sizeof(T) == 8 ? new() { V = (a.V.AsInt64() - b.V.AsInt64()).As<long, T>() } : new() { V = (a.V.AsInt32() - b.V.AsInt32()).As<int, T>() };

    [MethodImpl(Inline)]
    public static Lane256<T> ShiftLeft(Lane256<T> a, int count) =>
        sizeof(T) == 8 ? new() { V = (a.V.AsInt64() << count).As<long, T>() } : new() { V = (a.V.AsInt32() << count).As<int, T>() };

    [MethodImpl(Inline)]
    public static Lane256<T> ShiftRightArithmetic(Lane256<T> a, int count) =>
        sizeof(T) == 8 ? new() { V = (a.V.AsInt64() >> count).As<long, T>() } : new() { V = (a.V.AsInt32() >> count).As<int, T>() };

    [MethodImpl(Inline)]
    public static Lane256<T> ShiftRightLogical(Lane256<T> a, int count) =>
        sizeof(T) == 8 ? new() { V = (a.V.AsInt64() >>> count).As<long, T>() } : new() { V = (a.V.AsInt32() >>> count).As<int, T>() };

    [MethodImpl(Inline)]
    public static Lane256<T> ToInteger(Lane256<T> a)
    {
        if (sizeof(T) == 4) return new() { V = Vector256.ConvertToInt32Native(a.V.AsSingle()).As<int, T>() };
        if (Avx512DQ.VL.IsSupported) return new() { V = Avx512DQ.VL.ConvertToVector256Int64(a.V.AsDouble()).As<long, T>() };
        return LaneFallback.ToInteger(a);
    }

    [MethodImpl(Inline)]
    public static Lane256<T> FromInteger(Lane256<T> a) =>
        sizeof(T) == 8
            ? new() { V = Vector256.ConvertToDouble(a.V.AsInt64()).As<double, T>() }
            : new() { V = Vector256.ConvertToSingle(a.V.AsInt32()).As<float, T>() };

    [MethodImpl(Inline)]
    public static Lane256<T> LoadMask(byte* source)
    {
        if (sizeof(T) == 8)
        {
            Vector256<long> wide = Avx2.ConvertToVector256Int64(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<uint>(source)).AsByte());
            return new() { V = (~Vector256.Equals(wide, Vector256<long>.Zero)).As<long, T>() };
        }
        if (sizeof(T) == 4)
        {
            Vector256<int> wide = Avx2.ConvertToVector256Int32(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(source)).AsByte());
            return new() { V = (~Vector256.Equals(wide, Vector256<int>.Zero)).As<int, T>() };
        }
        return new() { V = (~Vector256.Equals(Vector256.Load(source), Vector256<byte>.Zero)).As<byte, T>() };
    }

    [MethodImpl(Inline)]
    public static void StoreMask(Lane256<T> mask, byte* destination)
    {
        if (sizeof(T) == 8)
        {
            Vector128<int> narrow = Vector128.NarrowWithSaturation(mask.V.GetLower().AsInt64(), mask.V.GetUpper().AsInt64());
            Lane128<int>.StoreMask(new() { V = narrow }, destination);
        }
        else if (sizeof(T) == 4)
        {
            Vector128<short> narrow = Vector128.NarrowWithSaturation(mask.V.GetLower().AsInt32(), mask.V.GetUpper().AsInt32());
            Unsafe.WriteUnaligned(destination, (Vector128.NarrowWithSaturation(narrow, narrow).AsByte() & Vector128<byte>.One).AsUInt64().ToScalar());
        }
        else
        {
            (mask.V.AsByte() & Vector256<byte>.One).Store(destination);
        }
    }
}
