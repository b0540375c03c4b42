using System.Runtime.InteropServices;

namespace Fusion.Kernels;

/// <summary>
/// Sums over rows of what a kernel computes of each: rows are added up in their order within blocks, and the blocks in theirs. The bits do not depend on who
/// computes which block, nor on how many of its rows are taken at a time.
/// </summary>
internal static unsafe class RowSums
{
    /// <summary>Rows of a block.</summary>
    public const long Block = 64;

    public static long BlockCount(long rows) => (rows + Block - 1) / Block;

    /// <summary>Adds the sums of all blocks, some numbers each; zero without blocks.</summary>
    public static void Join(DType dtype, nint blocks, long count, nint sums, long numbers)
    {
        if (count == 0) NativeMemory.Clear((void*)sums, (nuint)(numbers * dtype.Size));
        else BlockFold.Of(ReduceKind.Sum, dtype == DType.Float64, rows: true).Join(blocks, count, sums, numbers);
    }
}
