namespace Fusion.NN;

/// <summary><see cref="Nd.MaxPool2D"/>.</summary>
public sealed class MaxPool2d : Module
{
    private readonly Shape _kernel;
    private readonly Shape? _stride;
    private readonly Padding _padding;

    /// <summary>A layer for windows of a size.</summary>
    /// <param name="kernel">The size of a window.</param>
    /// <param name="stride">The distance of windows; the kernel by default.</param>
    /// <param name="padding">Elements −∞ around the input; none by default.</param>
    public MaxPool2d(Shape kernel, Shape? stride = null, Padding padding = default)
    {
        WindowRules.Check(nameof(MaxPool2d), 2, kernel, stride, null, padding);
        (_kernel, _stride, _padding) = (kernel, stride, padding);
    }

    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => Nd.MaxPoolFor(nameof(MaxPool2d), 2, x, _kernel, _stride, _padding);
}

/// <summary><see cref="Nd.AvgPool2D"/>.</summary>
public sealed class AvgPool2d : Module
{
    private readonly Shape _kernel;
    private readonly Shape? _stride;
    private readonly Padding _padding;
    private readonly bool _countIncludePad;

    /// <summary>A layer for windows of a size.</summary>
    /// <param name="kernel">The size of a window.</param>
    /// <param name="stride">The distance of windows; the kernel by default.</param>
    /// <param name="padding">Zeros around the input; none by default.</param>
    /// <param name="countIncludePad">Divide by the size of the window, padding included.</param>
    public AvgPool2d(Shape kernel, Shape? stride = null, Padding padding = default, bool countIncludePad = true)
    {
        WindowRules.Check(nameof(AvgPool2d), 2, kernel, stride, null, padding);
        (_kernel, _stride, _padding, _countIncludePad) = (kernel, stride, padding, countIncludePad);
    }

    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => Nd.AvgPoolFor(nameof(AvgPool2d), 2, x, _kernel, _stride, _padding, _countIncludePad);
}

/// <summary><see cref="Nd.AdaptiveAvgPool"/> of any number of spatial axes.</summary>
/// <param name="outputSize">One size for all spatial axes or one each.</param>
public sealed class AdaptiveAvgPool(Shape outputSize) : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.AdaptiveAvgPool(outputSize);
}

/// <summary><see cref="Nd.GlobalAvgPool"/>.</summary>
public sealed class GlobalAvgPool : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.GlobalAvgPool();
}
