using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>How far a loop over rows may write past them: whole registers are cheaper, where what follows is written later anyway.</summary>
internal enum RowEnd
{
    /// <summary>Up to 63 bytes past the last row of every output.</summary>
    Free,

    /// <summary>Up to 63 bytes past every row but the last one.</summary>
    LastExact,

    /// <summary>Nothing past any row: an output may be an input, or only some columns of its rows are this loop's.</summary>
    Exact,
}

/// <summary>Runs an element-wise kernel over a rectangle of rows and columns, row by row, or in one go where all operands are contiguous.</summary>
internal static unsafe class RowLoop
{
    private const long Grain = 16; // whole registers of any width and element type
    private const int MaxElementSize = 8;

    /// <summary>Runs <paramref name="kernel"/> over the rows [row, row + rows) and the columns [column, column + columns) of its operands.</summary>
    /// <param name="kernel">The loop; its table gets the inputs first, then the outputs.</param>
    /// <param name="operands">Inputs, then outputs; an operand of one element per row is a scalar of the kernel.</param>
    /// <param name="inputs">How many operands are read.</param>
    /// <param name="count">All operands.</param>
    /// <param name="row">The first row.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="column">The first column.</param>
    /// <param name="columns">How many columns.</param>
    /// <param name="width">Columns of a whole row.</param>
    /// <param name="end">What may be written past the rows.</param>
    [SkipLocalsInit]
    public static void Run(
        in ElementKernel kernel, RowOperand* operands, int inputs, int count, long row, long rows, long column, long columns, long width, RowEnd end)
    {
        nint* table = stackalloc nint[count];
        for (int k = 0; k < count; k++) table[k] = operands[k].At(row, column);
        if (columns == width && IsFlat(operands, count, row + rows, width))
        {
            if (end == RowEnd.Free) kernel.Invoke((nint)table, 0, rows * width);
            else Exact(kernel, table, operands, inputs, count, rows * width);
            return;
        }

        for (long r = row; r < row + rows; r++)
        {
            if (r > row)
                for (int k = 0; k < count; k++) table[k] = operands[k].At(r, column);
            if (end == RowEnd.Exact || (end == RowEnd.LastExact && r == row + rows - 1)) Exact(kernel, table, operands, inputs, count, columns);
            else kernel.Invoke((nint)table, 0, columns);
        }
    }

    // One loop over all elements: no operand is repeated along or across rows, but for single elements.
    private static bool IsFlat(RowOperand* operands, int count, long rows, long width)
    {
        if (rows == 1) return true;
        for (int k = 0; k < count; k++)
        {
            ref RowOperand operand = ref operands[k];
            bool single = operand.Width == 1 && operand.Period == 1 && width > 1;
            if (!single && (operand.Width != width || !operand.IsPlain(rows))) return false;
        }
        return true;
    }

    // What does not fill whole registers is computed beside the outputs and copied.
    [SkipLocalsInit]
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
            long offset = whole * operands[k].ElementSize;
            Unsafe.CopyBlockUnaligned((void*)(outputs[k - inputs] + (nint)offset), (void*)(table[k] + (nint)offset), (uint)((n - whole) * operands[k].ElementSize));
            table[k] = outputs[k - inputs];
        }
    }
}
