using System.Numerics;
using System.Runtime.InteropServices;
using Fusion.Kernels;

namespace Fusion.Tests.Scalars;

/// <summary>The operations of a lane that no operator exposes alone: native extrema, powers of two, integer arithmetic on patterns; eager and as a tree.</summary>
public class LaneTests
{
    private static readonly double[] s_values =
    [
        0.0, -0.0, 1, -1, 1.5, -2.75, 3, 100, 1e-3, -1e30, 8388607, -8388608, double.NaN, double.PositiveInfinity, double.NegativeInfinity,
        float.Epsilon, -3e-45, 1.1754942e-38, 1.17549435e-38, float.MaxValue, double.Epsilon, -2.2250738585072009e-308, double.MaxValue,
    ];

    [Fact]
    public void NativeExtremaTakeTheSecondOfZerosAndNaN()
    {
        static T Min<T>(T x, T y, T z) where T : IFloatingPointIeee754<T> => x < y ? x : y;
        static T Max<T>(T x, T y, T z) where T : IFloatingPointIeee754<T> => x > y ? x : y;
        Check<MinNativeOp, float>(Min, s_values, s_values);
        Check<MinNativeOp, double>(Min, s_values, s_values);
        Check<MaxNativeOp, float>(Max, s_values, s_values);
        Check<MaxNativeOp, double>(Max, s_values, s_values);
    }

    [Fact]
    public void ScaleBRoundsOnce()
    {
        double[] exponents = [.. Enumerable.Range(-252, 505).Where(n => n % 7 == 0 || n is > -155 and < -120).Select(n => (double)n)];
        Check<ScaleBOp, float>((x, n, _) => float.ScaleB(x, (int)n), Mantissas(1e-30, 1e-38, 1e38), exponents);
        double[] wide = [.. Enumerable.Range(-2044, 4089).Where(n => n % 37 == 0 || n is > -1080 and < -1020).Select(n => (double)n)];
        Check<ScaleBOp, double>((x, n, _) => double.ScaleB(x, (int)n), Mantissas(1e-300, 1e-310, 1e308), wide);
    }

    [Fact]
    public void FallbacksGiveTheBitsOfTheInstructions()
    {
        double[] exponents = [.. Enumerable.Range(-252, 505).Select(n => (double)n)];
        Check<ScaleBFallbackOp, float>((x, n, _) => float.ScaleB(x, (int)n), Mantissas(1e-30, 1e-38, 1e38), exponents);
        double[] wide = [.. Enumerable.Range(-2044, 4089).Where(n => n % 11 == 0).Select(n => (double)n)];
        Check<ScaleBFallbackOp, double>((x, n, _) => double.ScaleB(x, (int)n), Mantissas(1e-300, 1e-310, 1e308), wide);
        Check<ToIntegerFallbackOp, double>((x, _, _) => BitConverter.Int64BitsToDouble((long)x), [0, 1, -1, 1023, -1074, 1L << 51, -(1L << 51)], [0]);
    }

    [Fact]
    public void IntegersConvertBothWays()
    {
        double[] integers = [0, 1, -1, 127, -126, 8388608, -8388609, 1 << 30];
        Check<ToIntegerOp, float>((x, _, _) => BitConverter.Int32BitsToSingle((int)x), integers, [0]);
        Check<ToIntegerOp, double>((x, _, _) => BitConverter.Int64BitsToDouble((long)x), [.. integers, 1L << 50], [0]);
        Check<FromIntegerOp, float>((x, _, _) => BitConverter.SingleToInt32Bits(x), s_values, [0]);
        Check<FromIntegerOp, double>((x, _, _) => BitConverter.DoubleToInt64Bits(x), s_values, [0]);
    }

