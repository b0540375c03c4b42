using System.Numerics;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>Row programs on devices: with the bits of the processor's row kernels, for every device and grid.</summary>
internal static class DeviceRows
{
    private const int MaxGroup = 256, Quad = 4;

    // Up to this length rows are for few threads each, and up to this one they stay in registers.
    private const int ShortRow = 256, KeptRow = 1024;

    // A program of more operators is bound by arithmetic, and its kernel would be too long if it were repeated for many elements.
    public const int LightProgram = 120;

    // With so many threads on each multiprocessor, more on a row gain nothing.
    private const int ThreadsPerMultiprocessor = 1024;

    private static readonly DeviceKernelCache<DeviceRowKey, DeviceRowKernel> s_kernels = new(static (accelerator, key) => new DeviceRowKernel(accelerator, key));

    /// <summary>The longest row that one kernel works on. Longer ones are computed step by step: see <see cref="DeviceLongRows"/>.</summary>
    public const int MaxLength = ReduceTree.Block * DeviceRowKey.MaxBlocks;

    // The grid's next row is still an int.
    private const int MaxRows = int.MaxValue - (1 << 24);

    /// <summary>Kernels compiled so far in this process.</summary>
    public static int CompileCount => s_kernels.CompileCount;

    /// <summary>Queues a program over so many rows; of empty rows nothing is written. Operands: the inputs, then the outputs.</summary>
    /// <exception cref="ArgumentException">An operand's type is not the program's.</exception>
    /// <exception cref="DeviceException">Rows or arrays are too long.</exception>
    public static void Run(GpuDevice device, RowSpec spec, ReadOnlySpan<DeviceRowOperand> operands, int rows, int length)
    {
        Check(spec, operands, rows, length);
        if (rows == 0 || length == 0) return;
        if (length > MaxLength)
        {
            DeviceLongRows.Run(device, spec, operands, rows, length);
            return;
        }

        DeviceRowKernel kernel = Kernel(device, Key(device, spec, operands, rows, length));
        using (device.Enter())
        {
            Fill(kernel.Arguments, spec, operands, rows, length);
            kernel.Launch(device, rows);
        }

        foreach (DeviceRowOperand operand in operands) GC.KeepAlive(operand.Operand.Block);
    }

    /// <summary>The kernel, from the cache or compiled now.</summary>
    public static DeviceRowKernel Kernel(GpuDevice device, DeviceRowKey key) => s_kernels.Get(device, key);

    /// <summary>Which of a program's kernels does it.</summary>
    public static DeviceRowKey Key(GpuDevice device, RowSpec spec, ReadOnlySpan<DeviceRowOperand> operands, int rows, int length)
    {
        uint mapped = 0, longLabels = 0;
        bool aligned = length % Quad == 0;
        for (int k = 0; k < operands.Length; k++)
        {
            DeviceRowOperand operand = operands[k];
            if (operand.IsMapped) mapped |= 1u << k;
            if (operand.Operand.Type == DType.Int64) longLabels |= 1u << k;
            if (!spec.IsElements(k)) continue;
            aligned &= operand.Operand.Offset % Quad == 0 && operand.RowStride % Quad == 0;
        }

        Accelerator accelerator = device.Accelerator;
        int group = Math.Min(MaxGroup, accelerator.MaxNumThreadsPerGroup), warp = device.Backend == GpuBackend.OpenCL ? 0 : accelerator.WarpSize;
        bool isFilled = (long)rows * (ReduceTree.Lanes / Quad) >= (long)accelerator.NumMultiprocessors * ThreadsPerMultiprocessor;
        return Key(spec, length, aligned, group, warp, isFilled) with { Mapped = mapped, LongLabels = longLabels };
    }

