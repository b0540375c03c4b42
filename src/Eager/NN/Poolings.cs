namespace Fusion.NN;

/// <summary><see cref="Nd.MaxPool2D"/>.</summary>
/// <param name="kernel">The size of a window.</param>
/// <param name="stride">The distance of windows; the kernel by default.</param>
/// <param name="padding">Elements −∞ around the input; none by default.</param>
public sealed class MaxPool2d(Shape kernel, Shape? stride = null, Padding padding = default) : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.MaxPool2D(kernel, stride, padding);
}

/// <summary><see cref="Nd.AvgPool2D"/>.</summary>
/// <param name="kernel">The size of a window.</param>
/// <param name="stride">The distance of windows; the kernel by default.</param>
/// <param name="padding">Zeros around the input; none by default.</param>
/// <param name="countIncludePad">Divide by the size of the window, padding included.</param>
public sealed class AvgPool2d(Shape kernel, Shape? stride = null, Padding padding = default, bool countIncludePad = true) : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.AvgPool2D(kernel, stride, padding, countIncludePad);
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
