using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>Groups as kernel descriptions: inputs once, constants in the code, outputs as asked for.</summary>
public sealed class KernelLoweringTests
{
    [Fact]
    public void InputsAreReadOnceAndNumbersAreInTheCode()
    {
        LoweredKernel kernel = Lower(Check.List(static (x, y) => (x * 2 + y) * (x * 2) - 2), TestArrays.Uniform((3, 4)), TestArrays.Uniform((3, 4)));
        Assert.Equal(["x0", "x1"], kernel.Inputs.Select(static i => i.ToString()));
        Assert.Single(kernel.Outputs);
        Assert.Equal(["2", "Multiply", "Add", "Multiply", "Subtract"], Steps(kernel.Spec));
        Assert.Equal(0, kernel.ScalarMask);
    }

    [Fact]
    public void OneElementIsAScalarAndBoolAMask()
    {
        LoweredKernel kernel = Lower(Check.List(static (x, m, s) => Nd.Where(m, x, s)), TestArrays.Uniform((3, 4)), TestArrays.Uniform((3, 4)) > 0, Nd.Ones((1, 1)));
        Assert.Equal([new KernelInput(IsMask: true), new KernelInput(), new KernelInput(IsScalar: true)], kernel.Spec.Inputs.ToArray());
        Assert.Equal(0b100, kernel.ScalarMask);
    }

    [Fact]
    public void ShapesAreNotPartOfTheKernel() => Assert.Equal(
        Lower(Check.List(static (x, y) => x * y + 1), TestArrays.Uniform((3, 4)), TestArrays.Uniform(4)).Spec,
        Lower(Check.List(static (x, y) => x * y + 1), TestArrays.Uniform((70, 2)), TestArrays.Uniform((70, 1))).Spec);

    [Fact]
    public void TypesAndOperatorsAre()
    {
        KernelSpec spec = Lower(Check.List(static x => x * 3), TestArrays.Uniform(4)).Spec;
        Assert.NotEqual(spec, Lower(Check.List(static x => x * 3), TestArrays.Uniform(4, 1, DType.Float64)).Spec);
        Assert.NotEqual(spec, Lower(Check.List(static x => x / 3), TestArrays.Uniform(4)).Spec);
    }

    [Theory]
    [InlineData(3, 4, true)]
    [InlineData(1d / 32, 1d / 48, true)]
    [InlineData(3, 2, false)]
    [InlineData(2, -2, false)]
    [InlineData(0.5, 2, false)]
    [InlineData(0, -0.0, false)]
    [InlineData(double.PositiveInfinity, double.NegativeInfinity, true)]
    public void NumbersAreOperandsButForThoseOfFormulas(double first, double second, bool same) => Assert.Equal(
        same,
        Lower(Check.List(x => x / first), TestArrays.Uniform(4)).Spec.Equals(Lower(Check.List(x => x / second), TestArrays.Uniform(4)).Spec));

    [Fact]
    public void ANumberIsReadOnceHoweverOftenItIsUsed()
    {
        LoweredKernel kernel = Lower(Check.List(static x => (x * 3 + 7).Exp() * 3 - 0.5), TestArrays.Uniform(4));
        Assert.Equal(["x0", "3", "7"], kernel.Inputs.Select(static i => i.ToString()!));
        Assert.Equal(0b110, kernel.ScalarMask);
        Assert.Contains("0.5", Steps(kernel.Spec));
    }

    [Fact]
    public void SeveralOutputsAreWrittenInOrder()
    {
        LoweredKernel kernel = Lower(static x =>
        {
            NDArray e = x[0].Exp();
            return [e.Sin(), e, e.Cos()];
        }, TestArrays.Uniform(4));
        Assert.Equal(["Exp", "Sin", "Cos"], kernel.Outputs.Select(static o => o.Op.Name));
        Assert.Equal([1, 2, 3], kernel.Spec.Outputs.ToArray());
    }

    private static LoweredKernel Lower(ListFunction f, params NDArray[] inputs)
    {
        GraphFunction function = Graphs.Of(f, inputs);
        List<PlanGroup> groups = Grouper.Group(function, fuse: true);
        return LoweredKernel.Lower(Assert.Single(groups), Plan.Materialised(function, groups).Contains);
    }

    private static string[] Steps(KernelSpec spec) => [.. spec.Steps.ToArray().Select(static s => s.Op?.Name ?? $"{s.Constant}")];
}
