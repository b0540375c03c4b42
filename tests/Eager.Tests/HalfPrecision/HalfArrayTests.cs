using System.Numerics.Tensors;

namespace Fusion.Tests;

/// <summary>Arrays of Float16 and BFloat16: made, read, written, viewed, converted.</summary>
public sealed class HalfArrayTests
{
    public static TheoryData<DType> Halves => [DType.Float16, DType.BFloat16];

    [Fact]
    public void ElementsGoInAndOutAsTheirCSharpTypes()
    {
        Half[] halves = [(Half)1, (Half)(-0.5), Half.Epsilon, Half.MaxValue, Half.NaN, Half.NegativeZero];
        NDArray x = Nd.Array(halves, (2, 3));
        Assert.Equal(DType.Float16, x.DType);
        Assert.Equal(halves, x.ToArray<Half>());
        Assert.Equal(halves, x.AsSpan<Half>().ToArray());
        Assert.Equal(halves[3], x[1, 0].Item<Half>());
        BFloat16[] brains = [(BFloat16)1f, (BFloat16)(-0.5f), BFloat16.Epsilon, BFloat16.MaxValue];
        NDArray y = Nd.Array(brains);
        Assert.Equal(DType.BFloat16, y.DType);
        Assert.Equal(brains, y.ToArray<BFloat16>());
        Assert.Equal(brains, y.AsSpan<BFloat16>().ToArray());
        Assert.Equal(brains[2], y[2].Item<BFloat16>());
        y.CopyFrom([brains[3], brains[2], brains[1], brains[0]]);
        Assert.Equal(brains.Reverse(), y.ToArray<BFloat16>());
        Assert.Equal((DType.Float16, DType.BFloat16), (DTypes.Of<Half>(), DTypes.Of<BFloat16>()));
        Assert.Equal(DType.Float16, Nd.Array(new Half[,] { { halves[0], halves[1] } }).DType);
    }

    [Fact]
    public void AnotherTypeIsRefusedByName()
    {
        NDArray x = Nd.Ones(3, DType.Float16), y = Nd.Ones(1, DType.BFloat16);
        Expect.Throws<DTypeException>(() => x.AsSpan<float>(), "AsSpan", "Float16", "AsType(DType.Float32)");
        Expect.Throws<DTypeException>(() => x.AsSpan<BFloat16>(), "Float16", "AsType(DType.BFloat16)");
        Expect.Throws<DTypeException>(() => x.AsSpan<ushort>(), "UInt16", "Half, BFloat16");
        Expect.Throws<DTypeException>(() => x.ToArray<short>(), "Int16");
        Expect.Throws<DTypeException>(() => y.Item<Half>(), "Item", "BFloat16");
        Expect.Throws<DTypeException>(() => x.CopyFrom([1f, 2, 3]), "CopyFrom", "Float16");
        Expect.Throws<DTypeException>(() => Nd.BitwiseAnd(x, x), "BitwiseAnd", "Float16", "AsType");
        Expect.Throws<DTypeException>(() => Nd.OneHot(x, 3), "OneHot", "Float16", "AsType");
        Expect.Throws<DTypeException>(() => Nd.Take(Nd.Ones(3), y), "Take", "BFloat16", "AsType");
        Expect.Throws<DTypeException>(() => Nd.Random.RandInt(0, 3, 3, DType.Float16), "RandInt", "Float16");
        Expect.Throws<DTypeException>(() => OpTable.Add.Apply(x, y), "Add", "Float16", "BFloat16");
        Expect.Throws<ShapeException>(() => (x + Nd.Ones(2, DType.Float16)).ToString(), "Add", "(3,)", "(2,)");
    }

    [Theory]
    [MemberData(nameof(Halves))]
    public void TwoBytesAnElement(DType half)
    {
        Assert.Equal((2, true, true, false), (half.Size, half.IsFloat, half.IsHalf, half.IsInteger));
        Assert.Equal(2000, Nd.Ones(1000, half).Bytes.Length);
    }

    [Theory]
    [MemberData(nameof(Halves))]
    public void ArraysAreMadeInTheType(DType half)
    {
        NDArray[] made = [Nd.Zeros(2, half), Nd.Ones(2, half), Nd.Full(2, 0.1, half), Nd.Arange(0, 3, 1, half), Nd.Linspace(0, 1, 5, half), Nd.Eye(2, half),
            Nd.Scalar(7, half), Nd.ZerosLike(Nd.Ones(2, half)), Nd.FullLike(Nd.Ones(2, half), 3)];
        Assert.All(made, x => Assert.Equal(half, x.DType));
        Expect.Elements(made[3], 0, 1, 2);
        Expect.Elements(made[4], 0, 0.25, 0.5, 0.75, 1);
        Expect.Elements(made[5], 1, 0, 0, 1);
        double tenth = half == DType.Float16 ? (double)(Half)0.1 : (double)(BFloat16)0.1;
        Expect.Elements(made[2], tenth, tenth);
    }

