using System.Numerics;
using System.Runtime.InteropServices;
using Fusion.Kernels;
using Fusion.Tests.Compile;
using Fusion.Tests.Scalars;

namespace Fusion.Tests.Rows;

/// <summary>A random row program, its operands, and what it gives step by step.</summary>
internal sealed class RowCase
{
    private const int Guard = 64;

    private static readonly ElementOp[] s_pool =
    [
        ElementOps.Add, ElementOps.Subtract, ElementOps.Multiply, ElementOps.Divide, ElementOps.Maximum, ElementOps.Negate, ElementOps.Exp, ElementOps.Tanh, ElementOps.Square,
    ];

    private RowCase(RowSpec spec) => Spec = spec;

    public RowSpec Spec { get; }

    /// <summary>Inputs: two arrays, a mask, a row for all, a number a row, a number for every second row.</summary>
    public static RowCase Random(int seed)
    {
        Random random = new(seed);
        RowSpecBuilder p = new(is64: seed % 3 == 2);
        List<(RowValue Value, bool IsRow)> numbers = [(p.Elements(), false), (p.Elements(), false)];
        RowValue mask = p.Elements(mask: true);
        numbers.AddRange([(p.Elements(shared: true), false), (p.PerRow(), true), (p.PerRow(), true)]);
        int reductions = 0;
        for (int k = 3 + random.Next(14); k > 0; k--)
        {
            (RowValue Value, bool IsRow) a = Pick(), b = Pick();
            switch (random.Next(8))
            {
                case 0 or 1 when reductions < 5 && !a.IsRow:
                    reductions++;
                    numbers.Add((p.Reduce((RowReduction)random.Next(5), a.Value), true));
                    break;
                case 2:
                    mask = p.Apply(ElementOps.Greater, a.Value, b.IsRow && a.IsRow ? numbers[0].Value : b.Value);
                    break;
                case 3:
                    numbers.Add((p.Apply(ElementOps.Where, mask, a.Value, b.Value), false));
                    break;
                case 4:
                    numbers.Add((p.Apply(ElementOps.Add, a.Value, random.Next(2) == 0 ? p.Length() : p.Constant(0.75)), a.IsRow));
                    break;
                default:
                    ElementOp op = s_pool[random.Next(s_pool.Length)];
                    numbers.Add(op.Arity == 1 ? (p.Apply(op, a.Value), a.IsRow) : (p.Apply(op, a.Value, b.Value), a.IsRow && b.IsRow));
                    break;
            }
        }

        for (int k = 1 + random.Next(3); k > 0; k--)
        {
            (RowValue value, bool isRow) = Pick();
            p.Output(isRow && random.Next(2) == 0 ? p.Repeat(value) : value);
        }

        if (random.Next(3) == 0) p.Output(mask);
        for (int k = random.Next(3); k > 0; k--) p.Sum(p.Repeat(Pick().Value));
        return new RowCase(p.Build());

        (RowValue Value, bool IsRow) Pick() => numbers[Math.Max(random.Next(numbers.Count), random.Next(numbers.Count))];
    }

    public static IEnumerable<T> Values<T>(int count, int seed)
        where T : INumber<T>
    {
        Random random = new(seed);
        for (int i = 0; i < count; i++) yield return T.CreateTruncating(random.NextDouble() * 4 - 2);
    }

