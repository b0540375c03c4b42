using System.Numerics;

namespace Fusion.Kernels;

/// <summary>Division of a non-negative int by a constant of at least 2 as a multiplication and a shift.</summary>
/// <remarks>
/// T. Granlund and P. L. Montgomery, "Division by invariant integers using multiplication", PLDI 1994, theorem 4.2 with N = 31: with
/// s = ⌈log₂ d⌉ and m = ⌊2³¹⁺ˢ/d⌋ + 1, ⌊i/d⌋ = ⌊i·m/2³¹⁺ˢ⌋; m fits 32 bits.
/// </remarks>
internal readonly record struct DeviceReciprocal
{
    public DeviceReciprocal(int divisor)
    {
        if (divisor < 2) throw new ArgumentOutOfRangeException(nameof(divisor), divisor, "Axes of one element have been merged.");
        int bits = 32 - BitOperations.LeadingZeroCount((uint)divisor - 1);
        Multiplier = (int)(uint)((1UL << (31 + bits)) / (uint)divisor + 1);
        Shift = bits - 1;
    }

    /// <summary>m, as the bits of an int.</summary>
    public int Multiplier { get; }

    /// <summary>s − 1: the high half of the product is shifted.</summary>
    public int Shift { get; }
}
