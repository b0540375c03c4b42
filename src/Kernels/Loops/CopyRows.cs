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
            for (; rows > 0; rows--, source += sourceStep, destination += step) Buffer.MemoryCopy(source, destination, bytes, bytes);
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
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void EverySecond<T>(T* source, long sourceStep, T* destination, long step, long columns, long rows)
        where T : unmanaged
    {
        int count = Register / sizeof(T);
        for (; rows > 0; rows--, source += sourceStep, destination += step)
        {
            long i = 0;
            for (; i + count <= columns; i += count) Cut(source + (2 * i)).Store(destination + i);
            if (i < columns && columns >= count) Cut(source + (2 * (i = columns - count))).Store(destination + i);
            else for (; i < columns; i++) destination[i] = source[2 * i];
        }
    }

    /// <summary>destination[2i] = even[i], destination[2i + 1] = odd[i] for elements of 1, 2 or 4 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Interleave<T>(T* even, T* odd, T* destination, long count)
        where T : unmanaged
    {
        int half = Register / 2 / sizeof(T);
        long i = 0;
        for (; i + half <= count; i += half) Join(even + i, odd + i, destination + (2 * i));
        for (; i < count; i++) (destination[2 * i], destination[(2 * i) + 1]) = (even[i], odd[i]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<T> Cut<T>(T* from)
        where T : unmanaged
    {
        byte* low = (byte*)from, high = low + Register;
        return sizeof(T) switch
        {
            1 => Vector512.Narrow(Vector512.Load((ushort*)low), Vector512.Load((ushort*)high)).As<byte, T>(),
            2 => Vector512.Narrow(Vector512.Load((uint*)low), Vector512.Load((uint*)high)).As<ushort, T>(),
            _ => Vector512.Narrow(Vector512.Load((ulong*)low), Vector512.Load((ulong*)high)).As<uint, T>(),
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Join<T>(T* even, T* odd, T* destination)
        where T : unmanaged
    {
        Vector256<byte> low, high;
        if (sizeof(T) == 1)
        {
            (Vector256<ushort> evenLow, Vector256<ushort> evenHigh) = Vector256.Widen(Vector256.Load((byte*)even));
            (Vector256<ushort> oddLow, Vector256<ushort> oddHigh) = Vector256.Widen(Vector256.Load((byte*)odd));
            (low, high) = ((evenLow | (oddLow << 8)).AsByte(), (evenHigh | (oddHigh << 8)).AsByte());
        }
        else if (sizeof(T) == 2)
        {
            (Vector256<uint> evenLow, Vector256<uint> evenHigh) = Vector256.Widen(Vector256.Load((ushort*)even));
            (Vector256<uint> oddLow, Vector256<uint> oddHigh) = Vector256.Widen(Vector256.Load((ushort*)odd));
            (low, high) = ((evenLow | (oddLow << 16)).AsByte(), (evenHigh | (oddHigh << 16)).AsByte());
        }
        else
        {
            (Vector256<ulong> evenLow, Vector256<ulong> evenHigh) = Vector256.Widen(Vector256.Load((uint*)even));
            (Vector256<ulong> oddLow, Vector256<ulong> oddHigh) = Vector256.Widen(Vector256.Load((uint*)odd));
            (low, high) = ((evenLow | (oddLow << 32)).AsByte(), (evenHigh | (oddHigh << 32)).AsByte());
        }

        low.Store((byte*)destination);
        high.Store((byte*)destination + (Register / 2));
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
}
