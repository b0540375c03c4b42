using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>A convolution or pooling to try: (batch, groups, in and out channels of a group), then a number for depth, height and width each.</summary>
public sealed record DenseWindow(int[] Channels, int[] Input, int[] Kernel)
{
    public int[] Stride { get; init; } = [1, 1, 1];

    public int[] Dilation { get; init; } = [1, 1, 1];

    public int[] Before { get; init; } = [0, 0, 0];

    internal WindowShape Shape
    {
        get
        {
            WindowShape s = new() { Batch = Channels[0], Groups = Channels[1], InChannels = Channels[2], OutChannels = Channels[3] };
            for (int i = 0; i < 3; i++)
            {
                (s.Input[i], s.Kernel[i], s.Stride[i], s.Before[i], s.Dilation[i]) = (Input[i], Kernel[i], Stride[i], Before[i], Dilation[i]);
                s.Output[i] = (s.Input[i] + 2 * s.Before[i] - (s.Kernel[i] - 1) * s.Dilation[i] - 1) / s.Stride[i] + 1;
            }

            return s;
        }
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"[{string.Join(',', Channels)}] [{string.Join(',', Input)}] kernel [{string.Join(',', Kernel)}] stride [{string.Join(',', Stride)}] "
        + $"dilation [{string.Join(',', Dilation)}] before [{string.Join(',', Before)}]";
}
