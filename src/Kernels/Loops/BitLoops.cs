using System.Numerics;
using System.Runtime.CompilerServices;

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

/// <summary>Bit operations on contiguous integers of one type.</summary>
internal static unsafe class BitLoops
{
    public static void Run(BitOperation operation, DType dtype, nint x, nint y, nint result, long count)
    {
        bool isShift = operation >= BitOperation.ShiftLeft;
        switch (dtype)
        {
            case DType.Int32 when isShift: Shift((int*)x, (int*)y, (int*)result, count, operation == BitOperation.ShiftLeft); break;
            case DType.Int64 when isShift: Shift((long*)x, (long*)y, (long*)result, count, operation == BitOperation.ShiftLeft); break;
            case DType.UInt8 when isShift: Shift((byte*)x, (byte*)y, (byte*)result, count, operation == BitOperation.ShiftLeft); break;
            default: Bytes(operation, (byte*)x, (byte*)y, (byte*)result, count * dtype.Size); break;
        }
    }

    // And, or, xor do not care where an element ends.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Bytes(BitOperation operation, byte* x, byte* y, byte* result, long count)
    {
        long i = 0;
        for (; i <= count - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            Vector<byte> a = Vector.Load(x + i), b = Vector.Load(y + i);
            Vector.Store(operation switch { BitOperation.And => a & b, BitOperation.Or => a | b, _ => a ^ b }, result + i);
        }

        for (; i < count; i++) result[i] = (byte)(operation switch { BitOperation.And => x[i] & y[i], BitOperation.Or => x[i] | y[i], _ => x[i] ^ y[i] });
    }

    // A negative count, read as unsigned, is beyond the width, too.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Shift<T>(T* x, T* y, T* result, long count, bool left)
        where T : unmanaged, IBinaryInteger<T>
    {
        int width = sizeof(T) * 8;
        for (long i = 0; i < count; i++)
        {
            ulong by = ulong.CreateTruncating(y[i]);
            if (by < (ulong)width) result[i] = left ? x[i] << (int)by : x[i] >> (int)by;
            else result[i] = left || !T.IsNegative(x[i]) ? T.Zero : -T.One;
        }
    }
}
