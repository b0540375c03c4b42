using System.Runtime.InteropServices;
using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>The formats of two bytes: every pattern, every tie and its neighbours, to the bit.</summary>
public sealed unsafe class HalfCastTests
{
    private static readonly ushort[] s_patterns = [.. Enumerable.Range(0, 0x10000).Select(static bits => (ushort)bits)];

    [Fact]
    public void EveryFloat16WidensAsSystemHalf()
    {
        uint[] single = Convert<ushort, uint>(DType.Float16, DType.Float32, s_patterns);
        double[] wide = Convert<ushort, double>(DType.Float16, DType.Float64, s_patterns);
        for (int i = 0; i < s_patterns.Length; i++)
        {
            Half half = BitConverter.UInt16BitsToHalf((ushort)i);
            if (single[i] != BitConverter.SingleToUInt32Bits((float)half) || !wide[i].Equals((double)half)) Assert.Fail($"{i:x4}: {single[i]:x8}, {wide[i]}");
        }
    }

    [Fact]
    public void EveryBFloat16IsTheUpperHalfOfItsFloat32()
    {
        uint[] single = Convert<ushort, uint>(DType.BFloat16, DType.Float32, s_patterns);
        for (int i = 0; i < s_patterns.Length; i++) Assert.Equal((uint)i << 16, single[i]);
    }

    [Theory]
    [InlineData(DType.Float16)]
    [InlineData(DType.BFloat16)]
    public void EveryPatternComesBack(DType half)
    {
        foreach (DType through in new[] { DType.Float32, DType.Float64 })
        {
            byte[] wide = Convert<ushort, byte>(half, through, s_patterns);
            ushort[] back = Convert<byte, ushort>(through, half, wide);
            for (int i = 0; i < s_patterns.Length; i++)
            {
                if (s_patterns[i] == back[i]) continue;
                // A signaling NaN comes back quiet.
                Assert.True(IsNaN(half, s_patterns[i]) && IsNaN(half, back[i]), $"{i:x4} → {back[i]:x4}");
            }
        }
    }

    [Fact]
    public void Float32RoundsToFloat16AsSystemHalf()
    {
        float[] values = Singles(static bits => (float)BitConverter.UInt16BitsToHalf(bits), 1f / (1 << 12));
        ushort[] rounded = Convert<float, ushort>(DType.Float32, DType.Float16, values);
        for (int i = 0; i < values.Length; i++)
            if (rounded[i] != BitConverter.HalfToUInt16Bits((Half)values[i])) Assert.Fail($"{values[i]:R}: {rounded[i]:x4}");
    }

    [Fact]
    public void Float32RoundsToTheNearestBFloat16()
    {
        float[] values = Singles(static bits => BitConverter.UInt32BitsToSingle((uint)bits << 16), 1f / (1 << 9));
        ushort[] rounded = Convert<float, ushort>(DType.Float32, DType.BFloat16, values);
        for (int i = 0; i < values.Length; i++)
        {
            ushort expected = BFloat16.ToBits(HalfReference.NearestBFloat16(values[i])), scalar = BFloat16.ToBits((BFloat16)values[i]);
            bool same = float.IsNaN(values[i]) ? IsNaN(DType.BFloat16, rounded[i]) && rounded[i] == scalar : rounded[i] == expected && scalar == expected;
            if (!same) Assert.Fail($"{values[i]:R}: {rounded[i]:x4}, {scalar:x4}, not {expected:x4}");
        }
    }

    [Theory]
    [InlineData(DType.Float16)]
    [InlineData(DType.BFloat16)]
    public void RoundingInARegisterIsConversionAndBack(DType half)
    {
        float[] values = half == DType.Float16
            ? Singles(static bits => (float)BitConverter.UInt16BitsToHalf(bits), 1f / (1 << 12))
            : Singles(static bits => BitConverter.UInt32BitsToSingle((uint)bits << 16), 1f / (1 << 9));
        float[] expected = Convert<ushort, float>(half, DType.Float32, Convert<float, ushort>(DType.Float32, half, values)), rounded = new float[values.Length];
        ElementOp op = half == DType.Float16 ? ElementOps.RoundToFloat16 : ElementOps.RoundToBFloat16;
        int whole = values.Length & ~15;
        nint* table = stackalloc nint[2];
        fixed (float* from = TestData.WithSlack(values), to = rounded)
        {
            (table[0], table[1]) = ((nint)from, (nint)to);
            op.Loop(DType.Float32, 0).Invoke((nint)table, 0, whole);
        }

        for (int i = 0; i < whole; i++)
        {
            bool same = float.IsNaN(expected[i]) ? float.IsNaN(rounded[i]) : BitConverter.SingleToInt32Bits(expected[i]) == BitConverter.SingleToInt32Bits(rounded[i]);
            if (!same) Assert.Fail($"{values[i]:R}: {rounded[i]:R}, not {expected[i]:R}");
        }
    }

