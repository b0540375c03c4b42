using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>Where the elements of a Bool array are that are true. Arrays have the slack of <see cref="MemoryPool"/>.</summary>
internal static unsafe class SetPositions
{
    private const int Register = 64;

    /// <summary>How many are true.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static long Count(byte* set, long size)
    {
        long count = 0;
        for (long i = 0; i < size; i += Register) count += BitOperations.PopCount(Bits(set + i, size - i));
        return count;
    }

    /// <summary>The indices of those, one number an axis, in row-major order.</summary>
    public static void Write(byte* set, ReadOnlySpan<int> shape, long* positions)
    {
        int rank = shape.Length;
        if (rank == 0) return;
        long size = 1;
        foreach (int dimension in shape) size *= dimension;
        long length = shape[^1];
        long* line = stackalloc long[rank]; // the index of the first element of a line
        new Span<long>(line, rank).Clear();
        for (long start = 0; start < size; start += length)
        {
            positions = rank switch
            {
                1 => Line1(set, length, positions),
                2 => Line2(set + start, length, line[0], positions),
                _ => Line(set + start, length, line, rank, positions),
            };
            for (int axis = rank - 2; axis >= 0; axis--)
            {
                if (++line[axis] < shape[axis]) break;
                line[axis] = 0;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long* Line1(byte* set, long length, long* positions)
    {
        for (long i = 0; i < length; i += Register)
        {
            for (ulong bits = Bits(set + i, length - i); bits != 0; bits &= bits - 1) *positions++ = i + BitOperations.TrailingZeroCount(bits);
        }
        return positions;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long* Line2(byte* set, long length, long row, long* positions)
    {
        for (long i = 0; i < length; i += Register)
        {
            for (ulong bits = Bits(set + i, length - i); bits != 0; bits &= bits - 1, positions += 2)
                (positions[0], positions[1]) = (row, i + BitOperations.TrailingZeroCount(bits));
        }
        return positions;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long* Line(byte* set, long length, long* line, int rank, long* positions)
    {
        for (long i = 0; i < length; i += Register)
        {
            for (ulong bits = Bits(set + i, length - i); bits != 0; bits &= bits - 1, positions += rank)
            {
                for (int axis = 0; axis < rank - 1; axis++) positions[axis] = line[axis];
                positions[rank - 1] = i + BitOperations.TrailingZeroCount(bits);
            }
        }
        return positions;
    }

    // Bit k says that element k is true, for as many of 64 as there are.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Bits(byte* set, long count)
    {
        ulong bits = ~Vector512.Equals(Vector512.Load(set), Vector512<byte>.Zero).ExtractMostSignificantBits();
        return count >= Register ? bits : bits & ((1UL << (int)count) - 1);
    }
}
