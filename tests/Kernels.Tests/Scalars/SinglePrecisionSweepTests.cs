using System.Globalization;
using System.Runtime.InteropServices;
using Fusion.Kernels;

namespace Fusion.Tests.Scalars;

/// <summary>
/// Float functions over the bit patterns of float, against the same formula in double (which <see cref="GoldenTests"/> holds to the exact values).
/// The suite visits one pattern in 9973, and every pattern next to an edge; <c>FUSION_SWEEP=1 dotnet test tests/Kernels.Tests --filter Sweep</c>
/// visits all 2³², two or three minutes a function.
/// </summary>
public class SinglePrecisionSweepTests
{
    private const int Block = 1 << 14;

    // A prime, so that the sample meets every combination of exponent and low bits.
    private static readonly long s_step = long.TryParse(Environment.GetEnvironmentVariable("FUSION_SWEEP"), out long step) && step > 0 ? step : 9973;

    private static readonly float[] s_edges =
    [
        0f, 1f, 0.5f, 2f, 1.25f, 0.84375f, 0.625f, 0.70710677f, 1.4142135f, 3.1415927f, 1.5707964f, 6.2831855f, 88.72284f, 87.33655f, 103.97208f, 128f, 126f, 149.5f,
        9.010913f, 17f, 24f, 15f, 35.04f, 34f, 16777216f, float.Epsilon, 1.17549435e-38f, float.MaxValue, float.PositiveInfinity, float.NaN,
    ];

    public static TheoryData<string> BinaryNames => [.. FormulaAccuracy.Binary.Select(f => f.Name)];

    public static TheoryData<string> Names => [.. FormulaAccuracy.Unary.Select(f => f.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void FloatResultsAreWithinTheirBound(string name)
    {
        FormulaAccuracy bound = GoldenTests.Bound(name);
        (double worst, float at) = (0, 0);
        uint[] bits = new uint[Block];
        foreach (int count in Blocks(bits))
        {
            float[] x = MemoryMarshal.Cast<uint, float>(bits.AsSpan(0, count)).ToArray();
            float[] actual = GoldenTests.Evaluate(name, DType.Float32, x);
            double[] expected = GoldenTests.Evaluate(name, DType.Float64, Array.ConvertAll(x, static v => (double)v));
            for (int i = 0; i < count; i++)
            {
                // A unit is at least 2⁻²⁴ of the number: most elements need no closer look.
                if (expected[i] != 0 && Math.Abs(actual[i] - expected[i]) <= worst * Math.ScaleB(1, -24) * Math.Abs(expected[i])) continue;
                double error = Ulp.Of(actual[i], expected[i]);
                if (error <= worst || Math.Abs(actual[i] - expected[i]) <= Math.ScaleB(bound.Absolute, -23)) continue;
                (worst, at) = (error, x[i]);
            }
        }

        Assert.True(worst <= bound.Single, string.Create(CultureInfo.InvariantCulture, $"{worst:F2} ULP at {name}({at:R})"));
    }

    // Pairs of all magnitudes and of near ones; for a power exponents up to overflow and underflow, where the logarithm is multiplied by as much as it can be.
    [Theory]
    [MemberData(nameof(BinaryNames))]
    public void FloatResultsOfTwoArgumentsAreWithinTheirBound(string name)
    {
        FormulaAccuracy bound = GoldenTests.Bound(name);
        Random random = new(11);
        float[] x = new float[1 << 19], y = new float[x.Length];
        for (int i = 0; i < x.Length; i++)
        {
            x[i] = i % 2 == 0 ? (float)((random.NextDouble() * 1.5) + 0.5) : BitConverter.Int32BitsToSingle(random.Next(1, 0x7F800000));
            y[i] = name switch
            {
                "Pow" => (float)(((random.NextDouble() * 275) - 148) / Math.Log2(x[i])),
                "LogAddExp" => x[i] + (float)((random.NextDouble() * 20) - 10),
                _ => i % 4 < 2 ? BitConverter.Int32BitsToSingle(random.Next(1, 0x7F800000)) : (float)(x[i] * ((random.NextDouble() * 6) - 3)),
            };
        }

        (x[0], y[0]) = (0.70448977f, -213.6633f);
        float[] actual = GoldenTests.Evaluate(name, DType.Float32, x, y);
        double[] expected = GoldenTests.Evaluate(name, DType.Float64, Array.ConvertAll(x, static v => (double)v), Array.ConvertAll(y, static v => (double)v));
        (double worst, int at) = (0, 0);
        for (int i = 0; i < x.Length; i++)
        {
            double error = Math.Abs(actual[i] - expected[i]) <= Math.ScaleB(bound.Absolute, -23) ? 0 : Ulp.Of(actual[i], expected[i]);
            if (error > worst) (worst, at) = (error, i);
        }

        Assert.True(worst <= bound.Single, string.Create(CultureInfo.InvariantCulture, $"{worst:F2} ULP at {name}({x[at]:R}, {y[at]:R})"));
    }

    private static IEnumerable<int> Blocks(uint[] bits)
    {
        int count = 0;
        foreach (float edge in s_edges)
        {
            for (int offset = -8; offset <= 8; offset++)
            {
                uint pattern = (uint)((int)BitConverter.SingleToUInt32Bits(edge) + offset);
                bits[count++] = pattern & 0x7FFFFFFF;
                bits[count++] = pattern | 0x80000000;
            }
        }

        for (long pattern = 0; pattern <= uint.MaxValue; pattern += s_step)
        {
            bits[count++] = (uint)pattern;
            if (count < bits.Length) continue;
            yield return count;
            count = 0;
        }

        if (count > 0) yield return count;
    }
}
