using System.Numerics;

namespace Fusion.Tests;

/// <summary>The nearest BFloat16, found in the table of all of them: no arithmetic in common with the conversions under test.</summary>
internal static class HalfReference
{
    // The numbers from 0 up, by their bits, and the one that would follow the largest: what is half way to it or beyond is infinite.
    private static readonly double[] s_values =
        [.. Enumerable.Range(0, 0x7F80).Select(static bits => (double)BitConverter.UInt32BitsToSingle((uint)bits << 16)), Math.ScaleB(1, 128)];

    public static BFloat16 NearestBFloat16(double value)
    {
        if (double.IsNaN(value)) return BFloat16.NaN;
        double magnitude = Math.Abs(value);
        int bits = 0x7F80;
        if (magnitude < s_values[^1])
        {
            int found = Array.BinarySearch(s_values, magnitude);
            int below = found >= 0 ? found : ~found - 1;
            bits = found >= 0 ? found : Choose(below, (magnitude - s_values[below]).CompareTo(s_values[below + 1] - magnitude));
        }

        return BFloat16.FromBits((ushort)(bits | (double.IsNegative(value) ? 0x8000 : 0)));
    }

    public static BFloat16 NearestBFloat16(long value)
    {
        BigInteger magnitude = BigInteger.Abs(value);
        int below = Array.BinarySearch(s_values, (double)magnitude);
        if (below < 0) below = ~below - 1;
        while ((BigInteger)s_values[below] > magnitude) below--;
        int bits = magnitude < 256 ? below : Choose(below, (magnitude - (BigInteger)s_values[below]).CompareTo((BigInteger)s_values[below + 1] - magnitude));
        return BFloat16.FromBits((ushort)(bits | (value < 0 ? 0x8000 : 0)));
    }

    private static int Choose(int below, int nearer) => nearer < 0 || (nearer == 0 && below % 2 == 0) ? below : below + 1;
}
