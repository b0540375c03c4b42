namespace Fusion.Kernels;

/// <summary>
/// One spatial axis of a gather of patches: position p of the grid meets the source at p·Step + First + t·Increment for the taps t = 0, 1, …. Outside
/// [0, Source) lies padding.
/// </summary>
internal struct PatchAxis
{
    public int Source;
    public int Grid;
    public int Step;
    public int Taps;
    public int First;
    public int Increment;

    /// <summary>The first source position that is met; may be negative.</summary>
    public readonly int Low => Math.Min(First, Last);

    /// <summary>How many source positions lie between the first and the last that are met.</summary>
    public readonly int Span => Math.Abs(Last - First) + (Grid - 1) * Step + 1;

    /// <summary>Positions of one phase, x mod Step, of the span.</summary>
    public readonly int Cells => (Span + Step - 1) / Step;

    private readonly int Last => First + (Taps - 1) * Increment;

    /// <summary>The outputs of a convolution over its input.</summary>
    public static PatchAxis Forward(in WindowShape s, int axis) => new()
    {
        Source = s.Input[axis],
        Grid = s.Output[axis],
        Step = s.Stride[axis],
        Taps = s.Kernel[axis],
        First = -s.Before[axis],
        Increment = s.Dilation[axis],
    };

    /// <summary>
    /// The inputs i = q·Stride + phase over the outputs that they contribute to: output o and tap k with o·Stride + k·Dilation = i + Before. Of the kernel,
    /// only
    /// the taps <paramref name="firstTap"/>, + <paramref name="tapStep"/>, … meet this phase.
    /// </summary>
    public static PatchAxis Backward(in WindowShape s, int axis, int phase, out int firstTap, out int tapStep)
    {
        int stride = s.Stride[axis], dilation = s.Dilation[axis], kernel = s.Kernel[axis], position = phase + s.Before[axis];
        var divisor = GreatestCommonDivisor(stride, dilation);
        tapStep = stride / divisor;
        firstTap = 0;
        while (firstTap < tapStep && (position - firstTap * dilation) % stride != 0) firstTap++;
        var taps = firstTap < tapStep && firstTap < kernel ? (kernel - firstTap + tapStep - 1) / tapStep : 0;
        return new PatchAxis
        {
            Source = s.Output[axis],
            Grid = (s.Input[axis] - phase + stride - 1) / stride,
            Step = 1,
            Taps = taps,
            First = taps == 0 ? 0 : (position - firstTap * dilation) / stride,
            Increment = -dilation / divisor,
        };
    }

    private static int GreatestCommonDivisor(int a, int b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);
}
