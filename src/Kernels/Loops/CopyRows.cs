using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>Rows of elements from one place to another: as they are, reversed, or every second one. Writes are exact.</summary>
internal static unsafe class CopyRows
{
    // Above this the call of the platform's memory copy is a small part of the row.
    private const long InlineBytes = 4096;

    private const int Register = 64;

    /// <summary>Contiguous rows; steps and length in bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(byte* source, long sourceStep, byte* destination, long step, long bytes, long rows)
    {
        if (bytes > InlineBytes)
        {
            for (; rows > 0; rows--, source += sourceStep, destination += step) Unsafe.CopyBlockUnaligned(destination, source, (uint)bytes);
        }
        else if (bytes >= Register)
        {
            long last = bytes - Register; // the last register of a row overlaps the one before
            for (; rows > 0; rows--, source += sourceStep, destination += step)
            {
                for (long i = 0; i < last; i += Register) Vector512.Load(source + i).Store(destination + i);
                Vector512.Load(source + last).Store(destination + last);
            }
        }
        else if (bytes >= 32)
        {
            Pairs<Vector256<byte>>(source, sourceStep, destination, step, bytes - 32, rows);
        }
        else if (bytes >= 16)
        {
            Pairs<Vector128<byte>>(source, sourceStep, destination, step, bytes - 16, rows);
        }
        else if (bytes >= 8)
        {
            Pairs<ulong>(source, sourceStep, destination, step, bytes - 8, rows);
        }
        else if (bytes >= 4)
        {
            Pairs<uint>(source, sourceStep, destination, step, bytes - 4, rows);
        }
        else
        {
            for (; rows > 0; rows--, source += sourceStep, destination += step)
                for (long i = 0; i < bytes; i++) destination[i] = source[i];
        }
    }

