using System.Numerics;

namespace Fusion.Kernels;

/// <summary>Division of a number below 2³¹ by a fixed one as a multiplication and a shift: accelerators have no instruction for it.</summary>
/// <remarks>
/// T. Granlund and P. L. Montgomery, "Division by invariant integers using multiplication", PLDI 1994, theorem 4.2 with N = 31: with
/// s = ⌈log₂ d⌉ and m = ⌊2³¹⁺ˢ/d⌋ + 1, ⌊n/d⌋ = ⌊n·m/2³¹⁺ˢ⌋; m fits 32 bits.
/// </remarks>
internal readonly struct DeviceDivisor
{
    public readonly int Value;

    /// <summary>m.</summary>
    public readonly uint Multiplier;

    /// <summary>31 + s.</summary>
    public readonly int Shift;

    /// <summary>Divides by a value from 1 to 2³¹ − 1.</summary>
    public DeviceDivisor(int value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
        Value = value;
        Shift = 63 - BitOperations.LeadingZeroCount((uint)value - 1);
        Multiplier = (uint)((1UL << Shift) / (uint)value + 1);
    }

    private DeviceDivisor(uint multiplier, int shift) => (Multiplier, Shift) = (multiplier, shift);

    /// <summary>A divisor that is larger than every number: the quotient is 0.</summary>
    public static DeviceDivisor Infinite => new(0, 31);

    /// <summary>n / divisor for 0 ≤ n.</summary>
    public static int Divide(int n, DeviceDivisor divisor) => (int)(((ulong)(uint)n * divisor.Multiplier) >> divisor.Shift);
}
