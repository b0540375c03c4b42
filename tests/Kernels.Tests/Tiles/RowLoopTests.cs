using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>Kernels run over rows, and reductions of what they compute.</summary>
[Collection(KernelModes.Name)]
public sealed unsafe class RowLoopTests
{
    private static readonly int[] s_widths = [1, 7, 15, 16, 17, 64, 100];

    // x·s + w, with s one element a row and w the same row for all.
    private static KernelSpec Spec(bool scalar) => new(
        is64: false,
        [new KernelInput(), new KernelInput(IsScalar: scalar), new KernelInput()],
        [KernelStep.Of(ElementOps.Multiply, 0, 1), KernelStep.Of(ElementOps.Add, 3, 2)],
        [4]);

    [Fact]
    public void Rows_with_repeated_operands_equal_the_formula_and_nothing_else_is_written()
    {
        KernelModes.ForEach(() =>
        {
            RowOperand* operands = stackalloc RowOperand[4];
            foreach (int width in s_widths)
            {
                const int Rows = 9;
                using var x = new GuardedBuffer<float>(Numbers(Rows * width, 1));
                using var s = new GuardedBuffer<float>(Numbers(Rows, 2));
                using var w = new GuardedBuffer<float>(Numbers(width, 3));
                using var y = new GuardedBuffer<float>(Rows * width);
                ElementKernel kernel = KernelCompiler.Compile(Spec(scalar: true));
                Bind(operands, x.Address, s.Address, w.Address, y.Address, width, Rows);
                RowLoop.Run(kernel, operands, 3, 4, 0, 4, 0, width, width, Rows - 4);
                RowLoop.Run(kernel, operands, 3, 4, 4, Rows - 4, 0, width, width, 0);
                Check(x, s, w, y.Span, width);
                y.AssertIntact();

                // In place, and one half of the columns after the other.
                using var z = new GuardedBuffer<float>(x.Span);
                Bind(operands, z.Address, s.Address, w.Address, z.Address, width, Rows);
                int half = width / 2;
                if (half > 0) RowLoop.Run(kernel, operands, 3, 4, 0, Rows, 0, half, width, RowLoop.Nothing);
                RowLoop.Run(kernel, operands, 3, 4, 0, Rows, half, width - half, width, RowLoop.Nothing);
                Check(x, s, w, z.Span, width);
                z.AssertIntact();
            }
        });
    }

    [Fact]
    public void Expanded_rows_give_the_same_bits_in_one_loop()
    {
        KernelModes.ForEach(() =>
        {
            RowOperand* operands = stackalloc RowOperand[4];
            foreach (int width in s_widths)
            {
                const int Rows = 9;
                using var x = new GuardedBuffer<float>(Numbers(Rows * width, 1));
                using var s = new GuardedBuffer<float>(Numbers(Rows, 2));
                using var w = new GuardedBuffer<float>(Numbers(width, 3));
                using var y = new GuardedBuffer<float>(Rows * width);
                using var scratch = new NativeScratch(2 * (Rows * width * sizeof(float) + 64));
                Bind(operands, x.Address, s.Address, w.Address, y.Address, width, Rows);
                operands[1] = RowExpansion.Expand(operands[1], 0, Rows, width, scratch.Pointer);
                operands[2] = RowExpansion.Expand(operands[2], 0, Rows, width, scratch.Pointer + Rows * width * sizeof(float) + 64);
                RowLoop.Run(KernelCompiler.Compile(Spec(scalar: false)), operands, 3, 4, 0, Rows, 0, width, width, 0);
                Check(x, s, w, y.Span, width);
                y.AssertIntact();
            }
        });
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 63)]
    [InlineData(1, 16 * 1024)]
    [InlineData(1, 50_001)]
    [InlineData(7, 3)]
    [InlineData(17, 600)]
    [InlineData(256, 257)]
    public void Reductions_of_computed_blocks_are_those_of_all_at_once(int columns, int rows)
    {
        int n = columns * rows;
        using var x = new GuardedBuffer<float>(Numbers(n, 1));
        using var squares = new GuardedBuffer<float>([.. x.Span.ToArray().Select(static v => v * v)]);
        KernelModes.ForEach(() =>
        {
            Operand* operands = stackalloc Operand[2];
            foreach (ReduceKind kind in new[] { ReduceKind.Sum, ReduceKind.Prod, ReduceKind.Max, ReduceKind.Min, ReduceKind.SumOfSquares })
            {
                using var expected = new GuardedBuffer<float>(columns);
                using var actual = new GuardedBuffer<float>(columns);
                Reduce.Run(kind, DType.Float32, DType.Float32, squares.Address, expected.Address, 1, rows, columns);
                operands[0] = new Operand { Data = x.Address, ElementSize = sizeof(float) };
                operands[1] = new Operand { ElementSize = sizeof(float) };
                BlockSink sink = new() { Fold = BlockFold.Of(kind, is64: false, rows: columns > 1), Operand = 1, Result = actual.Address };
                BlockLoop.Run(KernelCompiler.Compile(KernelSpec.Of(ElementOps.Square, is64: false)), 2, operands, [n], columns, &sink, 1);
                Assert.True(expected.Span.SequenceEqual(actual.Span), kind.ToString());
                actual.AssertIntact();
            }
        });
    }

    private static void Bind(RowOperand* operands, nint x, nint s, nint w, nint y, int width, int rows)
    {
        operands[0] = new RowOperand { Data = x, ElementSize = sizeof(float), Width = width, Pitch = width, Divisor = 1, Period = rows };
        operands[1] = new RowOperand { Data = s, ElementSize = sizeof(float), Width = 1, Pitch = 1, Divisor = 1, Period = rows, IsScalar = true };
        operands[2] = new RowOperand { Data = w, ElementSize = sizeof(float), Width = width, Pitch = width, Divisor = 1, Period = 1 };
        operands[3] = new RowOperand { Data = y, ElementSize = sizeof(float), Width = width, Pitch = width, Divisor = 1, Period = rows };
    }

    private static void Check(GuardedBuffer<float> x, GuardedBuffer<float> s, GuardedBuffer<float> w, ReadOnlySpan<float> y, int width)
    {
        for (int i = 0; i < y.Length; i++) Assert.Equal(x.Data[i] * s.Data[i / width] + w.Data[i % width], y[i]);
    }

    private static float[] Numbers(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() + 0.5f)];
    }
}
