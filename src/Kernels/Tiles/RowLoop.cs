using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Runs an element-wise kernel over a rectangle of rows and columns, row by row, or in one go where all operands are contiguous.</summary>
internal static unsafe class RowLoop
{
    private const long Grain = 16; // whole registers of any width and element type
    private const int MaxElementSize = 8;
    private const long Register = 64;

    /// <summary>For <c>spare</c>: nothing may be written past any row: an output is an input, or only some columns of the rows are this loop's.</summary>
    public const long Nothing = -1;

    /// <summary>Runs <paramref name="kernel"/> over the rows [row, row + rows) and the columns [column, column + columns) of its operands.</summary>
    /// <param name="kernel">The loop; its table gets the inputs first, then the outputs.</param>
    /// <param name="operands">Inputs, then outputs.</param>
    /// <param name="inputs">How many operands are read.</param>
    /// <param name="count">All operands.</param>
    /// <param name="row">The first row.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="column">The first column.</param>
    /// <param name="columns">How many columns.</param>
    /// <param name="width">Columns of a whole row.</param>
    /// <param name="spare">So many rows after these are written later, so that whole registers may be stored over them; or <see cref="Nothing"/>.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(
        in ElementKernel kernel, RowOperand* operands, int inputs, int count, long row, long rows, long column, long columns, long width, long spare)
    {
        nint* table = stackalloc nint[count];
        for (int k = 0; k < count; k++) table[k] = operands[k].At(row, column);
        long least = long.MaxValue; // bytes of a row of the narrowest output
        for (int k = inputs; k < count; k++) least = Math.Min(least, operands[k].Width * operands[k].ElementSize);
        if (columns == width && IsFlat(operands, count, row + rows, width))
        {
            if (spare * least >= Register) kernel.Invoke((nint)table, 0, rows * width);
            else Exact(kernel, table, operands, inputs, count, rows * width);
            return;
        }

        for (long r = row; r < row + rows; r++)
        {
            if (r > row)
                for (int k = 0; k < count; k++) table[k] = operands[k].At(r, column);
            if (spare >= 0 && (spare + row + rows - 1 - r) * least >= Register) kernel.Invoke((nint)table, 0, columns);
            else Exact(kernel, table, operands, inputs, count, columns);
        }
    }

    // One loop over all elements: no operand is repeated along or across rows, but for single elements.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool IsFlat(RowOperand* operands, int count, long rows, long width)
    {
        if (rows == 1) return true;
        for (int k = 0; k < count; k++)
        {
            ref RowOperand operand = ref operands[k];
            if (operand.IsScalar ? operand.Period > 1 : operand.Width != width || operand.Pitch != width || !operand.IsPlain(rows)) return false;
        }
        return true;
    }

    // What does not fill whole registers is computed beside the outputs and copied.
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Exact(in ElementKernel kernel, nint* table, RowOperand* operands, int inputs, int count, long n)
    {
        long whole = n & ~(Grain - 1);
        if (whole > 0) kernel.Invoke((nint)table, 0, whole);
        if (whole == n) return;
        byte* tail = stackalloc byte[(count - inputs) * (int)Grain * MaxElementSize];
        nint* outputs = stackalloc nint[count - inputs];
        for (int k = inputs; k < count; k++)
        {
            outputs[k - inputs] = table[k];
            table[k] = (nint)(tail + (k - inputs) * Grain * MaxElementSize) - (nint)(whole * operands[k].ElementSize);
        }

        kernel.Invoke((nint)table, whole, n);
        for (int k = inputs; k < count; k++)
        {
            int size = operands[k].ElementSize;
            nint offset = (nint)(whole * size);
            Unsafe.CopyBlockUnaligned((void*)(outputs[k - inputs] + offset), (void*)(table[k] + offset), (uint)((n - whole) * size));
            table[k] = outputs[k - inputs];
        }
    }
}
