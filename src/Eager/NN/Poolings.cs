namespace Fusion.NN;

/// <summary>What the pooling layers share: the way windows lie.</summary>
public abstract class PoolingLayer : Module
{
    private protected PoolingLayer(int dimensions, Shape kernel, Shape? stride, Padding padding)
    {
        WindowRules.Check(GetType().Name, dimensions, kernel, stride, null, padding);
        (Kernel, Stride, Padding) = (kernel, stride, padding);
    }

    private protected Shape Kernel { get; }

    private protected Shape? Stride { get; }

    private protected Padding Padding { get; }
}

/// <summary><see cref="Nd.MaxPool1D"/>.</summary>
/// <param name="kernel">The size of a window.</param>
/// <param name="stride">The distance of windows; the kernel by default.</param>
/// <param name="padding">Elements −∞ around the input; none by default.</param>
public sealed class MaxPool1d(Shape kernel, Shape? stride = null, Padding padding = default) : PoolingLayer(1, kernel, stride, padding)
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => Nd.MaxPoolFor(nameof(MaxPool1d), 1, x, Kernel, Stride, Padding);
}

/// <summary><see cref="Nd.MaxPool2D"/>.</summary>
/// <inheritdoc cref="MaxPool1d"/>
public sealed class MaxPool2d(Shape kernel, Shape? stride = null, Padding padding = default) : PoolingLayer(2, kernel, stride, padding)
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => Nd.MaxPoolFor(nameof(MaxPool2d), 2, x, Kernel, Stride, Padding);
}

/// <summary><see cref="Nd.MaxPool3D"/>.</summary>
/// <inheritdoc cref="MaxPool1d"/>
public sealed class MaxPool3d(Shape kernel, Shape? stride = null, Padding padding = default) : PoolingLayer(3, kernel, stride, padding)
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => Nd.MaxPoolFor(nameof(MaxPool3d), 3, x, Kernel, Stride, Padding);
}

/// <summary><see cref="Nd.AvgPool1D"/>.</summary>
/// <param name="kernel">The size of a window.</param>
/// <param name="stride">The distance of windows; the kernel by default.</param>
/// <param name="padding">Zeros around the input; none by default.</param>
/// <param name="countIncludePad">Divide by the size of the window, padding included.</param>
public sealed class AvgPool1d(Shape kernel, Shape? stride = null, Padding padding = default, bool countIncludePad = true) : PoolingLayer(1, kernel, stride, padding)
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => Nd.AvgPoolFor(nameof(AvgPool1d), 1, x, Kernel, Stride, Padding, countIncludePad);
}

/// <summary><see cref="Nd.AvgPool2D"/>.</summary>
/// <inheritdoc cref="AvgPool1d"/>
public sealed class AvgPool2d(Shape kernel, Shape? stride = null, Padding padding = default, bool countIncludePad = true) : PoolingLayer(2, kernel, stride, padding)
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => Nd.AvgPoolFor(nameof(AvgPool2d), 2, x, Kernel, Stride, Padding, countIncludePad);
}

/// <summary><see cref="Nd.AvgPool3D"/>.</summary>
/// <inheritdoc cref="AvgPool1d"/>
public sealed class AvgPool3d(Shape kernel, Shape? stride = null, Padding padding = default, bool countIncludePad = true) : PoolingLayer(3, kernel, stride, padding)
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => Nd.AvgPoolFor(nameof(AvgPool3d), 3, x, Kernel, Stride, Padding, countIncludePad);
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

/// <summary><see cref="Nd.GlobalMaxPool"/>.</summary>
public sealed class GlobalMaxPool : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.GlobalMaxPool();
}
