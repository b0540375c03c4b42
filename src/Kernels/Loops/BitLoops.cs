using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Fusion.Kernels;

/// <summary>A binary operation on bit patterns.</summary>
internal enum BitOperation
{
    And,
    Or,
    Xor,
    ShiftLeft,
    ShiftRight,
}

/// <summary>
/// Bit operations on integers of one type, by the contract of <see cref="ElementLoop"/>. A shift by a negative count or by the width or more gives 0; a
/// negative number shifted right by as much, −1: so do the variable shifts of AVX2, which read the count as unsigned.
/// </summary>
internal static unsafe class BitLoops
{
    /// <summary>The loop; bit i of <paramref name="scalars"/>: operand i is one element.</summary>
    public static ElementKernel Loop(BitOperation operation, DType dtype, int scalars) => new(
        dtype switch
        {
            DType.Int32 => Pointer<int>(operation),
            DType.Int64 => Pointer<long>(operation),
            _ => Pointer<byte>(operation),
        },
        scalars);

    private static delegate*<nint, long, long, int, void> Pointer<T>(BitOperation operation)
        where T : unmanaged, IBinaryInteger<T> => operation switch
        {
            BitOperation.And => &Run<AndBits, T>,
            BitOperation.Or => &Run<OrBits, T>,
            BitOperation.Xor => &Run<XorBits, T>,
            BitOperation.ShiftLeft => &Run<LeftShift, T>,
            _ => &Run<RightShift, T>,
        };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TOp, T>(nint table, long start, long end, int scalars)
        where TOp : struct, IBitOp
        where T : unmanaged, IBinaryInteger<T>
    {
        T** operands = (T**)table;
        T* x = operands[0], y = operands[1], z = operands[2];
        if (!TOp.IsVector<T>())
        {
            long xMask = (scalars & 1) - 1, yMask = (scalars >> 1 & 1) - 1;
            for (long i = start; i < end; i++) z[i] = TOp.Invoke(x[i & xMask], y[i & yMask]);
            return;
        }

        // Only of a scalar is there an element at the pointer itself: the elements of others may be anywhere behind it.
        bool isX = (scalars & 1) != 0, isY = (scalars & 2) != 0;
        Vector256<T> xs = isX ? Vector256.Create(*x) : default, ys = isY ? Vector256.Create(*y) : default;
        for (long i = start; i < end; i += Vector256<T>.Count)
        {
            Vector256<T> a = isX ? xs : Vector256.Load(x + i), b = isY ? ys : Vector256.Load(y + i);
            TOp.Invoke(a, b).Store(z + i);
        }
    }

    /// <summary>One operation, on registers where there are instructions for the type.</summary>
    private interface IBitOp
    {
        static abstract bool IsVector<T>();

        static abstract Vector256<T> Invoke<T>(Vector256<T> x, Vector256<T> y);

        static abstract T Invoke<T>(T x, T y) where T : unmanaged, IBinaryInteger<T>;
    }

    private readonly struct AndBits : IBitOp
    {
        public static bool IsVector<T>() => true;

        public static Vector256<T> Invoke<T>(Vector256<T> x, Vector256<T> y) => x & y;

        public static T Invoke<T>(T x, T y) where T : unmanaged, IBinaryInteger<T> => x & y;
    }

    private readonly struct OrBits : IBitOp
    {
        public static bool IsVector<T>() => true;

        public static Vector256<T> Invoke<T>(Vector256<T> x, Vector256<T> y) => x | y;

        public static T Invoke<T>(T x, T y) where T : unmanaged, IBinaryInteger<T> => x | y;
    }

    private readonly struct XorBits : IBitOp
    {
        public static bool IsVector<T>() => true;

        public static Vector256<T> Invoke<T>(Vector256<T> x, Vector256<T> y) => x ^ y;

        public static T Invoke<T>(T x, T y) where T : unmanaged, IBinaryInteger<T> => x ^ y;
    }

    private readonly struct LeftShift : IBitOp
    {
        public static bool IsVector<T>() => Avx2.IsSupported && typeof(T) != typeof(byte);

        public static Vector256<T> Invoke<T>(Vector256<T> x, Vector256<T> y) => typeof(T) == typeof(int)
            ? Avx2.ShiftLeftLogicalVariable(x.AsInt32(), y.AsUInt32()).As<int, T>()
            : Avx2.ShiftLeftLogicalVariable(x.AsInt64(), y.AsUInt64()).As<long, T>();

        public static T Invoke<T>(T x, T y) where T : unmanaged, IBinaryInteger<T>
        {
            ulong by = ulong.CreateTruncating(y);
            return by < (ulong)sizeof(T) * 8 ? x << (int)by : T.Zero;
        }
    }

    private readonly struct RightShift : IBitOp
    {
        public static bool IsVector<T>() => typeof(T) == typeof(int) ? Avx2.IsSupported : typeof(T) == typeof(long) && Avx512F.VL.IsSupported;

        public static Vector256<T> Invoke<T>(Vector256<T> x, Vector256<T> y) => typeof(T) == typeof(int)
            ? Avx2.ShiftRightArithmeticVariable(x.AsInt32(), y.AsUInt32()).As<int, T>()
            : Avx512F.VL.ShiftRightArithmeticVariable(x.AsInt64(), y.AsUInt64()).As<long, T>();

        public static T Invoke<T>(T x, T y) where T : unmanaged, IBinaryInteger<T>
        {
            ulong by = ulong.CreateTruncating(y);
            return by < (ulong)sizeof(T) * 8 ? x >> (int)by : T.IsNegative(x) ? -T.One : T.Zero;
        }
    }
}
