using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>Writes out the rows of an operand that repeats elements or rows.</summary>
internal static unsafe class RowExpansion
{
    private const long Register = 64;

    /// <summary>
    /// Writes <paramref name="rows"/> rows of <paramref name="width"/> elements to <paramref name="destination"/>, one after the other, and up to 63 bytes
    /// past them. Returns the operand that reads them.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static RowOperand Expand(in RowOperand operand, long row, long rows, long width, byte* destination)
    {
        long bytes = width * operand.ElementSize;
        byte* to = destination;
        for (long r = row; r < row + rows; r++, to += bytes)
        {
            // Whole registers; what a row writes too much, the next one overwrites.
            byte* from = (byte*)operand.At(r, 0);
            if (operand.Width > 1)
            {
                for (long i = 0; i < bytes; i += Register) Vector512.Load(from + i).Store(to + i);
                continue;
            }

            Vector512<byte> value = operand.ElementSize switch
            {
                1 => Vector512.Create(*from),
                2 => Vector512.Create(*(ushort*)from).AsByte(),
                4 => Vector512.Create(*(uint*)from).AsByte(),
                _ => Vector512.Create(*(ulong*)from).AsByte(),
            };
            for (long i = 0; i < bytes; i += Register) value.Store(to + i);
        }

        nint data = (nint)destination - (nint)(row * bytes);
        return new RowOperand { Data = data, ElementSize = operand.ElementSize, Width = width, Pitch = width, Divisor = 1, Period = row + rows };
    }
}