    [Fact]
    public void Float64RoundsOnce()
    {
        // Just beside a tie: a Float32 would be the tie itself.
        double[] values = [.. Ties(static bits => (double)BitConverter.UInt16BitsToHalf(bits)), .. Ties(static bits => (double)BFloat16.FromBits(bits))];
        ushort[] float16 = Convert<double, ushort>(DType.Float64, DType.Float16, values), bfloat16 = Convert<double, ushort>(DType.Float64, DType.BFloat16, values);
        int saved = 0;
        for (int i = 0; i < values.Length; i++)
        {
            BFloat16 expected = HalfReference.NearestBFloat16(values[i]);
            if (float16[i] != BitConverter.HalfToUInt16Bits((Half)values[i])) Assert.Fail($"Float16 of {values[i]:R}: {float16[i]:x4}");
            if (bfloat16[i] != BFloat16.ToBits(expected) || (BFloat16)values[i] != expected) Assert.Fail($"BFloat16 of {values[i]:R}: {bfloat16[i]:x4}");
            if (expected != (BFloat16)(float)values[i]) saved++;
        }

        Assert.True(saved > 10_000, "the values do not tell one rounding from two");
    }

    [Fact]
    public void IntegersRoundOnce()
    {
        Random random = new(5);
        List<long> values = [0, 1, -1, 255, 257, long.MaxValue, long.MinValue, int.MaxValue, int.MinValue];
        for (int i = 0; i < 100_000; i++)
        {
            long tie = ((256L + random.Next(256)) * 2 + 1) << random.Next(54);
            values.AddRange([tie, tie + 1, tie - 1, -tie - 1, 1 - tie]);
        }

        int[] narrow = [.. values.Where(static v => v is >= int.MinValue and <= int.MaxValue).Select(static v => (int)v)];
        ushort[] fromLong = Convert<long, ushort>(DType.Int64, DType.BFloat16, [.. values]), fromInt = Convert<int, ushort>(DType.Int32, DType.BFloat16, narrow);
        for (int i = 0; i < values.Count; i++) Assert.Equal(BFloat16.ToBits(HalfReference.NearestBFloat16(values[i])), fromLong[i]);
        for (int i = 0; i < narrow.Length; i++) Assert.Equal(BFloat16.ToBits(HalfReference.NearestBFloat16((long)narrow[i])), fromInt[i]);
    }

    private static bool IsNaN(DType half, ushort bits) => (bits & 0x7FFF) > (half == DType.Float16 ? 0x7C00 : 0x7F80);

    // Every number of a format, the ties between neighbours, what lies beside them, and arbitrary patterns, NaN of every kind among them.
    private static float[] Singles(Func<ushort, float> number, float halfStep)
    {
        List<float> values = [];
        foreach (ushort bits in s_patterns)
        {
            float value = number(bits);
            float tie = float.IsFinite(value) && float.IsFinite(number((ushort)(bits + 1))) ? value / 2 + number((ushort)(bits + 1)) / 2 : value * (1 + halfStep);
            values.AddRange([value, tie, MathF.BitIncrement(tie), MathF.BitDecrement(tie)]);
        }

        Random random = new(1);
        for (int i = 0; i < 2_000_000; i++) values.Add(BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)));
        for (int i = 0; i < 24; i++) values.AddRange([BitConverter.UInt32BitsToSingle(0x7F800000 | (1u << i)), BitConverter.UInt32BitsToSingle(0xFF800000 | (1u << i))]);
        return [.. values];
    }

    private static IEnumerable<double> Ties(Func<ushort, double> number)
    {
        for (int bits = 0; bits < 0x7FFF; bits++)
        {
            double value = number((ushort)bits), next = number((ushort)(bits + 1));
            if (!double.IsFinite(value) || !double.IsFinite(next)) continue;
            double tie = (value + next) / 2;
            foreach (double x in new[] { tie, tie * (1 + Math.ScaleB(1, -45)), tie * (1 - Math.ScaleB(1, -45)), Math.BitIncrement(tie), Math.BitDecrement(tie) })
            {
                yield return x;
                yield return -x;
            }
        }
    }

    private static TTo[] Convert<TFrom, TTo>(DType from, DType to, TFrom[] values)
        where TFrom : unmanaged
        where TTo : unmanaged
    {
        int count = MemoryMarshal.AsBytes(values.AsSpan()).Length / from.Size;
        TTo[] result = new TTo[count * to.Size / sizeof(TTo)];
        fixed (TFrom* s = TestData.WithSlack(values))
        fixed (TTo* t = result) Cast.Run(from, to, (nint)s, (nint)t, count);
        return result;
    }
}
