using System.Runtime.CompilerServices;
using Fusion.Kernels;

namespace Fusion;

/// <summary>Some rows of a launch by rows, on one thread.</summary>
internal unsafe struct Tile
{
    /// <summary>The addresses of the arrays of the launch.</summary>
    public nint* Arrays;

    /// <summary>Memory of this thread for what passes between the parts.</summary>
    public byte* Scratch;

    public long Row;

    public long Rows;

    /// <summary>So many rows follow that this thread computes next.</summary>
    public long Spare;

    /// <summary>The sums of all blocks of rows.</summary>
    public byte* Sums;
}

/// <summary>Where a part of a tile finds a value: in an array of the launch, or in scratch memory, which holds the rows of one tile.</summary>
/// <param name="Array">The index of the array; negative: scratch.</param>
/// <param name="Scratch">Bytes from the start of the scratch memory.</param>
/// <param name="Access">Which rows are read.</param>
/// <param name="DType">The element type.</param>
/// <param name="IsScalar">A kernel reads one element.</param>
internal readonly record struct TileOperand(int Array, long Scratch, RowAccess Access, DType DType, bool IsScalar = false)
{
    public unsafe RowOperand In(in Tile tile)
    {
        nint data = Array >= 0 ? tile.Arrays[Array] : (nint)(tile.Scratch + Scratch - tile.Row * Access.Width * DType.Size);
        return Access.At(data, DType, IsScalar);
    }
}

/// <summary>A step of every tile.</summary>
internal abstract class TilePart(TileOperand[] operands)
{
    /// <summary>Inputs, then outputs.</summary>
    protected TileOperand[] Operands => operands;

    /// <summary>Before the first tile of some.</summary>
    public virtual void Begin(in Tile tile)
    {
    }

    public abstract void Run(in Tile tile);
}

/// <summary>
/// An element-wise kernel, on whole rows or on one element a row. Operands with a place in the scratch memory are first written out there as whole rows,
/// so that one run of the kernel serves the tile.
/// </summary>
internal sealed unsafe class KernelPart(LoweredKernel kernel, TileOperand[] operands, long[] expanded, long width) : TilePart(operands)
{
    private readonly ElementKernel _loop = kernel.Compile();
    private readonly int _inputs = kernel.Inputs.Length;

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(in Tile tile)
    {
        int count = Operands.Length;
        RowOperand* bound = stackalloc RowOperand[count];
        for (int i = 0; i < count; i++)
        {
            bound[i] = Operands[i].In(tile);
            if (expanded[i] >= 0) bound[i] = RowExpansion.Expand(bound[i], tile.Row, tile.Rows, width, tile.Scratch + expanded[i]);
        }

        RowLoop.Run(_loop, bound, _inputs, count, tile.Row, tile.Rows, 0, width, width, tile.Spare);
    }
}

/// <summary>
/// A library call on contiguous rows. Operands with a place in the scratch memory, of which one element serves several rows or whose rows lie apart, are first
/// written out there.
/// </summary>
internal abstract unsafe class LibraryPart(TileOperand[] operands, long[] expanded) : TilePart(operands)
{
    protected DType[] Types { get; } = Array.ConvertAll(operands, static o => o.DType);

    /// <summary>The addresses of the operands' rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected void Bind(in Tile tile, nint* data)
    {
        for (int i = 0; i < Operands.Length; i++)
        {
            RowOperand operand = Operands[i].In(tile);
            if (expanded[i] >= 0) operand = RowExpansion.Expand(operand, tile.Row, tile.Rows, operand.Width, tile.Scratch + expanded[i]);
            data[i] = operand.At(tile.Row, 0);
        }
    }
}

/// <summary>A call that computes rows.</summary>
internal sealed unsafe class CallPart(OpNode node, TileOperand[] operands, long[] expanded, long columns) : LibraryPart(operands, expanded)
{
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(in Tile tile)
    {
        nint* data = stackalloc nint[Operands.Length];
        Bind(tile, data);
        node.Op.Rows!.Run(data, Types, node.Attributes, tile.Rows, columns);
    }
}

/// <summary>A call that sums over rows: it takes those of the tile, all of one block.</summary>
internal sealed unsafe class SumPart(OpNode node, TileOperand[] operands, long[] expanded, RowSumPlace place, long columns) : LibraryPart(operands, expanded)
{
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(in Tile tile)
    {
        nint* data = stackalloc nint[Operands.Length + 1];
        Bind(tile, data);
        data[Operands.Length] = (nint)place.Of(tile);
        node.Op.Sums!.Take(data, Types, node.Attributes, tile.Rows, columns);
    }
}

/// <summary>
/// Kernels, calls that compute rows and calls that sum over them, in one kernel. A vector that all rows read is copied to its place in the scratch memory first, if that is
/// worth it (see <see cref="RowVectors"/>).
/// </summary>
internal sealed unsafe class ProgramPart(RowKernel kernel, TileOperand[] operands, long[] aligned, RowSumPlace[] sums, long columns, long scratch) : TilePart(operands)
{
    private readonly int _count = operands.Length + sums.Sum(p => (int)(p.Size / columns));

    public override void Begin(in Tile tile)
    {
        for (int k = 0; k < Operands.Length; k++)
        {
            if (aligned[k] < 0) continue;
            RowOperand vector = Operands[k].In(tile);
            if (!RowVectors.IsAligned(vector.Data)) RowVectors.Copy(vector.Data, vector.Width * vector.ElementSize, tile.Scratch + aligned[k]);
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(in Tile tile)
    {
        RowOperand* bound = stackalloc RowOperand[_count];
        int k = 0;
        foreach (TileOperand operand in Operands)
        {
            bound[k] = operand.In(tile);
            if (aligned[k] >= 0 && !RowVectors.IsAligned(bound[k].Data)) bound[k].Data = (nint)(tile.Scratch + aligned[k]);
            k++;
        }

        foreach (RowSumPlace place in sums)
        {
            byte* row = place.Of(tile);
            for (long done = 0; done < place.Size; done += columns, row += columns * place.DType.Size)
                bound[k++] = new RowAccess(columns, 1, 1).At((nint)row, place.DType, false);
        }

        kernel.Run(bound, tile.Row, tile.Rows, columns, tile.Spare, tile.Scratch + scratch);
    }
}

/// <summary>Where sums over rows are added up, those of each block of rows.</summary>
/// <param name="Offset">Bytes from the start of the memory for sums.</param>
/// <param name="DType">The element type.</param>
/// <param name="Size">Numbers of a block.</param>
/// <param name="Result">The array of the launch that they become.</param>
internal sealed record RowSumPlace(long Offset, DType DType, long Size, int Result)
{
    public long Bytes => Size * DType.Size;

    /// <summary>The sums of the tile's block, zero at its start.</summary>
    public unsafe byte* Of(in Tile tile)
    {
        byte* sums = tile.Sums + Offset + tile.Row / RowSums.Block * Bytes;
        if (tile.Row % RowSums.Block == 0) new Span<byte>(sums, checked((int)Bytes)).Clear();
        return sums;
    }

    /// <summary>Adds up the blocks, when all tiles are done.</summary>
    public unsafe void Join(nint* arrays, byte* sums, long blocks) => RowSums.Join(DType, (nint)(sums + Offset), blocks, arrays[Result], Size);
}
