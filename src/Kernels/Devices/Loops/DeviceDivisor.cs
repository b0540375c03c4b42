using System.Numerics;

namespace Fusion.Kernels;

/// <summary>
/// Division of a number below 2³¹ by a fixed one as a multiplication and a shift: T. Granlund and P. Montgomery, "Division by invariant integers using
/// multiplication", PLDI 1994, figure 4.1. Processors of graphics have no instruction for it.
/// </summary>
internal readonly struct DeviceDivisor
{
    public readonly int Value;
    private readonly uint _multiplier;
    private readonly int _shift;

    /// <summary>Divides by a value from 1 to 2³¹ − 1.</summary>
    public DeviceDivisor(int value)
    {
        Value = value;
        _shift = value == 1 ? 0 : BitOperations.Log2((uint)value - 1) + 1;
        _multiplier = (uint)((((1UL << _shift) - (ulong)value) << 32) / (ulong)value + 1);
    }

    private DeviceDivisor(uint multiplier, int shift) => (_multiplier, _shift) = (multiplier, shift);

    /// <summary>A divisor that is larger than every number: the quotient is 0.</summary>
    public static DeviceDivisor Infinite => new(0, 31);

    /// <summary>n / divisor for 0 ≤ n.</summary>
    public static int Divide(int n, DeviceDivisor divisor) =>
        (int)(((uint)(((ulong)(uint)n * divisor._multiplier) >> 32) + (uint)n) >> divisor._shift);
}
