using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>Writes stretches of a strided operand's flat sequence to contiguous memory, or finds that they are contiguous where they lie.</summary>
/// <remarks>Reads up to 63 bytes past the operand's last element and writes up to 63 past the stretch.</remarks>
internal static unsafe class DriverGather
{
    /// <summary>
    /// The address of <paramref name="count"/> elements from flat index <paramref name="start"/>: in place, or gathered into <paramref name="scratch"/>.
    /// </summary>
    public static byte* Stretch(in OperandMap map, long* dimensions, int rank, long start, long count, byte* scratch)
    {
        if (map.Strides[0] == 1)
        {
            long within = start % dimensions[0];
            if (within + count <= dimensions[0])
            {
                long offset = within;
                long rest = start / dimensions[0];
                for (int d = 1; d < rank; d++)
                {
                    (rest, long index) = Math.DivRem(rest, dimensions[d]);
                    offset += index * map.Strides[d];
                }
                return (byte*)map.Data + (offset * map.ElementSize);
            }
        }
        Gather(map, dimensions, rank, start, count, scratch);
        return scratch;
    }

    /// <summary>
    /// Writes a periodic operand's sequence from flat index 0: <paramref name="length"/> elements and a period more, so that a stretch fits at any phase.
    /// </summary>
    public static void Unroll(in OperandMap map, long* dimensions, int rank, long length, byte* scratch)
    {
        Gather(map, dimensions, rank, 0, map.Period, scratch);
        long total = (length + map.Period) * map.ElementSize;
        for (long done = map.Period * map.ElementSize; done < total;)
        {
            long more = Math.Min(done, total - done); // doubles each time
            Buffer.MemoryCopy(scratch, scratch + done, more, more);
            done += more;
        }
    }

    /// <summary>Writes one element <paramref name="count"/> times.</summary>
    public static void Repeat(byte* source, int elementSize, long count, byte* destination)
    {
        switch (elementSize)
        {
            case 1: CopyRows(source, 0, count, 0, 1, destination); break;
            case 2: CopyRows((ushort*)source, 0, count, 0, 1, (ushort*)destination); break;
            case 4: CopyRows((uint*)source, 0, count, 0, 1, (uint*)destination); break;
            default: CopyRows((ulong*)source, 0, count, 0, 1, (ulong*)destination); break;
        }
    }

    private static void Gather(in OperandMap map, long* dimensions, int rank, long start, long count, byte* destination)
    {
        switch (map.ElementSize)
        {
            case 1: Gather((byte*)map.Data, map.Strides, dimensions, rank, start, count, destination); break;
            case 2: Gather((ushort*)map.Data, map.Strides, dimensions, rank, start, count, (ushort*)destination); break;
            case 4: Gather((uint*)map.Data, map.Strides, dimensions, rank, start, count, (uint*)destination); break;
            default: Gather((ulong*)map.Data, map.Strides, dimensions, rank, start, count, (ulong*)destination); break;
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gather<T>(T* source, long* strides, long* dimensions, int rank, long start, long count, T* destination)
        where T : unmanaged
    {
        long* index = stackalloc long[rank];
        long rest = start;
        for (int d = 0; d < rank; d++)
        {
            (rest, index[d]) = Math.DivRem(rest, dimensions[d]);
            source += index[d] * strides[d];
        }
        long run = dimensions[0];
        while (count > 0)
        {
            int carry;
            if (rank > 1 && index[0] == 0 && count >= run)
            {
                long rows = Math.Min(dimensions[1] - index[1], count / run);
                CopyRows(source, strides[0], run, strides[1], rows, destination);
                destination += rows * run;
                count -= rows * run;
                source += (rows - 1) * strides[1];
                index[1] += rows - 1;
                carry = 1;
            }
            else
            {
                long length = Math.Min(run - index[0], count);
                CopyRows(source, strides[0], length, 0, 1, destination);
                destination += length;
                count -= length;
                source -= index[0] * strides[0];
                index[0] = 0;
                carry = 1;
            }
            for (; carry < rank; carry++)
            {
                source += strides[carry];
                if (++index[carry] < dimensions[carry]) break;
                source -= dimensions[carry] * strides[carry];
                index[carry] = 0;
            }
        }
    }

    /// <summary><paramref name="rows"/> runs of <paramref name="length"/> elements, <paramref name="rowStride"/> apart, one after the other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyRows<T>(T* source, long stride, long length, long rowStride, long rows, T* destination)
        where T : unmanaged
    {
        const long Register = 64;
        long bytes = length * sizeof(T);
        for (long row = 0; row < rows; row++, source += rowStride, destination += length)
        {
            // Whole registers; what a run writes too much, the next one overwrites.
            if (stride == 1)
            {
                if (bytes > 16 * Register) Buffer.MemoryCopy(source, destination, bytes, bytes);
                else for (long i = 0; i < bytes; i += Register) Vector512.Load((byte*)source + i).Store((byte*)destination + i);
            }
            else if (stride == 0)
            {
                Vector512<byte> value = Vector512.Create(*source).AsByte();
                for (long i = 0; i < bytes; i += Register) value.Store((byte*)destination + i);
            }
            else
            {
                CopyStrided(source, stride, length, destination);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyStrided<T>(T* source, long stride, long length, T* destination)
        where T : unmanaged
    {
        long i = 0;
        for (; i + 4 <= length; i += 4, source += 4 * stride)
        {
            T a = source[0], b = source[stride], c = source[2 * stride], d = source[3 * stride];
            destination[i] = a;
            destination[i + 1] = b;
            destination[i + 2] = c;
            destination[i + 3] = d;
        }
        for (; i < length; i++, source += stride) destination[i] = *source;
    }
}
