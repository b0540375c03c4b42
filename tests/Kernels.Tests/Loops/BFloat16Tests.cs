using System.Globalization;

namespace Fusion.Tests;

public sealed class BFloat16Tests
{
    [Fact]
    public void TextIsTheShortestThatReadsBack()
    {
        for (int bits = 0; bits < 0x7F80; bits++)
        {
            BFloat16 value = BFloat16.FromBits((ushort)bits);
            string text = value.ToString(null, CultureInfo.InvariantCulture);
            Assert.Equal(value, (BFloat16)double.Parse(text, CultureInfo.InvariantCulture));
            // Some decimal with a digit less lies nearer to another number.
            string digits = text.Split('E')[0].Replace(".", string.Empty, StringComparison.Ordinal).Trim('0');
            if (digits.Length < 2) continue;
            double shorter = double.Parse(((double)value).ToString($"E{digits.Length - 2}", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
            Assert.NotEqual(value, (BFloat16)shorter);
        }
    }

    [Theory]
    [InlineData(0.1f, "0.1")]
    [InlineData(-1f, "-1")]
    [InlineData(256f, "256")]
    [InlineData(3.14159f, "3.14")]
    [InlineData(1e30f, "1E+30")]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.NegativeInfinity, "-Infinity")]
    public void TextOfSomeNumbers(float value, string text) => Assert.Equal(text, ((BFloat16)value).ToString(null, CultureInfo.InvariantCulture));

    [Fact]
    public void FormatsAreThoseOfFloat() => Assert.Equal("1.50", ((BFloat16)1.5f).ToString("F2", CultureInfo.InvariantCulture));

    [Fact]
    public void ComparesAsNumbers()
    {
        BFloat16 one = (BFloat16)1f, two = (BFloat16)2f, zero = (BFloat16)0f, minusZero = (BFloat16)(-0f), nan = BFloat16.NaN;
        Assert.True(one < two && two > one && one <= two && two >= one && one != two);
        Assert.True(zero == minusZero && zero.Equals(minusZero) && zero.GetHashCode() == minusZero.GetHashCode());
        Assert.False(nan == BFloat16.NaN);
        Assert.True(nan.Equals(BFloat16.NaN) && nan != one && !(nan < one) && !(nan >= one));
        Assert.Equal([-1, 1, 0, -1], new[] { one.CompareTo(two), two.CompareTo((object)one), one.CompareTo(one), nan.CompareTo(one) });
        Assert.Equal(1, one.CompareTo(null));
        Assert.Throws<ArgumentException>(() => one.CompareTo(1f));
        Assert.False(one.Equals((object)1f));
    }

    [Fact]
    public void Neighbours()
    {
        for (int bits = 0; bits < 0x7F80; bits++)
        {
            BFloat16 value = BFloat16.FromBits((ushort)bits), next = BFloat16.FromBits((ushort)(bits + 1));
            Assert.Equal(next, BFloat16.BitIncrement(value));
            Assert.Equal(value, BFloat16.BitDecrement(next));
            Assert.Equal((BFloat16)(-(float)next), BFloat16.BitDecrement((BFloat16)(-(float)value)));
            if (bits > 0) Assert.Equal((BFloat16)(-(float)value), BFloat16.BitIncrement((BFloat16)(-(float)next)));
        }

        Assert.Equal(BFloat16.PositiveInfinity, BFloat16.BitIncrement(BFloat16.PositiveInfinity));
        Assert.Equal(BFloat16.NegativeInfinity, BFloat16.BitDecrement(BFloat16.NegativeInfinity));
        Assert.True(BFloat16.IsNaN(BFloat16.BitIncrement(BFloat16.NaN)) && BFloat16.IsNaN(BFloat16.BitDecrement(BFloat16.NaN)));
    }

    [Fact]
    public void Limits()
    {
        Assert.Equal(MathF.ScaleB(1, -133), (float)BFloat16.Epsilon);
        Assert.Equal(MathF.ScaleB(255, 120), (float)BFloat16.MaxValue);
        Assert.Equal(-(float)BFloat16.MaxValue, (float)BFloat16.MinValue);
        Assert.True(BFloat16.IsInfinity((BFloat16)float.MaxValue) && BFloat16.IsInfinity(BFloat16.NegativeInfinity) && !BFloat16.IsFinite(BFloat16.PositiveInfinity));
        Assert.True(BFloat16.IsNaN(BFloat16.NaN) && !BFloat16.IsFinite(BFloat16.NaN) && BFloat16.IsFinite(BFloat16.MaxValue));
        Assert.True(BFloat16.IsNegative((BFloat16)(-0f)) && !BFloat16.IsNegative(BFloat16.Epsilon));
        Assert.Equal((double)(float)BFloat16.MaxValue, (double)BFloat16.MaxValue);
    }
}
