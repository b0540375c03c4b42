using System.Numerics;
using Fusion.Kernels;
using Fusion.Tests.Compile;
using Fusion.Tests.Scalars;

namespace Fusion.Tests.Rows;

/// <summary>Row kernels of the processor give the bits of their steps one by one, and write nothing but their rows.</summary>
public class RowProgramTests
{
    private static readonly int[] s_columns = [64, 65, 80, 100, 127, 128, 200, 1000, 1024];

    public static TheoryData<int> Widths => [.. new[] { 128, 256, 512 }.Where(static w => w <= SimdWidth.Hardware)];

    [Theory]
    [MemberData(nameof(Widths))]
    public void RandomProgramsGiveTheBitsOfTheirSteps(int width)
    {
        for (int seed = 0; seed < 120; seed++)
        {
            RowCase test = RowCase.Random(seed);
            int rows = 1 + seed % 7, columns = s_columns[seed % s_columns.Length];
            if (test.Spec.Is64) Check<double>(test, RowKernel.Build(test.Spec, width), rows, columns, seed);
            else Check<float>(test, RowKernel.Build(test.Spec, width), rows, columns, seed);
        }
    }

    [Fact]
    public void PrintedKernelsCompileAndGiveTheSameBits()
    {
        RowCase[] tests = [.. Enumerable.Range(500, 20).Select(RowCase.Random)];
        Type printed = KernelPrinterTests.CompileWithRoslyn(tests.Select(static (t, i) => KernelCompiler.ToCSharp(t.Spec, "Kernel" + i)));
        for (int i = 0; i < tests.Length; i++)
        {
            RowKernel kernel = new(tests[i].Spec, new RowPasses(tests[i].Spec), printed.GetMethod("Kernel" + i)!.CreateDelegate<ElementLoop>());
            if (tests[i].Spec.Is64) Check<double>(tests[i], kernel, 3, 72, i);
            else Check<float>(tests[i], kernel, 3, 72, i);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void TheLibrarysRowsHaveTheirBits(int width)
    {
        foreach (int columns in s_columns.Append(ReduceTree.Block))
        {
            RowSpecBuilder p = new(is64: false);
            RowValue x = p.Elements();
            p.Output(RowFormulas.Softmax(p, x));
            p.Output(RowFormulas.LogSoftmax(p, x));
            p.Output(RowFormulas.Normalize(p, x, null, null, p.Constant(1e-5), centered: true));
            float[] values = Special(columns);
            byte[][] actual = RowCase.Run<float>(RowKernel.Build(p.Build(), width), p.Build(), [values], 3, columns, 0);
            byte[][] expected = [new byte[values.Length * 4], new byte[values.Length * 4], new byte[values.Length * 4]];
            RunLibrary(values, expected, columns);
            for (int k = 0; k < expected.Length; k++) Assert.True(expected[k].AsSpan().SequenceEqual(actual[k]), $"{columns} columns, output {k}");
        }
    }

    // A plain row, one with NaN, and one of infinities; with as many bytes behind it as kernels may read.
    private static float[] Special(int columns)
    {
        float[] values = [.. RowCase.Values<float>(3 * columns, 5)];
        values[columns + 1] = float.NaN;
        values.AsSpan(2 * columns, columns).Fill(float.NegativeInfinity);
        values[^3] = 1;
        return values;
    }

    private static unsafe void RunLibrary(float[] values, byte[][] expected, int columns)
    {
        float[] input = TestData.WithSlack(values);
        fixed (float* x = input)
        {
            fixed (byte* y = expected[0]) RowKernels.Softmax(DType.Float32, (nint)x, (nint)y, 3, columns);
            fixed (byte* y = expected[1]) RowKernels.LogSoftmax(DType.Float32, (nint)x, (nint)y, 3, columns);
            fixed (byte* y = expected[2]) RowNormalize.Forward(DType.Float32, (nint)x, 0, 0, (nint)y, 3, columns, 1e-5, true);
        }

        for (int k = 0; k < expected.Length; k++) expected[k] = Operands.OneNaN<float>(expected[k]);
    }

    private static void Check<T>(RowCase test, RowKernel kernel, int rows, int columns, int seed)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[][] inputs = RowCase.Inputs<T>(rows, columns, seed);
        byte[][] expected = test.StepByStep(inputs, rows, columns);
        byte[][] actual = RowCase.Run(kernel, test.Spec, inputs, rows, columns, rows / 2);
        for (int k = 0; k < expected.Length; k++)
        {
            int at = expected[k].AsSpan().CommonPrefixLength(actual[k]);
            Assert.True(at == expected[k].Length, $"seed {seed}, {rows} × {columns}, operand {k}: byte {at} of {expected[k].Length} differs");
        }
    }
}
