using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>A function of an angle.</summary>
internal enum AngleFunction
{
    Sine,
    Cosine,
    Tangent,
}

/// <summary>
/// Sine, cosine and tangent of angles that are too large for the reduction in line: x mod π/2 from as many bits of 2/π as x needs, one element at
/// a time.
/// </summary>
/// <remarks>Payne and Hanek, "Radian reduction for trigonometric functions", ACM SIGNUM Newsletter 18(1), 1983.</remarks>
internal static unsafe class AngleReduction
{
    // n·(π/2) in three parts is exact enough below these: n has few enough bits for the products to be exact.
    private const double LimitSingle = 1 << 18, LimitDouble = 1 << 30;

    // The first 1280 bits of 2/π. The largest double needs 971 − 2 bits skipped, 192 read, and up to 63 of a started word.
    private static ReadOnlySpan<ulong> TwoOverPi =>
    [
        0xA2F9836E4E441529, 0xFC2757D1F534DDC0, 0xDB6295993C439041, 0xFE5163ABDEBBC561,
        0xB7246E3A424DD2E0, 0x06492EEA09D1921C, 0xFE1DEB1CB129A73E, 0xE88235F52EBB4484,
        0xE99C7026B45F7E41, 0x3991D639835339F4, 0x9C845F8BBDF9283B, 0x1FF897FFDE05980F,
        0xEF2F118B5A0A6D1F, 0x6D367ECF27CB09B7, 0x4F463F669E5FEA2D, 0x7527BAC7EBE5F17B,
        0x3D0739F78A5292EA, 0x6BFB5FB11F8D5D08, 0x56033046FC7B6BAB, 0xF0CFBC209AF4361D,
    ];

    /// <summary>The words of 2/π that the reduction reads, for who has to spell them otherwise.</summary>
    internal static ReadOnlySpan<ulong> Words => TwoOverPi;

    /// <summary>A mask of the angles that need this class; infinities among them, NaN not.</summary>
    public static L IsLarge<L>(L x) where L : struct, ILane<L> => L.GreaterOrEqual(L.Abs(x), L.Const(L.Is64 ? LimitDouble : LimitSingle));

    /// <summary>Replaces the large angles among <paramref name="x"/> by the function of them.</summary>
    public static void Evaluate<T>(AngleFunction function, T* x, int count) where T : unmanaged
    {
        for (int i = 0; i < count; i++)
        {
            if (typeof(T) == typeof(float) && Math.Abs(((float*)x)[i]) >= LimitSingle) ((float*)x)[i] = (float)Evaluate(function, ((float*)x)[i]);
            if (typeof(T) == typeof(double) && Math.Abs(((double*)x)[i]) >= LimitDouble) ((double*)x)[i] = Evaluate(function, ((double*)x)[i]);
        }
    }

    private static double Evaluate(AngleFunction function, double x)
    {
        if (!double.IsFinite(x)) return double.NaN;
        (double r, int quadrant) = Reduce(Math.Abs(x));
        Lane128<double> rest = new() { V = Vector128.Create(r) };
        double sine = Formulas.SinePolynomial(rest).V.ToScalar(), cosine = Formulas.CosinePolynomial(rest).V.ToScalar();
        double sign = function == AngleFunction.Cosine ? 1 : Math.CopySign(1, x);
        if (function == AngleFunction.Tangent) return sign * ((quadrant & 1) == 0 ? sine / cosine : -cosine / sine);
        if (function == AngleFunction.Cosine) quadrant++;
        double value = (quadrant & 1) == 0 ? sine : cosine;
        return (quadrant & 2) == 0 ? sign * value : -sign * value;
    }

    /// <summary>x = (4k + quadrant)·π/2 + rest with |rest| ≤ π/4, for a finite x of at least 2¹⁸.</summary>
    private static (double Remainder, int Quadrant) Reduce(double x)
    {
        long bits = BitConverter.DoubleToInt64Bits(x);
        int exponent = (int)(bits >> 52) - 1075;
        ulong significand = (ulong)(bits & 0xFFFFFFFFFFFFF) | 0x10000000000000;

        // x·2/π = significand·2^exponent·Σ bᵢ·2^−ⁱ: the bits whose products are multiples of 4 are skipped, the next 192 are enough.
        int skip = Math.Max(0, exponent - 2);
        (ulong w2, ulong w1, ulong w0) = (Window(skip), Window(skip + 64), Window(skip + 128));
        UInt128 low = (UInt128)significand * w0;
        UInt128 middle = (UInt128)significand * w1 + (low >> 64);
        UInt128 high = (UInt128)significand * w2 + (middle >> 64);
        ulong p1 = (ulong)middle, p0 = (ulong)low;

        // The binary point comes to lie 190 bits from the right; smaller angles have bits above that still to be shifted down.
        int shift = 2 - Math.Min(2, exponent);
        UInt128 top = (UInt128)(ulong)high << 64 | p1;
        if (shift > 0) top = (top >> shift) | (high >> 64 << (128 - shift));
        ulong next = shift > 0 ? p0 >> shift | p1 << (64 - shift) : p0;
        int quadrant = (int)(top >> 126);
        UInt128 fraction = top << 2 | next >> 62;
        bool up = fraction >> 127 != 0;
        if (up) fraction = UInt128.Zero - fraction;
        double rest = Math.ScaleB((double)fraction, -128) * (Math.PI / 2);
        return (up ? -rest : rest, up ? (quadrant + 1) & 3 : quadrant);
    }

    private static ulong Window(int bit)
    {
        int word = bit >> 6, shift = bit & 63;
        return shift == 0 ? TwoOverPi[word] : TwoOverPi[word] << shift | TwoOverPi[word + 1] >> (64 - shift);
    }
}
