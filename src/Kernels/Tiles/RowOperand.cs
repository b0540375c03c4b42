using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// An operand of a loop over rows. Row r of the loop reads row r / Divisor % Period of the operand: itself for an operand with as many rows as the loop,
/// the first one for an operand without rows (Period 1), and what broadcasting over leading or trailing axes of the rows asks for in between.
/// </summary>
internal struct RowOperand
{
    /// <summary>The address of row 0.</summary>
    public nint Data;

    /// <summary>Bytes of one element: 1, 4 or 8.</summary>
    public int ElementSize;

    /// <summary>Elements of a row: as many as the loop's rows have, or 1, which is repeated along the row.</summary>
    public long Width;

    /// <summary>Elements from one row to the next.</summary>
    public long Pitch;

    /// <summary>The kernel reads one element, at its pointer.</summary>
    public bool IsScalar;

    public long Divisor;

    public long Period;

    /// <summary>The address of a column of a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly nint At(long row, long column)
    {
        if (Divisor > 1) row /= Divisor;
        if (row >= Period) row %= Period;
        return Data + (nint)((row * Pitch + (Width > 1 ? column : 0)) * ElementSize);
    }

    /// <summary>Rows follow each other as the loop's rows do, for at least <paramref name="rows"/> rows.</summary>
    public readonly bool IsPlain(long rows) => Divisor <= 1 && Period >= rows;
}
