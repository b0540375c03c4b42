using System.Linq.Expressions;
using System.Numerics;
using System.Runtime.Intrinsics.X86;
using Fusion.Kernels;
using Fusion.Tests.Scalars;

namespace Fusion.Tests.Compile;

/// <summary>Compiled kernels give the bits of the eager loops: every operator alone, random bodies, every width, every length.</summary>
public class KernelCompilerTests
{
    private static readonly int[] s_widths = [.. new[] { 128, 256, 512 }.Where(w => w <= SimdWidth.Hardware)];

    public static TheoryData<string> Names => [.. ElementOps.All.Select(op => op.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void OneOperatorGivesTheBitsOfItsLoop(string name)
    {
        CheckOperator<float>(ElementOpTests.Find(name), DType.Float32);
        CheckOperator<double>(ElementOpTests.Find(name), DType.Float64);
    }

    [Fact]
    public void RandomBodiesGiveTheBitsOfTheirStepsOneByOne()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            Random random = new(seed);
            bool is64 = seed % 2 == 1;
            KernelSpec spec = SpecRunner.RandomSpec(random, is64, 1 + random.Next(24));
            int length = 1 + random.Next(130);
            if (is64) CheckBody<double>(spec, random, length, seed);
            else CheckBody<float>(spec, random, length, seed);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FormulasOfOneOperandShareTheValuesThatTheyName(bool is64)
    {
        KernelSpec both = new(is64, [new()], [KernelStep.Of(ElementOps.Gelu, 0), KernelStep.Of(ElementOps.GeluSlope, 0)], [1, 2]);
        int value = Statements(KernelSpec.Of(ElementOps.Gelu, is64)), slope = Statements(KernelSpec.Of(ElementOps.GeluSlope, is64));
        Assert.InRange(Statements(both), Math.Max(value, slope), value + slope - 5);
        if (is64) CheckBody<double>(both, new Random(1), 77, 1);
        else CheckBody<float>(both, new Random(1), 77, 1);

        static int Statements(KernelSpec spec) => KernelTree.Build(spec, 128, several: false).Body.Count;
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(0.5, true)]
    [InlineData(-1024, true)]
    [InlineData(8.5070591730234616e37, true)]       // 2¹²⁶
    [InlineData(1.1754943508222875e-38, true)]      // 2⁻¹²⁶
    [InlineData(1.7014118346046923e38, false)]      // 2¹²⁷, whose reciprocal is denormal
    [InlineData(5.8774717541114375e-39, false)]     // 2⁻¹²⁷, denormal
    [InlineData(3, false)]
    [InlineData(0, false)]
    [InlineData(double.PositiveInfinity, false)]
    public void ADivisionByAPowerOfTwoIsAProduct(double divisor, bool isProduct)
    {
        KernelSpec spec = new(false, [new()], [KernelStep.Of(divisor), KernelStep.Of(ElementOps.Divide, 0, 1)], [2]);
        float[] x =
        [
            0, -0f, 1, -3, 1e-45f, 3e-45f, 1.17549421e-38f, 1.17549435e-38f, 2.35098902e-38f, 3.40282347e38f, float.PositiveInfinity, float.NegativeInfinity, float.NaN,
            .. Enumerable.Range(0, 60).Select(static i => BitConverter.Int32BitsToSingle(i * 35_791_394)),
        ];
        foreach (int width in s_widths)
            Assert.Equal(SpecRunner.StepByStep(spec, width, [x], x.Length), SpecRunner.Run(spec, KernelCompiler.Compile(spec, width), [x], x.Length));
        Assert.Equal(isProduct, !KernelCompiler.ToCSharp(spec, "Kernel").Contains(" / ", StringComparison.Ordinal));
    }

    [Fact]
    public void EveryLengthGivesTheBitsOfItsSteps()
    {
        KernelSpec spec = new(false, [new(), new(IsScalar: true)], [KernelStep.Of(ElementOps.Multiply, 0, 1), KernelStep.Of(ElementOps.Greater, 2, 1)], [2, 3]);
        float[][] inputs = SpecRunner.RandomInputs<float>(new Random(5), spec, 130);
        foreach (int width in s_widths)
        {
            ElementKernel kernel = KernelCompiler.Compile(spec, width);
            for (int length = 1; length <= 130; length++)
                Assert.Equal(SpecRunner.StepByStep(spec, width, inputs, length), SpecRunner.Run(spec, kernel, inputs, length));
        }
    }

    [Theory]
    [InlineData(nameof(ElementOps.Exp))]        // few constants: they stay in registers
    [InlineData(nameof(ElementOps.Log))]        // many
    [InlineData(nameof(ElementOps.Tanh))]
    [InlineData(nameof(ElementOps.Digamma))]    // two registers at a time
    public void EveryLengthGivesTheSameBitsSeveralRegistersAtATime(string name)
    {
        ElementOp op = (ElementOp)typeof(ElementOps).GetField(name)!.GetValue(null)!;
        Check(Enumerable.Range(0, 200).Select(static i => (i - 50) * 0.37f).ToArray(), DType.Float32);
        Check(Enumerable.Range(0, 200).Select(static i => (i - 50) * 0.37).ToArray(), DType.Float64);

        void Check<T>(T[] values, DType type) where T : unmanaged, IFloatingPointIeee754<T>
        {
            KernelSpec spec = KernelSpec.Of(op, type == DType.Float64);
            foreach (int width in s_widths)
            {
                ElementLoop loop = KernelCompiler.BuildFastest(spec, width);
                ElementKernel one = op.Loop(type, 0, width), several = new(loop);
                for (int length = 1; length <= values.Length; length++)
                {
                    byte[] expected = SpecRunner.Run(spec, one, [values], length)[0];
                    Assert.Equal(expected, SpecRunner.Run(spec, several, [values], length)[0]);
                    if (length % 7 != 1) continue;
                    using Operands inPlace = new();
                    inPlace.Add<T>(values).Run(several, 0, length, [0, 0]);
                    Assert.Equal(expected, Operands.OneNaN<T>(inPlace.Read<byte>(0))[..expected.Length]);
                }
            }
        }
    }

    [Fact]
    public void AnEagerLoopThatHasRunForAWhileIsTakenOverByTheCompiledOne()
    {
        if (SimdWidth.Current < 512) return;
        float[] values = [.. Enumerable.Range(0, 4099).Select(static i => (i / 2050f) - 1)];
        KernelSpec spec = KernelSpec.Of(ElementOps.Selu, is64: false);
        byte[][] first = SpecRunner.Run(spec, ElementOps.Selu.Loop(DType.Float32, 0, SimdWidth.Current), [values], values.Length);
        ElementKernel kernel = ElementOps.Selu.Loop(DType.Float32, 0);
        for (long work = 0; work <= TieredLoop.Work; work += (long)values.Length * ElementOps.Selu.Weight)
            Assert.Equal(first[0], SpecRunner.Run(spec, kernel, [values], values.Length)[0]);
        Assert.True(SpinWait.SpinUntil(() => kernel.IsFinal, TimeSpan.FromMinutes(1)));
        Assert.Equal(first, SpecRunner.Run(spec, ElementOps.Selu.Loop(DType.Float32, 0), [values], values.Length));
    }

    [Fact]
    public void LongBodiesThatComputeTwoRegistersAtATimeGiveTheBitsOfTheirSteps()
    {
        for (int seed = 0; seed < 6; seed++)
        {
            Random random = new(1000 + seed);
            KernelSpec spec = SpecRunner.RandomSpec(random, seed % 2 == 1, 150);
            foreach (int length in new[] { 1, 16, 17, 64, 65, 100, 130 })
            {
                if (spec.Is64) CheckBody<double>(spec, random, length, seed);
                else CheckBody<float>(spec, random, length, seed);
            }
        }
    }

    [Fact]
    public void LongBodiesWorkInPlace()
    {
        KernelStep[] steps = [.. Enumerable.Range(0, 60).Select(k => KernelStep.Of(k % 2 == 0 ? ElementOps.Add : ElementOps.Multiply, k, 0))];
        KernelSpec spec = new(false, [new()], steps, [60]);
        float[] values = [.. Enumerable.Range(0, 75).Select(i => i / 75f)];
        foreach (int width in s_widths)
        {
            using Operands inPlace = new();
            inPlace.Add<float>(values).Run(KernelCompiler.Compile(spec, width).Settled(), 0, values.Length, [0, 0]);
            Assert.Equal(SpecRunner.StepByStep(spec, width, [values], values.Length)[0], inPlace.Read<byte>(0));
        }
    }

    [Fact]
    public void ALongBodyThatHasRunForAWhileIsCompiledAgain()
    {
        KernelStep[] steps = [.. Enumerable.Range(0, 180).Select(k => KernelStep.Of(k % 2 == 0 ? ElementOps.Subtract : ElementOps.Multiply, k, 0))];
        KernelSpec spec = new(false, [new()], steps, [60, 180]);
        float[] values = [.. Enumerable.Range(0, 4099).Select(i => (i / 4099f) - 0.5f)];
        ElementKernel kernel = KernelCompiler.Compile(spec);
        Assert.False(kernel.IsFinal);
        byte[][] first = SpecRunner.Run(spec, kernel, [values], values.Length);
        for (long work = 0; work <= TieredLoop.Work; work += (long)values.Length * steps.Length) SpecRunner.Run(spec, kernel, [values], values.Length);
        Assert.True(SpinWait.SpinUntil(() => kernel.IsFinal, TimeSpan.FromMinutes(1)));
        Assert.Equal(first, SpecRunner.Run(spec, KernelCompiler.Compile(spec), [values], values.Length));
        Assert.True(KernelCompiler.Compile(KernelSpec.Of(ElementOps.Square, is64: false)).IsFinal);
    }

    [Fact]
    public void OutputsMayBeTheMemoryOfInputs()
    {
        // (x, y) ← (x + y, x − y) in place.
        KernelSpec spec = new(false, [new(), new()], [KernelStep.Of(ElementOps.Add, 0, 1), KernelStep.Of(ElementOps.Subtract, 0, 1)], [2, 3]);
        using Operands operands = new();
        operands.Add<float>([1, 2, 3]).Add<float>([10, 20, 30]).Run(KernelCompiler.Compile(spec), 0, 3, [0, 1, 0, 1]);
        Assert.Equal([11, 22, 33], operands.Read<float>(0));
        Assert.Equal([-9, -18, -27], operands.Read<float>(1));
    }

    [Fact]
    public void ALoopStartsWhereItIsTold()
    {
        KernelSpec spec = new(false, [new()], [KernelStep.Of(ElementOps.Negate, 0)], [1]);
        using Operands operands = new();
        float[] ones = [.. Enumerable.Repeat(1f, 192)];
        operands.Add<float>(ones).Add<float>(ones).Run(KernelCompiler.Compile(spec), 64, 128);
        Assert.Equal([.. ones[..64], .. Enumerable.Repeat(-1f, 64), .. ones[..64]], operands.Read<float>(1));
    }

    [Fact]
    public void EqualDescriptionsShareOneKernel()
    {
        static KernelSpec Spec(double constant) => new(false, [new()], [KernelStep.Of(constant), KernelStep.Of(ElementOps.Add, 0, 1)], [2]);
        Assert.Equal(Spec(0.25), Spec(0.25));
        Assert.Equal(Spec(double.NaN), Spec(double.NaN));
        Assert.NotEqual(Spec(0.0), Spec(-0.0));
        Assert.NotEqual(new KernelSpec(true, [new()], [], [0]), new KernelSpec(false, [new()], [], [0]));
        KernelCompiler.Compile(Spec(0.25));
        Assert.True(KernelCompiler.IsCompiled(Spec(0.25)));
        Assert.False(KernelCompiler.IsCompiled(Spec(0.125)));
        Assert.True(KernelCompiler.CompileCount > 0 && KernelCompiler.CompileTime > TimeSpan.Zero);
    }

    [Fact]
    public void ADescriptionIsChecked()
    {
        Assert.Throws<ArgumentException>(() => new KernelSpec(false, [new()], [KernelStep.Of(ElementOps.Add, 0, 1)], [1]));
        Assert.Throws<ArgumentException>(() => new KernelSpec(false, [new(IsMask: true)], [KernelStep.Of(ElementOps.Square, 0)], [1]));
        Assert.Throws<ArgumentException>(() => new KernelSpec(false, [new()], [KernelStep.Of(ElementOps.LogicalNot, 0)], [1]));
        Assert.Throws<ArgumentException>(() => new KernelSpec(false, [new()], [], []));
        Assert.Throws<ArgumentException>(() => new KernelSpec(false, [new()], [], [1]));
        Assert.Throws<ArgumentException>(() => KernelStep.Of(ElementOps.Add, 0));
    }

    [Fact]
    public void WeightsCountExpandedOperators()
    {
        Assert.Equal(1, KernelCompiler.Weight(ElementOps.Add));
        Assert.Equal(2, KernelCompiler.Weight(ElementOps.ReciprocalSqrt));
        if (Sse.IsSupported) Assert.All(ElementOps.All, op => Assert.Equal(OperatorsOfTree(op), op.Weight)); // elsewhere a minimum is a comparison and a choice
        Assert.All(ElementOps.All, op => Assert.InRange(KernelCompiler.Weight(op), 0, KernelCompiler.MaxOperators));
    }

    private static int OperatorsOfTree(ElementOp op)
    {
        using TreeBuilder builder = new TreeBuilder(512, is64: false).Enter();
        op.Emit([.. Enumerable.Range(0, op.Arity).Select(i => new TreeLane(Expression.Parameter(typeof(System.Runtime.Intrinsics.Vector512<float>), "x" + i)))]);
        return builder.OperatorCount;
    }

    private static void CheckOperator<T>(ElementOp op, DType type) where T : unmanaged, IFloatingPointIeee754<T>
    {
        T[][] inputs = ElementOpTests.Inputs<T>()[..op.Arity];
        for (int scalars = 0; scalars < 1 << op.Arity; scalars++)
        {
            KernelSpec spec = KernelSpec.Of(op, type == DType.Float64, scalars);
            byte[] first = Operands.Eager(op, type, s_widths[0], inputs[0].Length, scalars, inputs);
            foreach (int width in s_widths)
            {
                Assert.Equal(first, Operands.Eager(op, type, width, inputs[0].Length, scalars, inputs));
                Assert.Equal(first, SpecRunner.Run(spec, KernelCompiler.Compile(spec, width), inputs, inputs[0].Length)[0]);
                Assert.Equal(first, SpecRunner.Run(spec, new ElementKernel(KernelCompiler.BuildFastest(spec, width)), inputs, inputs[0].Length)[0]);
            }
        }
    }

    private static void CheckBody<T>(KernelSpec spec, Random random, int length, int seed) where T : unmanaged, IFloatingPointIeee754<T>
    {
        T[][] inputs = SpecRunner.RandomInputs<T>(random, spec, length);
        foreach (int width in s_widths)
        {
            byte[][] expected = SpecRunner.StepByStep(spec, width, inputs, length);
            ElementKernel kernel = KernelCompiler.Compile(spec, width);
            byte[][] actual = SpecRunner.Run(spec, kernel, inputs, length), settled = SpecRunner.Run(spec, kernel.Settled(), inputs, length);
            for (int i = 0; i < expected.Length; i++)
                foreach (byte[] result in (byte[][])[actual[i], settled[i]])
                    if (!expected[i].AsSpan().SequenceEqual(result)) Assert.Fail($"seed {seed}, width {width}, output {i}:\n{KernelCompiler.ToCSharp(spec, "Kernel")}");
        }
    }

    /// <summary>What there was no memory for is compiled the next time: a failure was kept for good.</summary>
    [Fact]
    public void AKernelThatCouldNotBeCompiledOnceIsCompiledTheNextTime()
    {
        ElementOp op = ElementOp.Unary<StarvedOp>("Starved");
        Assert.True(op.Weight > 0);
        KernelSpec spec = KernelSpec.Of(op, is64: false);
        StarvedOp.Failure = new InsufficientMemoryException();
        Assert.ThrowsAny<OutOfMemoryException>(() => KernelCompiler.Compile(spec));
        StarvedOp.Failure = new InsufficientExecutionStackException();
        Assert.Throws<KernelFailedException>(() => KernelCompiler.Compile(spec));
        StarvedOp.Failure = null;
        Assert.False(KernelCompiler.IsCompiled(spec));
        int before = KernelCompiler.CompileCountOfThread;
        KernelCompiler.Compile(spec);
        KernelCompiler.Compile(spec);
        Assert.Equal(before + 1, KernelCompiler.CompileCountOfThread);
        Assert.True(KernelCompiler.IsCompiled(spec));
    }

    [Fact]
    public void WhatIsCompiledOnAllThreadsThrowsWhatOneOfThemThrew() =>
        Assert.ThrowsAny<OutOfMemoryException>(() => KernelCompiler.ForEach(4, static i => throw new InsufficientMemoryException()));

    /// <summary>A long formula of an eager operator comes as a tree, if that can be compiled.</summary>
    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    public void AnEagerOperatorWhoseKernelCannotBeCompiledHasItsLoop(DType type)
    {
        float[] x = [.. Enumerable.Range(1, 100).Select(static i => i * 0.11f)];
        ElementOp op = ElementOp.Unary<LongOp>("Long");
        Assert.True(op.Weight > KernelTree.PairedFrom);
        byte[] expected = Run(ElementOp.Unary<LongOp>("Long"));
        KernelCompiler.FaultOfThread = static _ => "the test says so";
        try
        {
            Assert.Equal(expected, Run(op));
        }
        finally
        {
            KernelCompiler.FaultOfThread = null;
        }

        Assert.Equal(expected, Run(op));

        unsafe byte[] Run(ElementOp op)
        {
            byte[] input = new byte[2048], output = new byte[2048];
            for (int i = 0; i < x.Length; i++)
            {
                if (type == DType.Float32) BitConverter.TryWriteBytes(input.AsSpan(4 * i), x[i]);
                else BitConverter.TryWriteBytes(input.AsSpan(8 * i), (double)x[i]);
            }

            ElementKernel kernel = op.Loop(type, 0);
            fixed (byte* from = input, to = output)
            {
                nint* table = stackalloc nint[] { (nint)from, (nint)to };
                kernel.Invoke((nint)table, 0, x.Length);
            }

            return output[..(x.Length * type.Size)];
        }
    }

    private readonly struct StarvedOp : IUnaryOp
    {
        [ThreadStatic]
        private static Exception? t_failure;

        public static Exception? Failure
        {
            set => t_failure = value;
        }

        public static L Invoke<L>(L x) where L : struct, ILane<L> => t_failure is { } failure ? throw failure : x + x;
    }

    private readonly struct LongOp : IUnaryOp
    {
        public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Digamma(x);
    }
}
