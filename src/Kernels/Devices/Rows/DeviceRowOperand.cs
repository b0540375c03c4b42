namespace Fusion.Kernels;

/// <summary>An operand of a row kernel: row r of the kernel reads or writes row r / Divisor % Period of it.</summary>
/// <param name="Operand">The memory from row 0 on, or a number of the host.</param>
/// <param name="RowStride">Elements from one row to the next; 0 for one row for all.</param>
/// <param name="Divisor">So many rows of the kernel in turn share a row.</param>
/// <param name="Period">After so many, the rows begin anew; 0: never.</param>
internal readonly record struct DeviceRowOperand(DeviceOperand Operand, int RowStride, int Divisor = 1, int Period = 0)
{
    /// <summary>Rows do not simply follow each other.</summary>
    public bool IsMapped => Divisor != 1 || Period != 0;
}

/// <summary>What a compiled row kernel depends on, besides the device.</summary>
/// <param name="Spec">The program.</param>
/// <param name="Group">Threads of a group.</param>
/// <param name="LanesPerThread">How many of a row's 64 lanes a thread has: neighbours, unless lanes are shuffled.</param>
/// <param name="Quads">Rows are aligned, and four elements are moved at a time.</param>
/// <param name="Chunks">A row has so many chunks of elements or less, and what several passes read stays in registers; 0: rows of any length.</param>
/// <param name="Long">A row is longer than a block of <see cref="ReduceTree"/>, and a group works on it alone.</param>
/// <param name="Mapped">Bit k: the rows of operand k are mapped.</param>
/// <param name="LongLabels">Bit k: operand k has Int64 labels.</param>
/// <param name="Full">A row has exactly so many chunks: no element needs to be tested.</param>
/// <param name="Shuffled">
/// So many threads of one warp have a row, each the lanes that are as many apart, and fold them from register to register; 0: in shared memory. Where they have
/// fewer than 64 lanes, at most four each, no row is longer: the lanes that no element is in are left out.
/// </param>
internal readonly record struct DeviceRowKey(
    RowSpec Spec, int Group, int LanesPerThread, bool Quads, int Chunks, bool Long, uint Mapped, uint LongLabels, bool Full = false, int Shuffled = 0)
{
    /// <summary>The longest row whose lanes are shuffled.</summary>
    public const int MaxShuffled = 256;

    /// <summary>The most blocks of a long row: their results lie in shared memory.</summary>
    public const int MaxBlocks = 1024;

    /// <summary>Threads that work on a row, or on a block of a long one.</summary>
    public int TeamSize => Shuffled > 0 ? Shuffled : ReduceTree.Lanes / LanesPerThread;

    /// <summary>Elements of a chunk: one of every lane.</summary>
    public int ChunkLength => TeamSize * LanesPerThread;

    public int Teams => Group / TeamSize;

    public bool IsMapped(int operand) => ((Mapped >> operand) & 1) != 0;

    public bool HasLongLabels(int operand) => ((LongLabels >> operand) & 1) != 0;
}
