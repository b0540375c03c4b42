using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>The loops of <see cref="Cast"/>. The vector forms of the common pairs give what the scalar conversion gives.</summary>
internal static unsafe class CastLoops
{
    private const int Step = 16;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Number<TFrom, TTo>(nint source, nint destination, long count)
        where TFrom : unmanaged, INumber<TFrom>
        where TTo : unmanaged, INumber<TTo>
    {
        TFrom* from = (TFrom*)source;
        TTo* to = (TTo*)destination;
        if (typeof(TFrom) == typeof(TTo))
        {
            Buffer.MemoryCopy(from, to, count * sizeof(TTo), count * sizeof(TTo));
            return;
        }
        long i = 0;
        while (i + Step <= count && Sixteen(from + i, to + i)) i += Step;
        for (; i < count; i++) to[i] = TTo.CreateTruncating(from[i]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ToBool<T>(nint source, nint destination, long count)
        where T : unmanaged, INumber<T>
    {
        T* from = (T*)source;
        byte* to = (byte*)destination;
        long i = 0;
        if (sizeof(T) == 4)
        {
            for (; i + Step <= count; i += Step)
            {
                // A mask is 0 or −1: negated, 0 or 1.
                Vector512<int> zero = Vector512.Equals(Vector512.Load(from + i), Vector512<T>.Zero).As<T, int>();
                NarrowToBytes(zero + Vector512<int>.One).Store(to + i);
            }
        }
        for (; i < count; i++) to[i] = from[i] != T.Zero ? (byte)1 : (byte)0;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FromBool<T>(nint source, nint destination, long count)
        where T : unmanaged, INumber<T>
    {
        byte* from = (byte*)source;
        T* to = (T*)destination;
        long i = 0;
        for (; i + Step <= count; i += Step) StoreBytes(Vector128.Min(Vector128.Load(from + i), Vector128<byte>.One), to + i);
        for (; i < count; i++) to[i] = from[i] != 0 ? T.One : T.Zero;
    }

    /// <summary>Sixteen elements at once, or false for a pair that has no vector form; a constant for the JIT.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Sixteen<TFrom, TTo>(TFrom* from, TTo* to)
        where TFrom : unmanaged
        where TTo : unmanaged
    {
        if (typeof(TFrom) == typeof(float) && typeof(TTo) == typeof(double))
        {
            (Vector512<double> low, Vector512<double> high) = Vector512.Widen(Vector512.Load((float*)from));
            low.Store((double*)to);
            high.Store((double*)to + 8);
            return true;
        }
        if (typeof(TFrom) == typeof(double) && typeof(TTo) == typeof(float))
        {
            Vector512.Narrow(Vector512.Load((double*)from), Vector512.Load((double*)from + 8)).Store((float*)to);
            return true;
        }
        if (typeof(TFrom) == typeof(float) && typeof(TTo) == typeof(int))
        {
            Vector512.ConvertToInt32(Vector512.Load((float*)from)).Store((int*)to);
            return true;
        }
        if (typeof(TFrom) == typeof(int) && typeof(TTo) == typeof(float))
        {
            Vector512.ConvertToSingle(Vector512.Load((int*)from)).Store((float*)to);
            return true;
        }
        if (typeof(TFrom) == typeof(int) && (typeof(TTo) == typeof(long) || typeof(TTo) == typeof(double)))
        {
            (Vector512<long> low, Vector512<long> high) = Vector512.Widen(Vector512.Load((int*)from));
            if (typeof(TTo) == typeof(long))
            {
                low.Store((long*)to);
                high.Store((long*)to + 8);
            }
            else
            {
                Vector512.ConvertToDouble(low).Store((double*)to);
                Vector512.ConvertToDouble(high).Store((double*)to + 8);
            }
            return true;
        }
        if (typeof(TFrom) == typeof(long) && typeof(TTo) == typeof(int))
        {
            Vector512.Narrow(Vector512.Load((long*)from), Vector512.Load((long*)from + 8)).Store((int*)to);
            return true;
        }
        if (typeof(TFrom) == typeof(byte))
        {
            StoreBytes(Vector128.Load((byte*)from), to);
            return true;
        }
        return false;
    }

    /// <summary>Sixteen bytes as numbers of another type.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreBytes<T>(Vector128<byte> bytes, T* to)
        where T : unmanaged
    {
        if (typeof(T) == typeof(byte))
        {
            bytes.Store((byte*)to);
            return;
        }
        Vector512<int> numbers = WidenToInts(bytes);
        if (typeof(T) == typeof(int)) numbers.Store((int*)to);
        else if (typeof(T) == typeof(float)) Vector512.ConvertToSingle(numbers).Store((float*)to);
        else
        {
            (Vector512<long> low, Vector512<long> high) = Vector512.Widen(numbers);
            if (typeof(T) == typeof(long))
            {
                low.Store((long*)to);
                high.Store((long*)to + 8);
            }
            else
            {
                Vector512.ConvertToDouble(low).Store((double*)to);
                Vector512.ConvertToDouble(high).Store((double*)to + 8);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> WidenToInts(Vector128<byte> bytes)
    {
        (Vector128<ushort> low, Vector128<ushort> high) = Vector128.Widen(bytes);
        Vector256<ushort> words = Vector256.Create(low, high);
        (Vector256<uint> a, Vector256<uint> b) = Vector256.Widen(words);
        return Vector512.Create(a, b).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> NarrowToBytes(Vector512<int> values)
    {
        Vector256<ushort> words = Vector256.Narrow(values.GetLower().AsUInt32(), values.GetUpper().AsUInt32());
        return Vector128.Narrow(words.GetLower(), words.GetUpper());
    }
}
