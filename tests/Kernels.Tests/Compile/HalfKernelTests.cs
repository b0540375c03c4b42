using Fusion.Kernels;
using Fusion.Tests.Scalars;

namespace Fusion.Tests.Compile;

/// <summary>Kernels that read and write numbers of two bytes: as if these were converted before and after.</summary>
public sealed unsafe class HalfKernelTests
{
    private static readonly int[] s_widths = [.. new[] { 128, 256, 512 }.Where(w => w <= SimdWidth.Hardware)];

    // x·s + y and its negative, of a Float16, a BFloat16 number and a BFloat16; written as each type.
    private static KernelSpec Spec { get; } = new(
        false,
        [new(Half: DType.Float16), new(IsScalar: true, Half: DType.BFloat16), new(Half: DType.BFloat16)],
        [KernelStep.Of(ElementOps.Multiply, 0, 1), KernelStep.Of(ElementOps.Add, 3, 2), KernelStep.Of(ElementOps.Negate, 4)],
        [4, 4, 5, 0],
        [DType.Float16, null, DType.BFloat16, null]);

    [Fact]
    public void EveryLengthGivesWhatConversionsGive()
    {
        foreach (int width in s_widths)
        {
            ElementKernel kernel = KernelCompiler.Compile(Spec, width);
            for (int length = 1; length <= 130; length++) Check(Spec, kernel, length, $"{width} bits, length {length}");
        }
    }

    [Fact]
    public void LongBodiesReadAndWriteTwoRegistersAtATime()
    {
        KernelStep[] steps = [.. Enumerable.Range(0, 60).Select(k => KernelStep.Of(k % 2 == 0 ? ElementOps.Subtract : ElementOps.Multiply, 3 + Math.Max(0, k - 1) - (k == 0 ? 3 : 0), 1))];
        KernelSpec spec = new(false, [.. Spec.Inputs], steps, [62, 30], [DType.BFloat16, DType.Float16]);
        foreach (int width in s_widths)
            foreach (int length in new[] { 1, 15, 16, 17, 31, 33, 64, 100, 127 }) Check(spec, KernelCompiler.Compile(spec, width), length, $"{width} bits, length {length}");
    }

    [Fact]
    public void EveryPatternIsReadAndWritten()
    {
        ushort[] patterns = [.. Enumerable.Range(0, 0x10000).Select(static i => (ushort)i)];
        foreach (DType half in new[] { DType.Float16, DType.BFloat16 })
        {
            KernelSpec spec = new(false, [new(Half: half)], [], [0, 0], [half, null]);
            foreach (int width in s_widths)
            {
                using Operands operands = new();
                operands.Add<ushort>(patterns).Add<ushort>(patterns).Add<float>(new float[patterns.Length]);
                operands.Run(KernelCompiler.Compile(spec, width), 0, patterns.Length);
                Assert.Equal(Convert<ushort, uint>(half, DType.Float32, patterns), operands.Read<uint>(2));
                Assert.Equal(Convert<float, ushort>(DType.Float32, half, operands.Read<float>(2)), operands.Read<ushort>(1));
            }
        }
    }

    [Fact]
    public void AKernelMayWorkInPlace()
    {
        KernelSpec spec = new(false, [new(Half: DType.Float16)], [KernelStep.Of(ElementOps.Square, 0)], [1], [DType.Float16]);
        Half[] values = [.. Enumerable.Range(0, 75).Select(static i => (Half)(i / 8f))];
        foreach (int width in s_widths)
        {
            using Operands operands = new();
            operands.Add<Half>(values).Run(KernelCompiler.Compile(spec, width), 0, values.Length, [0, 0]);
            Assert.Equal(values.Select(static v => (Half)((float)v * (float)v)), operands.Read<Half>(0));
        }
    }

