using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>Launches of functions of half precision: no more than in Float32 where kernels can read and write two bytes.</summary>
public sealed class HalfFusionTests
{
    public static TheoryData<DType> Halves => [DType.Float16, DType.BFloat16];

    /// <summary>
    /// One launch, as in Float32: the kernel widens its operand as it reads it, rounds every result between two operators in its registers, where eager
    /// execution would store it, and the last one as it writes it.
    /// </summary>
    [Theory]
    [MemberData(nameof(Halves))]
    public void AChainOfFiveOperatorsIsOneLaunch(DType half)
    {
        HybridReport report = Check.Forward(Check.List(static x => ((x * 1.5 + 0.5).Relu() - 0.25).Tanh()), TestArrays.Special((40, 50), 1, half));
        FusionGroup group = Assert.Single(report.Groups);
        Assert.Equal((1, "Elementwise"), (report.KernelCount, group.Kind));
        string round = $"RoundTo{half}";
        Assert.Equal(["Cast", "Multiply", round, "Add", round, "Relu", round, "Subtract", round, "Tanh", "Cast"], group.Ops);
        Assert.Equal(0, report.ArenaBytes);
    }

    [Theory]
    [MemberData(nameof(Halves))]
    public void BackwardOfAChainIsOneLaunch(DType half)
    {
        HybridReport report = Check.Both(Check.List(static x => ((x * 1.5 + 0.5).Sigmoid() - 0.25).Tanh()), TestArrays.Uniform((40, 50), 1, half));
        Assert.Equal(1, report.Groups.Count(static g => !g.IsBackward));
        Assert.Equal(1, report.Groups.Count(static g => g.IsBackward));
    }

    [Fact]
    public void AnOperandOfTwoKernelsIsWidenedByBoth()
    {
        HybridReport report = Check.Forward(
            static x => [x[0] * x[1] + 1, x[0].Exp() * 3], TestArrays.Uniform(60, 1, DType.BFloat16), TestArrays.Uniform((50, 60), 2, DType.BFloat16));
        Assert.Equal(2, report.KernelCount);
        Assert.All(report.Groups, static g => Assert.Equal(("Elementwise", 1), (g.Kind, g.Ops.Count(static op => op == "Cast") / 2)));
    }

    /// <summary>A matrix product reads Float32: its operands are converted by launches of their own, its result by the kernel that works on it.</summary>
    [Fact]
    public void ProductsAreConvertedByTheLibrary()
    {
        HybridReport report = Check.Forward(
            Check.List(static (x, w) => (x.MatMul(w) + 1).Relu()), TestArrays.Uniform((20, 30), 1, DType.BFloat16), TestArrays.Uniform((30, 40), 2, DType.BFloat16));
        Assert.Equal(["Library", "Library", "MatMul", "Library"], report.Groups.Select(static g => g.Kind));
        Assert.Equal(["MatMul", "RoundToBFloat16", "Add", "RoundToBFloat16", "Relu"], report.Groups[2].Ops);
    }

    /// <summary>Parameter and moments are updated in place in one pass, as in Float32; what is two bytes in memory stays so.</summary>
    [Fact]
    public void AnUpdateIsOneLaunchInPlace()
    {
        HybridReport single = Update(DType.Float32), half = Update(DType.BFloat16);
        Assert.Equal((1, 1), (single.KernelCount, half.KernelCount));

        // What is left is the gradient, which the step assigns and hands back.
        Assert.Equal(single.ArenaBytes / 2, half.ArenaBytes);
    }

    private static HybridReport Update(DType dtype)
    {
        NDArray p = TestArrays.Uniform(1024, 1, dtype), twin = p.Copy();
        p.AttachGrad();
        twin.AttachGrad();
        Adam adam = new([p], 0.01), eager = new([twin], 0.01);
        Func<NDArray, NDArray> step = gradient =>
        {
            p.Grad!.Assign(gradient);
            p.FreshGrad = true;
            adam.Step();
            return gradient;
        };
        HybridFunction<Func<NDArray, NDArray>> compiled = step.Hybridize(Check.Strict);
        for (int i = 0; i < 4; i++)
        {
            NDArray gradient = TestArrays.Uniform(1024, 10 + i, dtype);
            compiled.Invoke(gradient);
            twin.Grad!.Assign(gradient);
            twin.FreshGrad = true;
            eager.Step();
            Check.Same(twin, p, $"step {i}");
        }

        return compiled.Report;
    }

    /// <summary>What is not a kernel keeps its conversions: they are found in the report.</summary>
    [Fact]
    public void ConversionsThatSomebodyElseReadsStay()
    {
        HybridReport report = Check.Forward(static x => [x[0].AsType(DType.Float32), x[0] * 2], TestArrays.Uniform(60, 1, DType.Float16));
        Assert.Equal(2, report.KernelCount);
        report = Check.Forward(Check.List(static x => x.AsType(DType.Float32).AsType(DType.BFloat16)), TestArrays.Uniform(60, 1, DType.Float16));
        Assert.Equal(["Library", "Library"], report.Groups.Select(static g => g.Kind));
    }

    [Fact]
    public void KernelsOfHalvesArePrinted()
    {
        ListFunction f = Check.List(static x => x * 2 + 1);
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        compiled.Invoke([TestArrays.Uniform(60, 1, DType.BFloat16)]);
        string text = compiled.ToCSharp();
        Assert.Contains("LoadHalf", text, StringComparison.Ordinal);
        Assert.Contains("StoreHalf", text, StringComparison.Ordinal);
    }
}
