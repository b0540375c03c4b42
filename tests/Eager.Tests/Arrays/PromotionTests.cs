namespace Fusion.Tests;

/// <summary>Element types of results: promotion of arrays, weak C# numbers, and what division makes of integers.</summary>
public sealed class PromotionTests
{
    private static readonly DType[] s_types = [DType.Float32, DType.Float64, DType.Int32, DType.Int64, DType.UInt8, DType.Bool, DType.Float16, DType.BFloat16];

    // Rows and columns in the order of s_types: the type of x + y.
    private static readonly DType[][] s_sums =
    [
        [DType.Float32, DType.Float64, DType.Float32, DType.Float32, DType.Float32, DType.Float32, DType.Float32, DType.Float32],
        [DType.Float64, DType.Float64, DType.Float64, DType.Float64, DType.Float64, DType.Float64, DType.Float64, DType.Float64],
        [DType.Float32, DType.Float64, DType.Int32, DType.Int64, DType.Int32, DType.Int32, DType.Float16, DType.BFloat16],
        [DType.Float32, DType.Float64, DType.Int64, DType.Int64, DType.Int64, DType.Int64, DType.Float16, DType.BFloat16],
        [DType.Float32, DType.Float64, DType.Int32, DType.Int64, DType.UInt8, DType.UInt8, DType.Float16, DType.BFloat16],
        [DType.Float32, DType.Float64, DType.Int32, DType.Int64, DType.UInt8, DType.Int32, DType.Float16, DType.BFloat16],
        [DType.Float32, DType.Float64, DType.Float16, DType.Float16, DType.Float16, DType.Float16, DType.Float16, DType.Float32],
        [DType.Float32, DType.Float64, DType.BFloat16, DType.BFloat16, DType.BFloat16, DType.BFloat16, DType.Float32, DType.BFloat16],
    ];

    [Fact]
    public void TwoArraysArePromoted()
    {
        for (int i = 0; i < s_types.Length; i++)
        {
            for (int j = 0; j < s_types.Length; j++)
            {
                NDArray x = Nd.Ones(2, s_types[i]), y = Nd.Ones(2, s_types[j]);
                foreach (NDArray z in new[] { x + y, x * y, x - y, x.Maximum(y), x % y, x.FloorDivide(y) }) Assert.Equal(s_sums[i][j], z.DType);
                Assert.Equal(s_sums[i][j].IsFloat ? s_sums[i][j] : DType.Float32, (x / y).DType);
                Assert.Equal(DType.Bool, (x < y).DType);
                Expect.Elements(x + y, 2, 2);
                Expect.Elements((x + y).Equal(y + x), 1, 1);
            }
        }
    }

    public static TheoryData<string, DType?[]> Families => new()
    {
        // The types of the results, in the order of s_types; null: refused.
        { "square", [DType.Float32, DType.Float64, DType.Int32, DType.Int64, DType.UInt8, DType.Int32, DType.Float16, DType.BFloat16] },
        { "round", [DType.Float32, DType.Float64, DType.Int32, DType.Int64, DType.UInt8, DType.Int32, DType.Float16, DType.BFloat16] },
        { "exp", [DType.Float32, DType.Float64, DType.Float32, DType.Float32, DType.Float32, DType.Float32, DType.Float16, DType.BFloat16] },
        { "divide", [DType.Float32, DType.Float64, DType.Float32, DType.Float32, DType.Float32, DType.Float32, DType.Float16, DType.BFloat16] },
        { "less", [DType.Bool, DType.Bool, DType.Bool, DType.Bool, DType.Bool, DType.Bool, DType.Bool, DType.Bool] },
        { "bits", [null, null, DType.Int32, DType.Int64, DType.UInt8, DType.Bool, null, null] },
        { "sum", [DType.Float32, DType.Float64, DType.Int64, DType.Int64, DType.Int64, DType.Int64, DType.Float16, DType.BFloat16] },
        { "prod", [DType.Float32, DType.Float64, DType.Int64, DType.Int64, DType.Int64, DType.Int64, DType.Float16, DType.BFloat16] },
        { "mean", [DType.Float32, DType.Float64, DType.Float32, DType.Float32, DType.Float32, DType.Float32, DType.Float16, DType.BFloat16] },
        { "max", [DType.Float32, DType.Float64, DType.Int32, DType.Int64, DType.UInt8, DType.Bool, DType.Float16, DType.BFloat16] },
        { "argmax", [DType.Int64, DType.Int64, DType.Int64, DType.Int64, DType.Int64, DType.Int64, DType.Int64, DType.Int64] },
        { "matmul", [DType.Float32, DType.Float64, DType.Float32, DType.Float32, DType.Float32, DType.Float32, DType.Float16, DType.BFloat16] },
        { "softmax", [DType.Float32, DType.Float64, DType.Float32, DType.Float32, DType.Float32, DType.Float32, DType.Float16, DType.BFloat16] },
        { "sort", [DType.Float32, DType.Float64, DType.Int32, DType.Int64, DType.UInt8, DType.Bool, DType.Float16, DType.BFloat16] },
        { "onehot", [null, null, DType.Float32, DType.Float32, null, null, null, null] },
    };

