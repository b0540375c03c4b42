namespace Fusion.NN;

/// <summary><see cref="Nd.Resize"/> of images (n, c, h, w) to (n, c, s·h, s·w).</summary>
/// <remarks><c>torch.nn.Upsample(scale_factor, mode, align_corners)</c>, <c>mx.nd.UpSampling</c>.</remarks>
public sealed class Upsample : Module
{
    private readonly int[] _scale;
    private readonly ResizeMode _mode;
    private readonly bool _alignCorners;

    /// <summary>A layer for a factor.</summary>
    /// <param name="scale">The factor of height and width, or one each.</param>
    /// <param name="mode">How the pixels between are found.</param>
    /// <param name="alignCorners">The corner pixels correspond, instead of the pixels' centres.</param>
    /// <exception cref="ArgumentOutOfRangeException">A factor is not positive.</exception>
    public Upsample(Shape scale, ResizeMode mode = ResizeMode.Nearest, bool alignCorners = false)
    {
        Require.Member(mode, nameof(Upsample));
        _scale = WindowRules.PerDimension(nameof(Upsample), "scale", scale, 2);
        (_mode, _alignCorners) = (mode, alignCorners);
    }

    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x)
    {
        if (x.Rank != 4) throw new ShapeException($"Upsample: {x.Shape} is not (n, channels, height, width). Add axes with ExpandDims.");
        int height = Errors.Extent(nameof(Upsample), (long)x.Shape[2] * _scale[0]), width = Errors.Extent(nameof(Upsample), (long)x.Shape[3] * _scale[1]);
        if (height == 0 || width == 0) throw new ShapeException($"Upsample: {x.Shape} has no pixels.");
        return x.Resize(height, width, _mode, _alignCorners);
    }
}
