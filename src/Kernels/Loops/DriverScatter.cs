using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>Writes contiguous memory to stretches of the flat sequence of a strided result. Writes are exact: other arrays' elements lie between its own.</summary>
internal static unsafe class DriverScatter
{
    /// <summary>Writes <paramref name="count"/> elements from flat index <paramref name="start"/> on.</summary>
    public static void Stretch(in OperandMap map, long* dimensions, int rank, long start, long count, byte* source)
    {
        switch (map.ElementSize)
        {
            case 1: Stretch(source, map, dimensions, rank, start, count); break;
            case 2: Stretch((ushort*)source, map, dimensions, rank, start, count); break;
            case 4: Stretch((uint*)source, map, dimensions, rank, start, count); break;
            default: Stretch((ulong*)source, map, dimensions, rank, start, count); break;
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Stretch<T>(T* source, in OperandMap map, long* dimensions, int rank, long start, long count)
        where T : unmanaged
    {
        long* index = stackalloc long[rank];
        long* strides = map.Strides;
        T* destination = (T*)map.Data;
        long rest = start;
        for (int d = 0; d < rank; d++)
        {
            (rest, index[d]) = Math.DivRem(rest, dimensions[d]);
            destination += index[d] * strides[d];
        }

        while (count > 0)
        {
            long length = Math.Min(dimensions[0] - index[0], count);
            if (strides[0] == 1) Run((byte*)source, (byte*)destination, length * sizeof(T));
            else for (long i = 0; i < length; i++) destination[i * strides[0]] = source[i];
            source += length;
            count -= length;
            destination -= index[0] * strides[0];
            index[0] = 0;
            for (int d = 1; d < rank; d++)
            {
                destination += strides[d];
                if (++index[d] < dimensions[d]) break;
                destination -= dimensions[d] * strides[d];
                index[d] = 0;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Run(byte* source, byte* destination, long bytes)
    {
        const long Register = 64;
        if (bytes > 16 * Register)
        {
            Buffer.MemoryCopy(source, destination, bytes, bytes);
            return;
        }

        long i = 0;
        for (; i + Register <= bytes; i += Register) Vector512.Load(source + i).Store(destination + i);
        if (i < bytes) Unsafe.CopyBlockUnaligned(destination + i, source + i, (uint)(bytes - i));
    }
}
