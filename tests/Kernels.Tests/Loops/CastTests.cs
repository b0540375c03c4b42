using System.Numerics;
using Fusion.Kernels;

namespace Fusion.Tests;

[Collection(nameof(ProcessState))]
public sealed unsafe class CastTests
{
    private static readonly double[] s_values =
    [
        0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, 0.9999999, -0.9999999, 255, 256, 255.9, -3.7, 1e9, -1e9, 2147483647, 2147483648, -2147483648, -2147483649,
        4e18, 1e19, -1e19, 1e30, -1e300, double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.Epsilon, 16777217, 0.1, Math.PI,
    ];

    public static TheoryData<DType, DType> Pairs()
    {
        var pairs = new TheoryData<DType, DType>();
        foreach (DType from in Enum.GetValues<DType>())
            foreach (DType to in Enum.GetValues<DType>()) pairs.Add(from, to);
        return pairs;
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void EveryPairConvertsAsTheRulesSay(DType from, DType to)
    {
        foreach (int count in new[] { 0, 1, 15, 16, 17, 100, 70_000 })
        {
            byte[] source = new byte[(count * from.Size) + 8], target = new byte[(count * to.Size) + 8];
            target.AsSpan(count * to.Size).Fill(0xAB);
            fixed (byte* s = source, t = target)
            {
                for (int i = 0; i < count; i++) Write(from, s, i, i < 10_000 ? s_values[(i * 7) % s_values.Length] : i - 40_000.25);
                Cast.Run(from, to, (nint)s, (nint)t, count);
                for (int i = 0; i < count; i++)
                    if (!Expected(from, to, s, i).Equals(Read(to, t, i))) Assert.Fail($"{Read(from, s, i)} → {Read(to, t, i)}, not {Expected(from, to, s, i)}");
            }
            Assert.Equal(-1, target.AsSpan(count * to.Size).IndexOfAnyExcept((byte)0xAB));
        }
    }

    [Fact]
    public void FloatsBecomeIntegersTowardZeroAndInRange()
    {
        double[] from = [2.9, -2.9, double.NaN, 1e300, -1e300];
        int[] to = new int[5];
        fixed (double* s = from)
        fixed (int* t = to) Cast.Run(DType.Float64, DType.Int32, (nint)s, (nint)t, 5);
        Assert.Equal([2, -2, 0, int.MaxValue, int.MinValue], to);
    }

    private static object Expected(DType from, DType to, byte* source, int i) => Read(from, source, i) switch
    {
        float x => Convert(x, to),
        double x => Convert(x, to),
        int x => Convert(x, to),
        long x => Convert(x, to),
        byte x => Convert(x, to),
        Half x => Convert((float)x, to),
        BFloat16 x => Convert((float)x, to),
        bool x => Convert(x ? (byte)1 : (byte)0, to),
        _ => throw new InvalidOperationException(),
    };

    // C#'s conversions, with the range checks that C# leaves open for small integers.
    private static object Convert<T>(T x, DType to)
        where T : INumber<T>
    {
        bool isFloat = x is double or float;
        double real = double.CreateTruncating(x);
        long integer = isFloat ? 0 : long.CreateTruncating(x);
        return to switch
        {
            DType.Float32 => (object)(isFloat ? (float)real : (float)integer),
            DType.Float64 => real,
            DType.Int32 => isFloat ? (int)Clamped(real, int.MinValue, int.MaxValue) : unchecked((int)integer),
            DType.Int64 => isFloat ? Clamped(real, long.MinValue, long.MaxValue) : integer,
            DType.UInt8 => isFloat ? (byte)Clamped(real, 0, 255) : unchecked((byte)integer),
            DType.Float16 => (Half)real,
            DType.BFloat16 => isFloat ? HalfReference.NearestBFloat16(real) : HalfReference.NearestBFloat16(integer),
            _ => x != T.Zero,
        };
    }

    private static long Clamped(double x, long low, long high) => double.IsNaN(x) ? 0 : x >= high ? high : x <= low ? low : (long)x;

    private static object Read(DType dtype, byte* p, int i) => dtype switch
    {
        DType.Float32 => ((float*)p)[i],
        DType.Float64 => ((double*)p)[i],
        DType.Int32 => ((int*)p)[i],
        DType.Int64 => ((long*)p)[i],
        DType.UInt8 => p[i],
        DType.Float16 => ((Half*)p)[i],
        DType.BFloat16 => ((BFloat16*)p)[i],
        _ => p[i] != 0,
    };

    private static void Write(DType dtype, byte* p, int i, double value)
    {
        switch (dtype)
        {
            case DType.Float32: ((float*)p)[i] = (float)value; break;
            case DType.Float64: ((double*)p)[i] = value; break;
            case DType.Int32: ((int*)p)[i] = int.CreateSaturating(value); break;
            case DType.Int64: ((long*)p)[i] = long.CreateSaturating(value); break;
            case DType.UInt8: p[i] = byte.CreateSaturating(value); break;
            case DType.Float16: ((Half*)p)[i] = (Half)value; break;
            case DType.BFloat16: ((BFloat16*)p)[i] = HalfReference.NearestBFloat16(value); break;
            default: p[i] = value != 0 ? (byte)1 : (byte)0; break;
        }
    }
}
