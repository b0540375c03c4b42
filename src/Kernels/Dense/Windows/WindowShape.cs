using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>One number for each of three spatial axes: depth, height, width. Convolutions of fewer axes have sizes 1 in front.</summary>
[InlineArray(3)]
internal struct Triple
{
    private int _first;

    public readonly long Product => (long)this[0] * this[1] * this[2];
}

/// <summary>
/// A convolution or pooling: output position o meets the input at o·Stride + k·Dilation − Before for every tap k of the kernel; what lies outside is padding.
/// </summary>
internal struct WindowShape
{
    public int Batch;
    public int Groups;

    /// <summary>Channels of the input in one group.</summary>
    public int InChannels;

    /// <summary>Channels of the output in one group.</summary>
    public int OutChannels;

    public Triple Input;
    public Triple Output;
    public Triple Kernel;
    public Triple Stride;
    public Triple Before;
    public Triple Dilation;

    /// <summary>Elements of one channel of the input.</summary>
    public readonly long InputSize => Input.Product;

    /// <summary>Elements of one channel of the output.</summary>
    public readonly long OutputSize => Output.Product;

    public readonly long Taps => Kernel.Product;
}