    [Fact]
    public void ADescriptionIsChecked()
    {
        Assert.Throws<ArgumentException>(static () => new KernelSpec(true, [new(Half: DType.Float16)], [], [0]));
        Assert.Throws<ArgumentException>(static () => new KernelSpec(false, [new(IsMask: true, Half: DType.Float16)], [], [0]));
        Assert.Throws<ArgumentException>(static () => new KernelSpec(false, [new(IsMask: true)], [], [0], [DType.Float16]));
        Assert.Throws<ArgumentException>(static () => new KernelSpec(true, [new()], [], [0], [DType.BFloat16]));
        Assert.Throws<ArgumentException>(static () => new KernelSpec(false, [new()], [], [0], [null, null]));
        Assert.NotEqual(new KernelSpec(false, [new()], [], [0]), new KernelSpec(false, [new()], [], [0], [DType.Float16]));
        Assert.NotEqual(new KernelSpec(false, [new(Half: DType.BFloat16)], [], [0]), new KernelSpec(false, [new(Half: DType.Float16)], [], [0]));
        Assert.Equal(Spec, new KernelSpec(false, [.. Spec.Inputs], [.. Spec.Steps], [.. Spec.Outputs], [.. Spec.Halves]));
    }

    // Inputs: Float16, one BFloat16, BFloat16.
    private static void Check(KernelSpec spec, ElementKernel kernel, int length, string what)
    {
        Random random = new(length);
        ushort[] x = Patterns(DType.Float16), y = Patterns(DType.BFloat16);
        using Operands operands = new();
        operands.Add<ushort>(x).Add<ushort>(y.AsSpan(0, 1)).Add<ushort>(y);
        for (int k = 0; k < spec.Outputs.Length; k++)
        {
            if (spec.Halves[k] is null) operands.Add<float>(new float[length]);
            else operands.Add<ushort>(new ushort[length]);
        }

        operands.Run(kernel, 0, length);
        float[][] wide = [Convert<ushort, float>(DType.Float16, DType.Float32, x), Convert<ushort, float>(DType.BFloat16, DType.Float32, y[..1]), Convert<ushort, float>(DType.BFloat16, DType.Float32, y)];
        KernelSpec plain = new(false, [new(), new(IsScalar: true), new()], [.. spec.Steps], [.. spec.Outputs]);
        byte[][] expected = SpecRunner.StepByStep(plain, SimdWidth.Current, wide, length);
        for (int k = 0; k < expected.Length; k++)
        {
            float[] numbers = new float[length];
            Buffer.BlockCopy(expected[k], 0, numbers, 0, expected[k].Length);
            bool same = spec.Halves[k] is { } half
                ? WithOneNaN(Convert<float, ushort>(DType.Float32, half, numbers), half).SequenceEqual(WithOneNaN(operands.Read<ushort>(3 + k), half))
                : expected[k].AsSpan().SequenceEqual(Operands.OneNaN<float>(operands.Read<byte>(3 + k)));
            Assert.True(same, $"{what}, output {k}");
        }

        ushort[] Patterns(DType half)
        {
            float[] values = [.. Enumerable.Range(0, length).Select(i => i % 11 == 5 ? float.NaN : i % 13 == 7 ? float.PositiveInfinity : (float)((random.NextDouble() * 8) - 4))];
            return Convert<float, ushort>(DType.Float32, half, values);
        }
    }

    private static ushort[] WithOneNaN(ushort[] patterns, DType half) =>
        Array.ConvertAll(patterns, p => (p & 0x7FFF) > (half == DType.Float16 ? 0x7C00 : 0x7F80) ? (ushort)0xFFFF : p);

    private static TTo[] Convert<TFrom, TTo>(DType from, DType to, TFrom[] values)
        where TFrom : unmanaged
        where TTo : unmanaged
    {
        TTo[] result = new TTo[values.Length];
        fixed (TFrom* s = values)
        fixed (TTo* t = result) Cast.Run(from, to, (nint)s, (nint)t, values.Length);
        return result;
    }
}