    [Theory]
    [MemberData(nameof(Halves))]
    public void ViewsAndWritesInPlace(DType half)
    {
        NDArray x = Nd.Arange(0, 24, 1, half).Reshape(2, 3, 4);
        Expect.Elements(x.Transpose(2, 0, 1)[1], 1, 5, 9, 13, 17, 21);
        Expect.Elements(x[1, 1..3, ^1], 19, 23);
        Expect.Elements(Nd.Flip(x, 2)[0, 0], 3, 2, 1, 0);
        NDArray y = x.Copy();
        y[0] = Nd.Scalar(-1, half);
        y[1, 0] = Nd.Array([1.5f, 2.5f, 3.5f, 4.5f]);
        Expect.Elements(y[0, 0], -1, -1, -1, -1);
        Expect.Elements(y[1, 0], 1.5, 2.5, 3.5, 4.5);
        Expect.Elements(x[1, 0], 12, 13, 14, 15);
        y.Fill(0.5);
        Expect.Elements(y[1, 2], 0.5, 0.5, 0.5, 0.5);
        y.Assign(Nd.Array([1, 2, 3, 4]));
        Expect.Elements(y[1, 2], 1, 2, 3, 4);
        Expect.Elements(Nd.Concat([x[0], x[1]], 1)[0], 0, 1, 2, 3, 12, 13, 14, 15);
        Expect.Elements(Nd.Take(x, Nd.Array([2, 0]), 1)[0, 0], 8, 9, 10, 11);
        Assert.Equal(half, Nd.Pad(x, [(0, 0), (1, 0), (0, 0)]).DType);
    }

    [Fact]
    public void ConversionToIntegersSaturatesAsThatOfFloat32()
    {
        Half[] values = [(Half)2.9, (Half)(-2.9), Half.NaN, Half.PositiveInfinity, Half.NegativeInfinity, (Half)300, (Half)(-1)];
        NDArray x = Nd.Array(values), wide = x.AsType(DType.Float32);
        foreach (DType integer in new[] { DType.Int32, DType.Int64, DType.UInt8, DType.Bool }) Assert.Null(Bits.Difference(wide.AsType(integer), x.AsType(integer)));
        Assert.Equal([2, -2, 0, int.MaxValue, int.MinValue, 300, -1], x.AsType(DType.Int32).ToArray<int>());
        Assert.Equal(Half.PositiveInfinity, Nd.Array([70_000]).AsType(DType.Float16).Item<Half>());
    }

    [Fact]
    public void TensorSpansShareTheElements()
    {
        NDArray x = Nd.Array([(Half)1, (Half)2, (Half)3, (Half)4], (2, 2));
        ReadOnlyTensorSpan<Half> span = x.Transpose().AsReadOnlyTensorSpan<Half>();
        Assert.Equal((Half)3, span[0, 1]);
        x.AsTensorSpan<Half>()[1, 1] = (Half)9;
        Expect.Elements(x, 1, 2, 3, 9);
        Assert.Equal([(Half)1, (Half)3, (Half)2, (Half)9], Nd.FromTensor(x.Transpose().AsReadOnlyTensorSpan<Half>()).ToArray<Half>());
        Assert.Equal(DType.BFloat16, Nd.FromTensor(Nd.Ones(2, DType.BFloat16).AsReadOnlyTensorSpan<BFloat16>()).DType);
        Expect.Throws<DTypeException>(() => x.AsReadOnlyTensorSpan<float>(), "AsReadOnlyTensorSpan", "Float16");
    }

    /// <summary>Where a number is computed with it is a Float32; where it is compared it is one of the array's.</summary>
    [Fact]
    public void NumbersBesideHalves()
    {
        NDArray x = Nd.Array([(Half)0.1, (Half)1000]);
        Assert.Equal([true, false], Nd.Equal(x, 0.1).ToArray<bool>());
        Assert.Equal([true, true], (x >= 0.1).ToArray<bool>());
        Assert.Equal([false, false], (x < 0.1).ToArray<bool>());
        Assert.Equal([(Half)0.1, (Half)0.1], Nd.Clip(x, -1, 0.1).ToArray<Half>());
        Assert.Equal([(Half)((float)(Half)0.1 * 0.1f), (Half)(1000f * 0.1f)], (x * 0.1).ToArray<Half>());
        // 1e-8 is no Float16, and 1e6 neither.
        Assert.Equal(Half.PositiveInfinity, (Nd.Ones(1, DType.Float16) / (Nd.Zeros(1, DType.Float16) + 1e-8)).Item<Half>());
        Assert.Equal((Half)(1 / 1e-3f), (1 / Nd.Full(1, 1e-3, DType.Float16)).AsType(DType.Float16).Item<Half>(), (a, b) => Half.Abs(a - b) <= (Half)1);
        Assert.Equal((Half)1e-3f, (Nd.Full(1, 1000, DType.Float16) / 1e6).Item<Half>());
        Assert.Equal((Half)0.5f, (Nd.Full(1, 35_000, DType.Float16) / Nd.Array([70_000])).Item<Half>());
    }
}