    [Theory]
    [MemberData(nameof(Families))]
    public void FamiliesOfFunctionsHaveARule(string family, DType?[] expected)
    {
        for (int i = 0; i < s_types.Length; i++)
        {
            NDArray x = Nd.Ones((2, 2), s_types[i]);
            Func<NDArray> call = family switch
            {
                "square" => () => Nd.Square(x),
                "round" => () => Nd.Round(x),
                "exp" => () => Nd.Exp(x),
                "divide" => () => x / x,
                "less" => () => x < 0,
                "bits" => () => Nd.BitwiseAnd(x, x),
                "sum" => () => Nd.Sum(x),
                "prod" => () => Nd.Prod(x),
                "mean" => () => Nd.Mean(x),
                "max" => () => Nd.Max(x),
                "argmax" => () => Nd.ArgMax(x),
                "matmul" => () => Nd.MatMul(x, x),
                "softmax" => () => Nd.Softmax(x),
                "sort" => () => Nd.Sort(x),
                _ => () => Nd.OneHot(x, 2),
            };
            if (expected[i] is { } type) Assert.Equal(type, call().DType);
            else Assert.Contains("AsType", Assert.Throws<DTypeException>(call).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(DType.Int32, 2.0, DType.Int32)]
    [InlineData(DType.Int32, 0.5, DType.Float32)]
    [InlineData(DType.Int32, -3.0, DType.Int32)]
    [InlineData(DType.Int32, 5e9, DType.Int64)]
    [InlineData(DType.Int32, double.NaN, DType.Float32)]
    [InlineData(DType.Int32, double.PositiveInfinity, DType.Float32)]
    [InlineData(DType.Int64, 2.0, DType.Int64)]
    [InlineData(DType.Int64, 0.5, DType.Float32)]
    [InlineData(DType.UInt8, 200.0, DType.UInt8)]
    [InlineData(DType.UInt8, 300.0, DType.Int32)]
    [InlineData(DType.UInt8, -1.0, DType.Int32)]
    [InlineData(DType.Bool, 1.0, DType.Int32)]
    [InlineData(DType.Float32, 1e300, DType.Float32)]
    [InlineData(DType.Float32, 0.1, DType.Float32)]
    [InlineData(DType.Float64, 0.1, DType.Float64)]
    [InlineData(DType.Float16, 0.1, DType.Float16)]
    [InlineData(DType.Float16, 1e6, DType.Float16)]
    [InlineData(DType.BFloat16, 3.0, DType.BFloat16)]
    public void ANumberIsWeak(DType array, double number, DType expected)
    {
        NDArray x = Nd.Ones(2, array);
        foreach (NDArray z in new[] { x * number, number * x, x + number, number - x, x.Maximum(number) }) Assert.Equal(expected, z.DType);
        Assert.Equal(Expect.Doubles(x * number), Expect.Doubles(number * x));
        if (double.IsFinite(number) && expected != DType.Float32 && !expected.IsHalf) Expect.Elements(x * number, number, number);
    }

    [Fact]
    public void ProductsPromoteTheirOperands()
    {
        foreach (DType left in s_types)
        {
            foreach (DType right in s_types)
            {
                NDArray x = Nd.Ones((1, 2, 2), left), y = Nd.Ones((1, 2, 2), right);
                DType sum = DTypes.Promote(left, right), expected = sum.IsFloat ? sum : DType.Float32;
                NDArray[] products =
                [
                    x.MatMul(y), x.BatchDot(y), x.FullyConnected(y[0], flatten: false), x.FullyConnected(y[0], Nd.Ones(2), flatten: false), x[0].Dot(y[0]),
                    Nd.Einsum("bij,bjk->bik", x, y), x.Conv1D(Nd.Ones((2, 2, 1), right)), x.ScaledDotProductAttention(y, x),
                ];
                foreach (NDArray z in products) Assert.Equal(expected, z.DType);
                Expect.Elements(products[3], 3, 3, 3, 3);
            }
        }
    }

    [Fact]
    public void DivisionOfIntegersIsReal()
    {
        NDArray x = Nd.Array([7, -7]), y = Nd.Array([2, 2]);
        Assert.Equal(DType.Float32, (x / y).DType);
        Expect.Elements(x / y, 3.5, -3.5);
        Expect.Elements(x / 2, 3.5, -3.5);
        Expect.Elements(14 / x, 2, -2);
        Assert.Equal(DType.Float32, (Nd.Array([7L]) / Nd.Array([2L])).DType);
    }

    [Fact]
    public void RoundingLeavesIntegersAsTheyAre()
    {
        NDArray x = Nd.Array([16_777_217, int.MinValue]), y = Nd.Array([long.MaxValue]);
        foreach (Func<NDArray, NDArray> round in new Func<NDArray, NDArray>[] { Nd.Floor, Nd.Ceiling, Nd.Round, Nd.Truncate })
        {
            Assert.Equal(x.ToArray<int>(), round(x).ToArray<int>());
            Assert.Equal(y.ToArray<long>(), round(y).ToArray<long>());
        }
    }

    [Fact]
    public void FloorDivisionStaysIntegerAndRoundsDown()
    {
        NDArray x = Nd.Array([7, -7, 7, -7]), y = Nd.Array([2, 2, -2, -2]);
        Assert.Equal(DType.Int32, x.FloorDivide(y).DType);
        Expect.Elements(x.FloorDivide(y), 3, -4, -4, 3);
        Expect.Elements(x.FloorDivide(2), 3, -4, 3, -4);
        Expect.Elements(x.AsType(DType.Float32).FloorDivide(y), 3, -4, -4, 3);
        Assert.Equal(DType.Int64, Nd.Array([7L]).FloorDivide(2).DType);
    }

    [Theory]
    [InlineData(DType.Int32)]
    [InlineData(DType.Int64)]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    public void TheRemainderHasTheSignOfTheDivisor(DType dtype)
    {
        NDArray x = Nd.Array([7, -7, 7, -7, 6, -6, 0]).AsType(dtype), y = Nd.Array([3, 3, -3, -3, 3, -3, 5]).AsType(dtype);
        Assert.Equal(dtype, (x % y).DType);
        Expect.Elements(x % y, 1, 2, -2, -1, 0, 0, 0);
        Expect.Elements(x.FloorDivide(y) * y + x % y, Expect.Doubles(x));
    }

    [Fact]
    public void IntegerDivisionByZeroDoesNotKillTheProcess()
    {
        foreach (DType dtype in new[] { DType.Int32, DType.Int64, DType.UInt8 })
        {
            NDArray x = Nd.Full(70, 7, dtype), zero = Nd.Zeros(70, dtype);
            Expect.Elements(x.FloorDivide(zero)[..1], 0);
            Expect.Elements((x % zero)[69..], 0);
        }

        NDArray min = Nd.Array([int.MinValue]);
        Assert.Equal(int.MinValue, min.FloorDivide(-1)[0].Item<int>());
        Assert.Equal(0, (min % -1)[0].Item<int>());
        Expect.Elements(Nd.Array([1, -1, 0]) / 0, double.PositiveInfinity, double.NegativeInfinity, double.NaN);
    }

    [Fact]
    public void RoundingIsHalfToEven() =>
        Expect.Elements(Nd.Array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4999, 1e17]).Round(), -2, -2, -0.0, 0, 2, 2, 2, 1e17);