    /// <summary>As above, given what the device has.</summary>
    /// <param name="spec">The program.</param>
    /// <param name="length">Elements of a row.</param>
    /// <param name="aligned">Rows can be moved in quads.</param>
    /// <param name="group">Threads of a group.</param>
    /// <param name="warp">Threads that exchange registers; 0 where they cannot (OpenCL promises no such thing).</param>
    /// <param name="isFilled">There are so many rows that few threads for each fill the device.</param>
    public static DeviceRowKey Key(RowSpec spec, int length, bool aligned, int group, int warp, bool isFilled)
    {
        bool isLong = length > ReduceTree.Block, isLight = spec.Weight <= LightProgram;
        int team = length <= 16 ? 4 : length <= 32 ? 8 : 16;
        if (length <= DeviceRowKey.MaxShuffled && team <= warp && group % warp == 0)
        {
            int lanes = Math.Min(Quad, (length + team - 1) / team), chunk = lanes * team, count = Chunks(length, chunk);
            return new(spec, group, lanes, false, isLight ? count : 0, false, 0, 0, isLight && count * chunk == length, team);
        }

        // Few threads a row, with four elements each: for short rows, and for long ones if there are so many that the loads in flight suffice.
        bool few = group < ReduceTree.Lanes || (aligned && !isLong && (length <= ShortRow || (isFilled && (!isLight || length > KeptRow))));
        int chunks = Chunks(length, ReduceTree.Lanes);
        bool isKept = isLight && length <= (few ? ShortRow : KeptRow);
        return new(spec, group, few ? Quad : 1, few && aligned, isKept ? chunks : 0, isLong, 0, 0, isKept && chunks * ReduceTree.Lanes == length);
    }

    private static int Chunks(int length, int chunk) => (int)BitOperations.RoundUpToPowerOf2((uint)((length + chunk - 1) / chunk));

    private static void Fill(DeviceArguments arguments, RowSpec spec, ReadOnlySpan<DeviceRowOperand> operands, int rows, int length)
    {
        arguments.Clear();
        arguments.Add(rows);
        arguments.Add(length);
        for (int k = 0; k < operands.Length; k++)
        {
            (DeviceOperand operand, int stride, int divisor, int period) = operands[k];
            if (operand.Block is null)
            {
                arguments.Set(k, operand.Value);
                continue;
            }

            long last = RowCount(operands[k], rows) - 1;
            arguments.Set(k, operand.Block, operand.Offset, (last * stride) + (spec.IsElements(k) ? length : 1), operand.Type.Size);
            arguments.Add(stride);
            if (!operands[k].IsMapped) continue;
            arguments.Add(divisor);
            arguments.Add(period == 0 ? int.MaxValue : period);
        }
    }

    // Rows of the operand itself.
    private static long RowCount(DeviceRowOperand operand, int rows)
    {
        long own = ((long)rows + operand.Divisor - 1) / operand.Divisor;
        return operand.Period == 0 ? own : Math.Min(own, operand.Period);
    }

    private static void Check(RowSpec spec, ReadOnlySpan<DeviceRowOperand> operands, int rows, int length)
    {
        if (operands.Length != spec.OperandCount || operands.Length > DeviceElementKey.MaxOperands)
        {
            throw new ArgumentException(
                $"The program has {spec.OperandCount} operands, not {operands.Length}; there can be {DeviceElementKey.MaxOperands}.", nameof(operands));
        }

        if (spec.MostReductions > RowSpec.MaxReductionsPerPass)
            throw new ArgumentException($"A pass has at most {RowSpec.MaxReductionsPerPass} reductions, not {spec.MostReductions}.", nameof(spec));
        if (rows > MaxRows) throw DeviceFailures.TooLarge("An array", (long)rows * length, int.MaxValue);
        for (int k = 0; k < operands.Length; k++)
        {
            DeviceRowOperand operand = operands[k];
            bool isNumber = k < spec.Inputs.Length && spec.Inputs[k].Kind == RowInputKind.Number;
            bool isLabel = k < spec.Inputs.Length && spec.Inputs[k].Kind == RowInputKind.Label;
            if (operand.Operand.Block is null != isNumber)
                throw new ArgumentException($"Operand {k} is {(isNumber ? "a number of the host" : "an array")}.", nameof(operands));
            if (operand.Operand.Type != spec.OperandType(k) && !(isLabel && operand.Operand.Type == DType.Int64))
                throw new ArgumentException($"Operand {k} has the type {operand.Operand.Type}; the program's is {spec.OperandType(k)}.", nameof(operands));
            if (length > MaxLength && operand.IsMapped) throw DeviceFailures.TooLarge("A row", length, MaxLength);
            if (operand.RowStride < 0 || operand.Divisor < 1 || operand.Period < 0)
                throw new ArgumentException($"Operand {k}: rows follow each other.", nameof(operands));
            if (((RowCount(operand, rows) - 1) * operand.RowStride) + length > int.MaxValue)
                throw DeviceFailures.TooLarge("An array", ((RowCount(operand, rows) - 1) * operand.RowStride) + length, int.MaxValue);
        }
    }
}