    /// <summary>destination[r·step + i] = source[r·sourceStep − i], steps in elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Reversed<T>(T* source, long sourceStep, T* destination, long step, long columns, long rows)
        where T : unmanaged
    {
        int count = 16 / sizeof(T);
        Vector128<byte> order = sizeof(T) switch
        {
            1 => Vector128.Create((byte)15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
            2 => Vector128.Create((byte)14, 15, 12, 13, 10, 11, 8, 9, 6, 7, 4, 5, 2, 3, 0, 1),
            4 => Vector128.Create((byte)12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3),
            _ => Vector128.Create((byte)8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7),
        };
        for (; rows > 0; rows--, source += sourceStep, destination += step)
        {
            T* from = source - (count - 1);
            long i = 0;
            for (; i + count <= columns; i += count) Vector128.ShuffleNative(Vector128.Load((byte*)(from - i)), order).Store((byte*)(destination + i));
            for (; i < columns; i++) destination[i] = source[-i];
        }
    }

    /// <summary>
    /// destination[r·step + i] = source[r·sourceStep + 2i], steps in elements of 1, 2 or 4 bytes: pairs are read as one number of twice the size and cut.
    /// Reads the element after the last.
    /// </summary>
    public static void EverySecond<T>(T* source, long sourceStep, T* destination, long step, long columns, long rows)
        where T : unmanaged
    {
        if (sizeof(T) == 1) EverySecondByte((byte*)source, sourceStep, (byte*)destination, step, columns, rows);
        else if (sizeof(T) == 2) EverySecondWord((ushort*)source, sourceStep, (ushort*)destination, step, columns, rows);
        else EverySecondInt((uint*)source, sourceStep, (uint*)destination, step, columns, rows);
    }

    /// <summary>destination[2i] = even[i], destination[2i + 1] = odd[i] for elements of 1, 2 or 4 bytes.</summary>
    public static void Interleave<T>(T* even, T* odd, T* destination, long count)
        where T : unmanaged
    {
        if (sizeof(T) == 1) InterleaveBytes((byte*)even, (byte*)odd, (byte*)destination, count);
        else if (sizeof(T) == 2) InterleaveWords((ushort*)even, (ushort*)odd, (ushort*)destination, count);
        else InterleaveInts((uint*)even, (uint*)odd, (uint*)destination, count);
    }

    // A row as two parts of one size that may overlap.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pairs<P>(byte* source, long sourceStep, byte* destination, long step, long second, long rows)
        where P : unmanaged
    {
        for (; rows > 0; rows--, source += sourceStep, destination += step)
        {
            P a = Unsafe.ReadUnaligned<P>(source), b = Unsafe.ReadUnaligned<P>(source + second);
            Unsafe.WriteUnaligned(destination, a);
            Unsafe.WriteUnaligned(destination + second, b);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void EverySecondInt(uint* source, long sourceStep, uint* destination, long step, long columns, long rows)
    {
        const int N = 16;
        for (; rows > 0; rows--, source += sourceStep, destination += step)
        {
            long i = 0;
            for (; i + N <= columns; i += N) Cut(source + (2 * i)).Store(destination + i);
            if (i < columns && columns >= N) Cut(source + (2 * (i = columns - N))).Store(destination + i);
            else for (; i < columns; i++) destination[i] = source[2 * i];
        }

        static Vector512<uint> Cut(uint* from) => Vector512.Narrow(Vector512.Load((ulong*)from), Vector512.Load((ulong*)(from + N)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void EverySecondWord(ushort* source, long sourceStep, ushort* destination, long step, long columns, long rows)
    {
        const int N = 32;
        for (; rows > 0; rows--, source += sourceStep, destination += step)
        {
            long i = 0;
            for (; i + N <= columns; i += N) Cut(source + (2 * i)).Store(destination + i);
            if (i < columns && columns >= N) Cut(source + (2 * (i = columns - N))).Store(destination + i);
            else for (; i < columns; i++) destination[i] = source[2 * i];
        }

        static Vector512<ushort> Cut(ushort* from) => Vector512.Narrow(Vector512.Load((uint*)from), Vector512.Load((uint*)(from + N)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void EverySecondByte(byte* source, long sourceStep, byte* destination, long step, long columns, long rows)
    {
        const int N = 64;
        for (; rows > 0; rows--, source += sourceStep, destination += step)
        {
            long i = 0;
            for (; i + N <= columns; i += N) Cut(source + (2 * i)).Store(destination + i);
            if (i < columns && columns >= N) Cut(source + (2 * (i = columns - N))).Store(destination + i);
            else for (; i < columns; i++) destination[i] = source[2 * i];
        }

        static Vector512<byte> Cut(byte* from) => Vector512.Narrow(Vector512.Load((ushort*)from), Vector512.Load((ushort*)(from + N)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void InterleaveInts(uint* even, uint* odd, uint* destination, long count)
    {
        long i = 0;
        for (; i + 8 <= count; i += 8)
        {
            (Vector256<ulong> evenLow, Vector256<ulong> evenHigh) = Vector256.Widen(Vector256.Load(even + i));
            (Vector256<ulong> oddLow, Vector256<ulong> oddHigh) = Vector256.Widen(Vector256.Load(odd + i));
            (evenLow | (oddLow << 32)).AsUInt32().Store(destination + (2 * i));
            (evenHigh | (oddHigh << 32)).AsUInt32().Store(destination + (2 * i) + 8);
        }
        for (; i < count; i++) (destination[2 * i], destination[(2 * i) + 1]) = (even[i], odd[i]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void InterleaveWords(ushort* even, ushort* odd, ushort* destination, long count)
    {
        long i = 0;
        for (; i + 16 <= count; i += 16)
        {
            (Vector256<uint> evenLow, Vector256<uint> evenHigh) = Vector256.Widen(Vector256.Load(even + i));
            (Vector256<uint> oddLow, Vector256<uint> oddHigh) = Vector256.Widen(Vector256.Load(odd + i));
            (evenLow | (oddLow << 16)).AsUInt16().Store(destination + (2 * i));
            (evenHigh | (oddHigh << 16)).AsUInt16().Store(destination + (2 * i) + 16);
        }
        for (; i < count; i++) (destination[2 * i], destination[(2 * i) + 1]) = (even[i], odd[i]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void InterleaveBytes(byte* even, byte* odd, byte* destination, long count)
    {
        long i = 0;
        for (; i + 32 <= count; i += 32)
        {
            (Vector256<ushort> evenLow, Vector256<ushort> evenHigh) = Vector256.Widen(Vector256.Load(even + i));
            (Vector256<ushort> oddLow, Vector256<ushort> oddHigh) = Vector256.Widen(Vector256.Load(odd + i));
            (evenLow | (oddLow << 8)).AsByte().Store(destination + (2 * i));
            (evenHigh | (oddHigh << 8)).AsByte().Store(destination + (2 * i) + 32);
        }
        for (; i < count; i++) (destination[2 * i], destination[(2 * i) + 1]) = (even[i], odd[i]);
    }
}