    [Fact]
    public void ReductionsOfIntegersAndTruthValues()
    {
        NDArray x = Nd.Array([1, 2, 4]), truth = Nd.Array([true, false, true, true]);
        Assert.Equal(DType.Float32, x.Mean().DType);
        Expect.Near(1e-6, x.Mean(), 7 / 3.0);
        Expect.Elements(truth.Mean(), 0.75);
        Assert.Equal(DType.Int64, x.Sum().DType);
        Expect.Elements(truth.Sum(), 3);
        Assert.Equal(7_000_000_000, Nd.Full(7, 1_000_000_000, DType.Int32).Sum().Item<long>());
        Assert.Equal(DType.Int32, x.Max().DType);
        Assert.Equal(DType.Int64, x.ArgMax().DType);
        Assert.Equal(2, x.ArgMax().Item<long>());
        foreach (NDArray whole in new[] { x.Sum(), x.Mean(), x.Max(), x.Prod(), x.Var(), x.Norm() }) Assert.Equal(0, whole.Rank);
    }

    [Fact]
    public void NormsOfIntegersDoNotOverflow()
    {
        foreach ((DType dtype, double value) in new[] { (DType.UInt8, 200.0), (DType.Int32, 300_000), (DType.Int64, 4e9), (DType.Bool, 1) })
        {
            NDArray x = Nd.Full(4, value, dtype), m = x.Reshape(2, 2);
            foreach (NDArray norm in new[] { x.Norm(), x.VectorNorm(), m.MatrixNorm() })
            {
                Assert.Equal(DType.Float32, norm.DType);
                Expect.Near(1e-6, norm, 2 * value);
            }
        }
    }

