using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>How an operand's elements are brought into flat order.</summary>
internal enum OperandAccess
{
    /// <summary>They are: the pointer is used as it is.</summary>
    Direct,

    /// <summary>The flat sequence repeats with a short period: one stretch of it is written out once, and pointed into at the right phase.</summary>
    Periodic,

    /// <summary>Gathered for each chunk, unless the chunk lies within one contiguous run.</summary>
    Gathered,

    /// <summary>A result that is a part of a larger array: each chunk is computed in scratch memory and copied to its places.</summary>
    Scattered,
}

/// <summary>An operand over the merged axes of a <see cref="DriverPlan"/>.</summary>
internal unsafe struct OperandMap
{
    public nint Data;
    public long* Strides; // innermost first
    public int ElementSize;
    public OperandAccess Access;
    public long Period;
    public int ScratchOffset;
}

/// <summary>
/// One loop over operands that are not all contiguous: the iteration space with axes merged where all operands allow it, innermost axis first,
/// and for each operand how to bring it into flat order. Lives on the caller's stack; threads share it and change nothing.
/// </summary>
internal unsafe struct DriverPlan
{
    private const int MaxPeriod = 2048;
    private const int ScratchGap = 128; // gathers write up to a register past their end

    public void* Kernel; // an ElementKernel on the caller's stack
    public OperandMap* Maps;
    public int Operands;
    public int Inputs; // the first of the operands
    public long* Dimensions;
    public int Rank;
    public long Size;
    public long Chunk;
    public long Piece;
    private int _scratchBytes;

    /// <summary>Merges axes and chooses the access of each operand. <paramref name="strides"/> has room for rank values an operand.</summary>
    public void Build(Operand* operands, ReadOnlySpan<int> shape, long* strides)
    {
        for (int k = 0; k < Operands; k++)
        {
            Maps[k] = new OperandMap { Data = operands[k].Data, ElementSize = operands[k].ElementSize, Strides = strides + (k * shape.Length) };
        }
        Merge(operands, shape);

        int gathered = 0;
        for (int k = 0; k < Operands; k++)
        {
            ref OperandMap map = ref Maps[k];
            map.Access = operands[k].IsScalar || operands[k].Strides == null || IsFlat(map.Strides) ? OperandAccess.Direct
                : k < Inputs ? Classify(ref map) : OperandAccess.Scattered;
            if (map.Access != OperandAccess.Direct) gathered++;
        }
        // Gathered stretches and the contiguous operands beside them are to stay in the first-level cache (32 KB or more).
        Chunk = Math.Min(gathered > 2 ? 1024 : 2048, (Size + 63) & ~63);
        for (int k = 0; k < Operands; k++)
        {
            ref OperandMap map = ref Maps[k];
            if (map.Access == OperandAccess.Direct) continue;
            map.ScratchOffset = _scratchBytes;
            long bytes = (Chunk + map.Period) * map.ElementSize;
            _scratchBytes += (((int)bytes + 63) & ~63) + ScratchGap;
        }
    }

    /// <summary>The flat elements [start, end); start is a multiple of <see cref="Chunk"/>.</summary>
    [SkipLocalsInit]
    public readonly void Run(long start, long end)
    {
        using var memory = new NativeScratch(_scratchBytes);
        byte* scratch = memory.Pointer;
        nint* table = stackalloc nint[Operands];
        for (int k = 0; k < Operands; k++)
        {
            ref OperandMap map = ref Maps[k];
            table[k] = map.Data;
            if (map.Access == OperandAccess.Periodic) DriverGather.Unroll(map, Dimensions, Rank, Math.Min(Chunk, end - start), scratch + map.ScratchOffset);
        }
        for (long from = start; from < end; from += Chunk)
        {
            long to = Math.Min(from + Chunk, end);
            for (int k = 0; k < Operands; k++)
            {
                ref OperandMap map = ref Maps[k];
                if (map.Access == OperandAccess.Direct) continue;
                byte* first = map.Access switch
                {
                    OperandAccess.Periodic => scratch + map.ScratchOffset + (from % map.Period * map.ElementSize),
                    OperandAccess.Gathered => DriverGather.Stretch(map, Dimensions, Rank, from, to - from, scratch + map.ScratchOffset),
                    _ => scratch + map.ScratchOffset,
                };
                table[k] = (nint)(first - (from * map.ElementSize)); // the kernel adds the flat index
            }
            Unsafe.AsRef<ElementKernel>(Kernel).Invoke((nint)table, from, to);
            for (int k = Inputs; k < Operands; k++)
                if (Maps[k].Access == OperandAccess.Scattered) DriverScatter.Stretch(Maps[k], Dimensions, Rank, from, to - from, scratch + Maps[k].ScratchOffset);
        }
    }

    // Axis d joins the one inside it when, for every operand, a step of d is as far as a whole run of the inner axis. Axes of size 1 vanish.
    private void Merge(Operand* operands, ReadOnlySpan<int> shape)
    {
        long contiguous = 1; // the stride of a contiguous operand
        for (int axis = shape.Length - 1; axis >= 0; axis--)
        {
            long size = shape[axis];
            if (size == 1) continue;
            bool joins = Rank > 0;
            for (int k = 0; k < Operands; k++)
            {
                long stride = operands[k].IsScalar ? 0 : operands[k].Strides == null ? contiguous : operands[k].Strides[axis];
                Maps[k].Strides[Rank] = stride;
                joins = joins && stride == Maps[k].Strides[Rank - 1] * Dimensions[Rank - 1];
            }
            if (joins) Dimensions[Rank - 1] *= size;
            else Dimensions[Rank++] = size;
            contiguous *= size;
        }
    }

    private readonly bool IsFlat(long* strides)
    {
        long expected = 1;
        for (int d = 0; d < Rank; d++)
        {
            if (strides[d] != expected) return false;
            expected *= Dimensions[d];
        }
        return true;
    }

    private readonly OperandAccess Classify(ref OperandMap map)
    {
        int inner = Rank;
        while (inner > 0 && map.Strides[inner - 1] == 0) inner--;
        long period = 1;
        for (int d = 0; d < inner; d++) period *= Dimensions[d];
        if (inner == Rank || period > MaxPeriod) return OperandAccess.Gathered;
        map.Period = period;
        return OperandAccess.Periodic;
    }
}
