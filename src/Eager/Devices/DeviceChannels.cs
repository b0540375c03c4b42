namespace Fusion;

/// <summary>Batch normalization on an accelerator, of element-wise kernels and reductions.</summary>
internal static class DeviceChannels
{
    public static void Moments(NDArray x, NDArray moments) => Movement.Compose(moments, () =>
    {
        int[] axes = Normalization.ChannelAxes(x.Rank);
        NDArray mean = Nd.Mean(x, axes, keepDims: true);
        return Nd.Stack([Nd.Reshape(mean, -1), Nd.Mean(Nd.Square(x - mean), axes)]);
    });

    public static void Normalize(NDArray x, NDArray gamma, NDArray beta, NDArray moments, double epsilon, NDArray y) =>
        Movement.Compose(y, () => (Standardized(x, moments, epsilon, out _) * PerChannel(gamma, x.Rank)) + PerChannel(beta, x.Rank));

    public static void Gradient(NDArray x, NDArray gamma, NDArray g, NDArray moments, NDArray sums, double epsilon, NDArray dx) => Movement.Compose(dx, () =>
    {
        NDArray normalized = Standardized(x, moments, epsilon, out NDArray scale), means = sums / (x.Size / (double)x.Shape[1]);
        NDArray centered = g - PerChannel(means[0], x.Rank) - (normalized * PerChannel(means[1], x.Rank));
        return centered * (scale * PerChannel(gamma, x.Rank));
    });

    public static void Sums(NDArray x, NDArray g, NDArray moments, double epsilon, NDArray sums) => Movement.Compose(sums, () =>
    {
        int[] axes = Normalization.ChannelAxes(x.Rank);
        return Nd.Stack([Nd.Sum(g, axes), Nd.Sum(g * Standardized(x, moments, epsilon, out _), axes)]);
    });

    private static NDArray Standardized(NDArray x, NDArray moments, double epsilon, out NDArray scale)
    {
        scale = Nd.ReciprocalSqrt(PerChannel(moments[1], x.Rank) + epsilon);
        return (x - PerChannel(moments[0], x.Rank)) * scale;
    }

    private static NDArray PerChannel(NDArray values, int rank) => Nd.Reshape(values, [values.Shape[0], .. Enumerable.Repeat(1, rank - 2)]);
}