    [Fact]
    public void FunctionsOfRealNumbersTakeIntegers()
    {
        foreach (DType dtype in new[] { DType.Int32, DType.Int64, DType.UInt8, DType.Bool })
        {
            Assert.Equal(DType.Float32, Nd.Ones(1, dtype).Exp().DType);
            Expect.Near(1e-6, Nd.Ones(1, dtype).Exp(), Math.E);
            Assert.Equal(DType.Float32, Nd.MatMul(Nd.Ones((1, 2), dtype), Nd.Ones((2, 1), dtype)).DType);
        }

        Assert.Equal(DType.Int32, Nd.Array([-1]).Abs().DType);
        Assert.Equal(DType.Float64, Nd.Array([1.0]).Exp().DType);
    }

    [Fact]
    public void ConversionsTruncateAndTruthIsNotZero()
    {
        Expect.Elements(Nd.Array([1.9, -1.9, 0.5]).AsType(DType.Int32), 1, -1, 0);
        Expect.Elements(Nd.Array([0, 0.1, double.NaN, -2]).AsType(DType.Bool), 0, 1, 1, 1);
        Expect.Elements(Nd.Array([true, false]).AsType(DType.Float32), 1, 0);
        Assert.NotSame(s_ones, s_ones.AsType(DType.Float32));
    }

    private static readonly NDArray s_ones = Nd.Ones(1);

    [Fact]
    public void LinearInterpolationHasItsEndpoints() => Expect.Elements(Nd.Lerp(Nd.Array([1.0, 2]), Nd.Array([3.0, 10]), 0.5), 2, 6);
}
