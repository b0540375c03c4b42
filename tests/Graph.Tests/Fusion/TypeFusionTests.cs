namespace Fusion.Tests;

/// <summary>Element types and masks inside compiled functions.</summary>
public sealed class TypeFusionTests
{
    public static TheoryData<DType> Types => [.. Enum.GetValues<DType>()];

    [Theory]
    [MemberData(nameof(Types))]
    public void EveryTypeRuns(DType dtype)
    {
        NDArray x = TestArrays.Indices((5, 6), 4).AsType(dtype);
        Check.Forward(Check.List(static x => x * 1 + 0), x);
        Check.Forward(Check.List(static x => x * 3 - 1), x);
        Check.Forward(Check.List(static x => Nd.Where(x > 1, x, x * 2)), x);
        Check.Forward(Check.List(static x => x / 2), x);
    }

    [Fact]
    public void FloatsOfTwoWidthsAreTwoKernels()
    {
        HybridReport report = Check.Both(
            Check.List(static (x, y) => (x * 2).AsType(DType.Float64) * y + 1), TestArrays.Uniform(40), TestArrays.Uniform(40, 2, DType.Float64));
        Assert.InRange(report.Groups.Count(static g => !g.IsBackward), 2, 3);
    }

    [Fact]
    public void MixedTypesArePromotedAsEagerly() =>
        Check.Both(
            Check.List(static (x, y, n) => x * y + n), TestArrays.Uniform((3, 4)), TestArrays.Uniform((3, 4), 2, DType.Float64), TestArrays.Indices((3, 4), 9));

    [Fact]
    public void MasksStayInTheKernel()
    {
        HybridReport report = Check.Both(
            Check.List(static (x, y) => Nd.Where(Nd.LogicalAnd(x > 0, Nd.LogicalNot(y >= 1)), x.Exp(), y)),
            TestArrays.Special((8, 17)),
            TestArrays.Special((8, 17), 2));
        Assert.Equal(1, report.Groups.Count(static g => !g.IsBackward));
    }

    /// <summary>Numbers that no comparison finds, beside another mask: written in code, .NET 10 loses the comparison.</summary>
    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void MasksOfComparisonsWithNumbersThatAreNotFinite(double number)
    {
        NDArray x = TestArrays.Special((8, 17));
        Check.Forward(
            x =>
            [
                Nd.LogicalAnd(x[0] < 100, x[0] <= number), Nd.LogicalAnd(x[0] > number, x[0] < 100), Nd.LogicalAnd(x[0] < 100, x[0].Equal(number)),
                Nd.LogicalOr(x[0] < 100, x[0] >= number), Nd.LogicalXor(x[0] < 100, x[0] < number), Nd.Where(Nd.LogicalAnd(x[0] < 100, x[0] < number), x[0], 7),
                Nd.LogicalAnd(x[0] < 100, Nd.Maximum(x[0], number) < 5), Nd.LogicalAnd(x[0] < 100, Nd.IsFinite(x[0] * number)),
            ],
            x);
        Check.Forward(Check.List(x => x.IsClose(x * 2, absolute: number)), x);
        Check.Forward(Check.List(x => x.IsClose(x * 2, absolute: number)), x.AsType(DType.Float64));
    }

    /// <summary>Functions of two arguments, one of them a number: the number may be part of the kernel's code.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(-0.5)]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void FunctionsOfAnArrayAndANumber(double number)
    {
        NDArray x = Nd.Array([-3f, -2, -1.5f, -1, -0.5f, -0f, 0, 0.5f, 1, 1.5f, 2, 3, float.NaN, float.PositiveInfinity, float.NegativeInfinity, 1e-40f, 7, 8]);
        Func<NDArray, double, NDArray>[] functions =
        [
            static (x, c) => x.Pow(c), static (x, c) => Nd.Pow(c, x), static (x, c) => x % c, static (x, c) => c % x, static (x, c) => x.Hypot(c), static (x, c) => x.Atan2(c),
            static (x, c) => Nd.Atan2(c, x), static (x, c) => x.LogAddExp(c), static (x, c) => x.CopySign(c), static (x, c) => Nd.CopySign(c, x), static (x, c) => x.Maximum(c),
            static (x, c) => Nd.Minimum(c, x), static (x, c) => x.FloorDivide(c), static (x, c) => Nd.FloorDivide(c, x), static (x, c) => x.Lerp(x * x, c),
        ];
        foreach (Func<NDArray, double, NDArray> function in functions)
        {
            Check.Both(Check.List(x => function(x, number)), x);
            Check.Both(Check.List(x => function(x, number)), x.AsType(DType.Float64));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void MasksThatAreConstants(bool value)
    {
        NDArray x = TestArrays.Special((8, 17));
        NDArray Mask() => Nd.Full((8, 17), value ? 1 : 0, DType.Bool);
        Check.Both(Check.List(x => Nd.Where(Mask(), x, 3) + Nd.Where(Mask(), x * 2, double.NegativeInfinity).Softmax() * Mask()), x);
        Check.Both(Check.List(x => x.MaskedFill(Nd.LogicalAnd(Mask(), x > 0), 3)), x);
        NDArray q = TestArrays.Uniform((2, 3, 4));
        Check.Both(Check.List(q => q.ScaledDotProductAttention(q, q, Nd.Full((3, 3), value ? 1 : 0, DType.Bool))), q);
    }

    [Fact]
    public void MasksComeInAndGoOut()
    {
        NDArray mask = TestArrays.Uniform((8, 17), 5) > 0;
        HybridReport report = Check.Forward(x =>
        {
            NDArray selected = Nd.Where(x[0], x[1], 0);
            return [selected, Nd.LogicalXor(x[0], selected < 1)];
        }, mask, TestArrays.Special((8, 17)));
        Assert.Equal(1, report.KernelCount);
    }

    [Fact]
    public void AMaskOfOneNumberTypeSelectsNumbersOfTheOther() =>
        Check.Both(Check.List(static (x, y) => Nd.Where(x > 0, y, y * 2)), TestArrays.Uniform(50), TestArrays.Uniform(50, 2, DType.Float64));

    [Fact]
    public void MasksOfBothNumberTypesMeet() =>
        Check.Forward(Check.List(static (x, y) => Nd.LogicalOr(x > 0, y > 0)), TestArrays.Uniform(50), TestArrays.Uniform(50, 2, DType.Float64));

    [Fact]
    public void IntegerArithmeticGoesToTheLibrary()
    {
        HybridReport report = Check.Forward(Check.List(static (x, y) => x * y + x), TestArrays.Indices(20, 100), TestArrays.Indices(20, 100, 2));
        Assert.All(report.Groups, static g => Assert.Equal("Library", g.Kind));
        Assert.Contains("integer arithmetic", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void IntegersWrapAroundAsEagerly() => Check.Forward(Check.List(static x => x * 65_537 + 2_000_000_000), TestArrays.Indices(20, 100_000));

    [Fact]
    public void ConstantsKeepTheirBits()
    {
        foreach (double constant in (double[])[0, -0.0, double.NaN, double.PositiveInfinity, double.NegativeInfinity, 1e-45, 1.0 / 3, float.MaxValue])
        {
            Check.Forward(Check.List(x => x + constant), TestArrays.Special(40));
            Check.Forward(Check.List(x => x * constant), TestArrays.Special(40));
            Check.Forward(Check.List(x => Nd.Where(x > 0, x, constant)), TestArrays.Special(40));
        }
    }
}
