using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// The <see cref="PatchAxis"/> of every phase of one spatial axis, as kernels compute it. A convolution has one phase; its transpose in the input has one for
/// every remainder of a position by the stride, each of which meets taps of its own.
/// </summary>
internal readonly struct PatchAxisRule
{
    public required int Phases { get; init; }

    public required int Kernel { get; init; }

    /// <summary>The stride that inputs are divided by; 1 for a convolution.</summary>
    public required int Stride { get; init; }

    public required int Dilation { get; init; }

    /// <summary>What is added to a position: the padding, or minus it for a convolution.</summary>
    public required int Shift { get; init; }

    /// <summary>From one tap of a phase to its next.</summary>
    public required int TapStep { get; init; }

    /// <summary>Source elements from one tap of a phase to its next.</summary>
    public required int Increment { get; init; }

    /// <summary>The outputs of a convolution over its input.</summary>
    public static PatchAxisRule Forward(in WindowShape s, int axis) => new()
    {
        Phases = 1,
        Kernel = s.Kernel[axis],
        Stride = 1,
        Dilation = 0,
        Shift = -s.Before[axis],
        TapStep = 1,
        Increment = s.Dilation[axis],
    };

    /// <summary>The inputs of a convolution over its outputs, see <see cref="PatchAxis.Backward"/>.</summary>
    public static PatchAxisRule Backward(in WindowShape s, int axis)
    {
        PatchAxis first = PatchAxis.Backward(s, axis, 0, out _, out int tapStep);
        return new PatchAxisRule
        {
            Phases = Math.Min(s.Stride[axis], s.Input[axis]),
            Kernel = s.Kernel[axis],
            Stride = s.Stride[axis],
            Dilation = s.Dilation[axis],
            Shift = s.Before[axis],
            TapStep = tapStep,
            Increment = first.Increment,
        };
    }

    /// <summary>The most taps that a phase has.</summary>
    public int MaxTaps => (Kernel + TapStep - 1) / TapStep;

    /// <summary>The first tap that a phase meets, or the kernel's size.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int FirstTap(int phase)
    {
        int tap = 0;
        while (tap < TapStep && (phase + Shift - tap * Dilation) % Stride != 0) tap++;
        return tap < TapStep && tap < Kernel ? tap : Kernel;
    }

    /// <summary>How many taps a phase meets.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Taps(int firstTap) => (Kernel - firstTap + TapStep - 1) / TapStep;

    /// <summary>Where the first tap of the phase's first position is in the source.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int First(int phase, int firstTap) => (phase + Shift - firstTap * Dilation) / Stride;
}
