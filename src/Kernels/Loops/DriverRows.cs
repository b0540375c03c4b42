using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// A loop over operands whose rows are long and lie contiguously or repeat one element, such as slices and what broadcasts along an axis: the
/// kernel runs on each row where it lies, and nothing is gathered.
/// </summary>
/// <remarks>
/// What a kernel writes past the end of a row, in whole registers, is the beginning of the next one, which the same thread computes next; only the
/// last row of a thread goes through scratch memory: of what lies behind an array only the rest of its own last register is free.
/// </remarks>
internal unsafe struct DriverRows
{
    private const long LeastRow = 128; // elements; below, calls cost more than gathering
    private const long MostTile = 4096;
    private const int Gap = 128; // kernels write up to a register past their end

    private readonly DriverPlan* _plan;
    private readonly void* _kernel; // an ElementKernel on the caller's stack
    private readonly int _inputs;
    private readonly uint _filled; // operands that are spread over scratch memory, a bit each
    private readonly long _tiles;
    private readonly bool _isWhole; // rows end with a register

    /// <summary>What can be done independently: tiles of rows.</summary>
    public readonly long Units;

    /// <summary>Units of one job.</summary>
    public long Piece;

    private DriverRows(DriverPlan* plan, ref ElementKernel kernel, int inputs, uint filled)
    {
        _plan = plan;
        _kernel = Unsafe.AsPointer(ref kernel);
        _inputs = inputs;
        _filled = filled;
        long columns = plan->Dimensions[0];
        _tiles = (columns + MostTile - 1) / MostTile;
        _isWhole = columns % 64 == 0;
        Units = plan->Size / columns * _tiles;
    }

    /// <summary>Elements of a unit, roughly.</summary>
    public readonly long Tile => Math.Min(MostTile, _plan->Dimensions[0]);

    /// <summary>
    /// Whether the rows of a plan that is built can be taken as they lie; <paramref name="kernel"/> then reads operands that repeat an element along
    /// rows once a row, if it can.
    /// </summary>
    public static bool TryMake(DriverPlan* plan, ref ElementKernel kernel, int inputs, Operand* operands, out DriverRows rows)
    {
        rows = default;
        if (plan->Rank < 2 || plan->Dimensions[0] < LeastRow || plan->Operands > 32) return false;
        uint repeated = 0;
        for (int k = 0; k < inputs; k++)
        {
            long stride = plan->Maps[k].Strides[0];
            if (stride is not (0 or 1) || Overlaps(plan, inputs, k)) return false;
            if (stride == 0 && !operands[k].IsScalar) repeated |= 1u << k;
        }
        for (int k = inputs; k < plan->Operands; k++)
        {
            // Between the rows of such a result others lie: only whole registers.
            if (plan->Maps[k].Access == OperandAccess.Scattered && (plan->Maps[k].Strides[0] != 1 || plan->Dimensions[0] % 64 != 0)) return false;
        }
        if (kernel.TakesScalars) kernel = kernel.WithScalars((int)repeated);
        rows = new DriverRows(plan, ref kernel, inputs, kernel.TakesScalars ? 0 : repeated);
        return true;
    }

    /// <summary>The units [begin, end).</summary>
    [SkipLocalsInit]
    public readonly void Run(long begin, long end)
    {
        int count = _plan->Operands, rank = _plan->Rank;
        long* dimensions = _plan->Dimensions;
        long slot = (Tile * 8) + Gap;
        using var memory = new NativeScratch(slot * count);
        byte* scratch = memory.Pointer;
        nint* table = stackalloc nint[count], origin = stackalloc nint[count], step = stackalloc nint[count];
        long* index = stackalloc long[rank];
        (long rest, long tile) = Math.DivRem(begin, _tiles);
        for (int d = 1; d < rank; d++) (rest, index[d]) = Math.DivRem(rest, dimensions[d]);
        for (int k = 0; k < count; k++)
        {
            origin[k] = _plan->Maps[k].Data;
            step[k] = (nint)(_plan->Maps[k].Strides[1] * _plan->Maps[k].ElementSize);
            for (int d = 1; d < rank; d++) origin[k] += (nint)(index[d] * _plan->Maps[k].Strides[d] * _plan->Maps[k].ElementSize);
        }
        for (long unit = begin; unit < end; unit++)
        {
            bool spills = !_isWhole && unit == end - 1;
            if (_tiles == 1 && _filled == 0 && !spills)
            {
                Unsafe.AsRef<ElementKernel>(_kernel).Invoke((nint)origin, 0, dimensions[0]);
                Next(origin, step, index);
                continue;
            }

            long first = tile * MostTile, length = Math.Min(MostTile, dimensions[0] - first);
            for (int k = 0; k < count; k++)
            {
                ref OperandMap map = ref _plan->Maps[k];
                if ((_filled >> k & 1) != 0)
                {
                    table[k] = (nint)(scratch + (slot * k));
                    DriverGather.Repeat((byte*)origin[k], map.ElementSize, length, (byte*)table[k]);
                }
                else
                {
                    table[k] = spills && k >= _inputs ? (nint)(scratch + (slot * k)) : origin[k] + (nint)(first * map.Strides[0] * map.ElementSize);
                }
            }
            Unsafe.AsRef<ElementKernel>(_kernel).Invoke((nint)table, 0, length);
            for (int k = _inputs; spills && k < count; k++)
            {
                long bytes = length * _plan->Maps[k].ElementSize;
                Buffer.MemoryCopy((byte*)table[k], (byte*)origin[k] + (first * _plan->Maps[k].ElementSize), bytes, bytes);
            }
            if (++tile < _tiles) continue;
            tile = 0;
            Next(origin, step, index);
        }
    }

    // To the next row: nearly always a step of the innermost outer axis.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void Next(nint* origin, nint* step, long* index)
    {
        if (index[1] + 1 == _plan->Dimensions[1])
        {
            Carry(origin, index);
            return;
        }

        index[1]++;
        for (int k = 0; k < _plan->Operands; k++) origin[k] += step[k];
    }

    private readonly void Carry(nint* origin, long* index)
    {
        for (int d = 1; d < _plan->Rank; d++)
        {
            bool carries = ++index[d] == _plan->Dimensions[d];
            long steps = carries ? 1 - index[d] : 1;
            for (int k = 0; k < _plan->Operands; k++) origin[k] += (nint)(steps * _plan->Maps[k].Strides[d] * _plan->Maps[k].ElementSize);
            if (!carries) return;
            index[d] = 0;
        }
    }

    // A result in the place of an operand: the register past a row would spoil the next one's input.
    private static bool Overlaps(DriverPlan* plan, int inputs, int k)
    {
        for (int o = inputs; o < plan->Operands; o++)
        {
            ref OperandMap output = ref plan->Maps[o];
            if (output.Access != OperandAccess.Scattered && plan->Maps[k].Data >= output.Data && plan->Maps[k].Data < output.Data + (nint)(plan->Size * output.ElementSize)) return true;
        }
        return false;
    }
}
