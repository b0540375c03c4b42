using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>A <see cref="RowSpec"/> as machine code of the processor, for any number and length of rows.</summary>
internal sealed unsafe class RowKernel
{
    private const long Register = 64;

    private readonly RowSpec _spec;
    private readonly RowPasses _passes;
    private readonly ElementLoop _loop;

    /// <param name="spec">What it computes.</param>
    /// <param name="passes">How.</param>
    /// <param name="loop">The method of its <see cref="RowTree"/>.</param>
    public RowKernel(RowSpec spec, RowPasses passes, ElementLoop loop)
    {
        (_spec, _passes, _loop) = (spec, passes, loop);
        Prepare();
    }

    /// <summary>Builds it for registers of a width.</summary>
    public static RowKernel Build(RowSpec spec, int width)
    {
        RowPasses passes = new(spec);
        return new RowKernel(spec, passes, KernelTree.Compile(RowTree.Build(spec, passes, width), VectorMethods.For(width, spec.Is64)));
    }

    /// <summary>The kernel as a public static C# method: see <see cref="KernelCompiler.ToCSharp(KernelSpec, string)"/>.</summary>
    public static string ToCSharp(RowSpec spec, int width, string methodName) =>
        TreePrinter.Print([KernelTree.Table, KernelTree.Start, KernelTree.End], RowTree.Build(spec, new RowPasses(spec), width), methodName);

    /// <summary>Bytes of memory of a thread's own that rows of this length need.</summary>
    public long ScratchBytes(long columns) => LaneBytes + KeptBytes(columns) * (_passes.Kept.Length + _spec.Outputs.Length);

    /// <summary>Runs over the rows [row, row + rows).</summary>
    /// <param name="operands">Inputs, outputs, sums; of inputs that are not used, anything.</param>
    /// <param name="row">The first row.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="columns">Elements of a row, at least a register of bytes.</param>
    /// <param name="spare">Rows behind these that the caller computes later: whole registers may be stored over their start.</param>
    /// <param name="scratch">Aligned to 64 bytes.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(RowOperand* operands, long row, long rows, long columns, long spare, byte* scratch)
    {
        int count = _spec.OperandCount;
        long length = 0;
        long* table = stackalloc long[2 * count + RowTable.Count];
        Fill(table + 2 * count, columns, scratch, &length);
        bool isExact = spare == 0 && columns * _spec.Type.Size % Register != 0;
        long end = row + rows - (isExact ? 1 : 0);
        while (row < end)
        {
            long next = end;
            for (int k = 0; k < count; k++) next = Math.Min(next, Bind(operands[k], row, ref table[k], ref table[count + k]));
            _loop((nint)table, 0, next - row);
            row = next;
        }

        if (isExact) RunLast(operands, table, row, columns, scratch);
    }

    // Nothing may be stored behind the last row: its outputs are computed beside and copied.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void RunLast(RowOperand* operands, long* table, long row, long columns, byte* scratch)
    {
        int count = _spec.OperandCount, inputs = _spec.Inputs.Length;
        byte* beside = scratch + LaneBytes + KeptBytes(columns) * _passes.Kept.Length;
        for (int k = 0; k < count; k++)
        {
            Bind(operands[k], row, ref table[k], ref table[count + k]);
            if (k >= inputs && k < inputs + _spec.Outputs.Length && _spec.IsElements(k)) table[k] = (nint)(beside + (k - inputs) * KeptBytes(columns));
        }

        _loop((nint)table, 0, 1);
        for (int k = inputs; k < inputs + _spec.Outputs.Length; k++)
        {
            long bytes = columns * operands[k].ElementSize;
            if (_spec.IsElements(k)) Buffer.MemoryCopy((void*)table[k], (void*)operands[k].At(row, 0), bytes, bytes);
        }
    }

    // Where the operand of a row lies, and how far the next; the result is the first row for which that is no longer so.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Bind(in RowOperand operand, long row, ref long pointer, ref long stride)
    {
        pointer = operand.At(row, 0);
        if (operand.Period == 1)
        {
            stride = 0;
            return long.MaxValue;
        }

        if (operand.Divisor > 1)
        {
            stride = 0;
            return row + operand.Divisor - row % operand.Divisor;
        }

        stride = operand.Pitch * operand.ElementSize;
        return row + operand.Period - (row < operand.Period ? row : row % operand.Period);
    }

    private long LaneBytes => (long)_passes.MostReductions * ReduceTree.Lanes * _spec.Type.Size;

    // With a register behind it that is stored over.
    private long KeptBytes(long columns) => (columns * _spec.Type.Size + Register - 1) / Register * Register + Register;

    private void Fill(long* table, long columns, byte* scratch, long* length)
    {
        if (_spec.Is64) *(double*)length = columns;
        else *(float*)length = columns;
        table[RowTable.Columns] = columns;
        table[RowTable.Length] = (long)length;
        table[RowTable.Mask] = (long)LaneTail.MaskEnd;
        table[RowTable.Ahead] = RowAhead.Distance<byte>(columns * _spec.Type.Size) > 0 ? -1 : 0;
        table[RowTable.Scratch] = (long)scratch;
        table[RowTable.KeptBytes] = KeptBytes(columns);
    }

    // A call without rows has the method jitted.
    private void Prepare()
    {
        int count = 2 * _spec.OperandCount;
        long length = 0;
        long* table = stackalloc long[count + RowTable.Count];
        new Span<long>(table, count).Clear();
        Fill(table + count, 0, null, &length);
        _loop((nint)table, 0, 0);
    }
}