    [Fact]
    public void PatternsAreTwosComplementIntegers()
    {
        Check<PatternOp, float>(
            (x, y, _) =>
            {
                (int a, int b) = (BitConverter.SingleToInt32Bits(x), BitConverter.SingleToInt32Bits(y));
                return BitConverter.Int32BitsToSingle(unchecked(((a + b) << 3) ^ ((a - b) >> 5) ^ (int)((uint)a >> 7) ^ 0x12345678));
            },
            s_values,
            s_values);
        Check<PatternOp, double>(
            (x, y, _) =>
            {
                (long a, long b) = (BitConverter.DoubleToInt64Bits(x), BitConverter.DoubleToInt64Bits(y));
                return BitConverter.Int64BitsToDouble(unchecked(((a + b) << 3) ^ ((a - b) >> 5) ^ (long)((ulong)a >> 7) ^ 0x12345678));
            },
            s_values,
            s_values);
    }

    [Fact]
    public void TheWidthIsOneOfThisMachine()
    {
        Assert.Contains(SimdWidth.Current, new[] { 128, 256, 512 });
        Assert.True(SimdWidth.Current <= SimdWidth.Hardware);
        Assert.Throws<ArgumentOutOfRangeException>(() => SimdWidth.Current = 64);
    }

    private static double[] Mantissas(params double[] scales) =>
        [0, double.NaN, double.PositiveInfinity, 1, -1.9999999, .. scales.SelectMany(s => new[] { 1.0, 1.25, 1.4999999, -1.7777777, 1.8 }.Select(m => m * s))];

    private static void Check<TOp, T>(Func<T, T, T, T> reference, double[] first, double[] second)
        where TOp : struct, IBinaryOp
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int n = first.Length * second.Length;
        T[] x = [.. Enumerable.Range(0, n).Select(i => T.CreateTruncating(first[i % first.Length]))];
        T[] y = [.. Enumerable.Range(0, n).Select(i => T.CreateTruncating(second[i / first.Length]))];
        ElementOp op = ElementOp.Binary<TOp>(typeof(TOp).Name);
        bool is64 = typeof(T) == typeof(double);
        KernelSpec spec = new(is64, [new(), new()], [KernelStep.Of(op, 0, 1)], [2]);
        foreach (int width in new[] { 128, 256, 512 }.Where(w => w <= SimdWidth.Hardware))
        {
            byte[] bytes = Operands.EagerBits(op, is64 ? DType.Float64 : DType.Float32, width, n, 0, x, y);
            using Operands operands = new();
            Assert.Equal(bytes, operands.Add<T>(x).Add<T>(y).Add<T>(new T[n]).Run(KernelCompiler.Compile(spec, width), 0, n).Read<byte>(2));
            T[] actual = MemoryMarshal.Cast<byte, T>(bytes).ToArray();
            for (int i = 0; i < n; i++)
            {
                T expected = reference(x[i], y[i], T.Zero);
                bool same = T.IsNaN(expected) ? T.IsNaN(actual[i]) : actual[i] == expected && T.IsNegative(actual[i]) == T.IsNegative(expected);
                if (!same) Assert.Fail($"{op}({x[i]:R}, {y[i]:R}) = {actual[i]:R}, expected {expected:R}, width {width}");
            }
        }
    }

    private readonly struct MinNativeOp : IBinaryOp
    {
        public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => L.MinNative(x, y);
    }

    private readonly struct MaxNativeOp : IBinaryOp
    {
        public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => L.MaxNative(x, y);
    }

    private readonly struct ScaleBOp : IBinaryOp
    {
        public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => L.ScaleB(x, y);
    }

    private readonly struct ScaleBFallbackOp : IBinaryOp
    {
        public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => LaneFallback.ScaleB(x, y);
    }

    private readonly struct ToIntegerOp : IBinaryOp
    {
        public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => L.ToInteger(x);
    }

    private readonly struct ToIntegerFallbackOp : IBinaryOp
    {
        public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => LaneFallback.ToInteger(x);
    }

    private readonly struct FromIntegerOp : IBinaryOp
    {
        public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => L.FromInteger(x);
    }

    private readonly struct PatternOp : IBinaryOp
    {
        public static L Invoke<L>(L x, L y) where L : struct, ILane<L>
        {
            L sum = L.ShiftLeft(L.AddInteger(x, y), 3), difference = L.ShiftRightArithmetic(L.SubtractInteger(x, y), 5);
            return L.Xor(L.Xor(sum, difference), L.Xor(L.ShiftRightLogical(x, 7), L.Bits(0x12345678)));
        }
    }
}