    /// <summary>Rows of the first array repeat after three.</summary>
    public static T[][] Inputs<T>(int rows, int columns, int seed)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[][] inputs = new T[6][];
        for (int k = 0; k < 6; k++) inputs[k] = [.. Values<T>(SizeOf(k, rows, columns), seed * 10 + k)];
        inputs[2] = [.. inputs[2].Select(static v => v > T.Zero ? True<T>() : T.Zero)];
        if (seed % 5 == 0) inputs[1][^1] = T.NaN;
        if (seed % 7 == 0) inputs[0][0] = T.NegativeInfinity;
        return inputs;
    }

    /// <summary>Bytes of the outputs, then of the sums, as the steps give them one after the other.</summary>
    public byte[][] StepByStep<T>(T[][] inputs, int rows, int columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int inputCount = Spec.Inputs.Length;
        List<byte>[] outputs = [.. Enumerable.Range(0, Spec.Outputs.Length).Select(static _ => new List<byte>())];
        T[][] sums = [.. Enumerable.Range(0, Spec.Sums.Length).Select(_ => new T[columns])];
        for (int r = 0; r < rows; r++)
        {
            T[][] values = new T[Spec.ValueCount][];
            for (int k = 0; k < inputCount; k++) values[k] = RowOf(inputs[k], k, r, columns);
            for (int k = 0; k < Spec.Steps.Length; k++)
            {
                RowStep step = Spec.Steps[k];
                values[inputCount + k] = step.Kind switch
                {
                    RowStepKind.Length => Filled(T.CreateTruncating(columns), columns),
                    RowStepKind.Repeat => values[step.Value],
                    RowStepKind.Reduce => Filled(Reduce(step.Reduction, values[step.Value]), columns),
                    _ when step.Element.Op is null => Filled(T.CreateTruncating(step.Element.Constant), columns),
                    _ => Apply(step.Element, values, columns),
                };
            }

            for (int k = 0; k < outputs.Length; k++)
            {
                T[] value = values[Spec.Outputs[k]];
                if (Spec.IsMask(Spec.Outputs[k])) outputs[k].AddRange(value.Select(static v => v == T.Zero ? (byte)0 : (byte)1));
                else outputs[k].AddRange(MemoryMarshal.AsBytes(value.AsSpan(0, Spec.Scope(Spec.Outputs[k]) == RowScope.Element ? columns : 1)));
            }

            for (int k = 0; k < sums.Length; k++)
                for (int c = 0; c < columns; c++) sums[k][c] += values[Spec.Sums[k]][c];
        }

        return [.. outputs.Select((o, k) => Spec.IsMask(Spec.Outputs[k]) ? [.. o] : Operands.OneNaN<T>([.. o])), .. sums.Select(static s => Operands.OneNaN<T>(MemoryMarshal.AsBytes(s.AsSpan()).ToArray()))];
    }

    /// <summary>Bytes of the outputs and sums; the rows are computed in two calls, and what lies around the outputs must stay.</summary>
    public static unsafe byte[][] Run<T>(RowKernel kernel, RowSpec spec, T[][] inputs, int rows, int columns, int first)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int count = spec.OperandCount;
        byte*[] memory = new byte*[count];
        RowOperand* operands = stackalloc RowOperand[count];
        long[] bytes = new long[count];
        byte* scratch = (byte*)NativeMemory.AlignedAlloc((nuint)kernel.ScratchBytes(columns), 64);
        try
        {
            for (int k = 0; k < count; k++)
            {
                bool isInput = k < spec.Inputs.Length, isMask = spec.OperandType(k) == DType.Bool, isSum = k >= spec.Inputs.Length + spec.Outputs.Length;
                int size = isMask ? 1 : sizeof(T), width = spec.IsElements(k) ? columns : 1;
                bytes[k] = isInput ? (long)inputs[k].Length * size : (long)width * size * (isSum ? 1 : rows);
                memory[k] = (byte*)NativeMemory.AlignedAlloc((nuint)(bytes[k] + 2 * Guard), 64);
                new Span<byte>(memory[k], (int)bytes[k] + 2 * Guard).Fill(0xA5);
                if (isSum) new Span<byte>(memory[k] + Guard, (int)bytes[k]).Clear();
                for (int i = 0; isInput && i < inputs[k].Length; i++)
                {
                    if (isMask) memory[k][Guard + i] = inputs[k][i] == T.Zero ? (byte)0 : (byte)1;
                    else ((T*)(memory[k] + Guard))[i] = inputs[k][i];
                }

                (long divisor, long period) = isSum ? (1, 1) : isInput ? MapOf(k, inputs.Length, rows) : (1, rows);
                operands[k] = new() { Data = (nint)(memory[k] + Guard), ElementSize = size, Width = width, Pitch = width, Divisor = divisor, Period = period };
            }

            if (first > 0) kernel.Run(operands, 0, first, columns, rows - first, scratch);
            kernel.Run(operands, first, rows - first, columns, 0, scratch);
            byte[][] results = new byte[count - spec.Inputs.Length][];
            for (int k = 0; k < count; k++)
            {
                Span<byte> all = new(memory[k], (int)bytes[k] + 2 * Guard);
                Assert.False(all[..Guard].ContainsAnyExcept((byte)0xA5) || all[^Guard..].ContainsAnyExcept((byte)0xA5), $"operand {k} was written past its end");
                if (k < spec.Inputs.Length) continue;
                byte[] result = all[Guard..^Guard].ToArray();
                results[k - spec.Inputs.Length] = spec.OperandType(k) == DType.Bool ? result : Operands.OneNaN<T>(result);
            }

            return results;
        }
        finally
        {
            foreach (byte* block in memory) NativeMemory.AlignedFree(block);
            NativeMemory.AlignedFree(scratch);
        }
    }

    // What SpecRunner takes for a set mask.
    private static T True<T>()
        where T : INumber<T>
        => T.One + T.One;

    private static int SizeOf(int input, int rows, int columns) => input switch
    {
        0 => Math.Min(rows, 3) * columns,
        3 => columns,
        4 => rows,
        5 => (rows + 1) / 2,
        _ => rows * columns,
    };

    // Of the inputs of a random case: rows of the first repeat, and one number serves two rows.
    private static (long Divisor, long Period) MapOf(int input, int inputs, int rows) => inputs < 6 ? (1, rows) : input switch
    {
        0 => (1, Math.Min(rows, 3)),
        3 => (1, 1),
        5 => (2, (rows + 1) / 2),
        _ => (1, rows),
    };

    private static T[] RowOf<T>(T[] input, int k, int row, int columns) => k switch
    {
        0 => input[(row % 3 * columns)..((row % 3 + 1) * columns)],
        3 => input,
        4 => Filled(input[row], columns),
        5 => Filled(input[row / 2], columns),
        _ => input[(row * columns)..((row + 1) * columns)],
    };

    private static T[] Filled<T>(T value, int columns) => [.. Enumerable.Repeat(value, columns)];

    // One step as a kernel of its own.
    private T[] Apply<T>(KernelStep step, T[][] values, int columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        KernelSpec spec = KernelSpec.Of(step.Op!, Spec.Is64);
        T[][] arguments = [.. Enumerable.Range(0, step.Op!.Arity).Select(i => values[step[i]])];
        byte[] result = SpecRunner.StepByStep(spec, 128, arguments, columns)[0];
        return step.Op.IsMask ? [.. result.Select(static b => b == 0 ? T.Zero : True<T>())] : MemoryMarshal.Cast<byte, T>(result).ToArray();
    }

    private static unsafe T Reduce<T>(RowReduction reduction, T[] row)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (T* x = TestData.WithSlack(row))
        {
            return reduction switch
            {
                RowReduction.Sum => ReduceTree.ReduceRow<SumReduction, Lane128<T>, T>(x, row.Length),
                RowReduction.Prod => ReduceTree.ReduceRow<ProdReduction, Lane128<T>, T>(x, row.Length),
                RowReduction.Max => ReduceTree.ReduceRow<MaxReduction, Lane128<T>, T>(x, row.Length),
                RowReduction.Min => ReduceTree.ReduceRow<MinReduction, Lane128<T>, T>(x, row.Length),
                _ => ReduceTree.ReduceRow<MaxNumberReduction, Lane128<T>, T>(x, row.Length),
            };
        }
    }
}
