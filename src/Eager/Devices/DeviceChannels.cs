namespace Fusion;

/// <summary>Batch normalization on an accelerator, of element-wise kernels and reductions.</summary>
internal static class DeviceChannels
{
    public static void Moments(NDArray x, NDArray moments) => Unrecorded(moments, () =>
    {
        (NDArray mean, NDArray variance) = MomentsOf(x);
        return Nd.Stack([Nd.Reshape(mean, -1), Nd.Reshape(variance, -1)]);
    });

    public static void Normalize(NDArray x, NDArray gamma, NDArray beta, double epsilon, NDArray y) =>
        Unrecorded(y, () => (Standardized(x, epsilon, out _) * PerChannel(gamma, x.Rank)) + PerChannel(beta, x.Rank));

    public static void Gradient(NDArray x, NDArray gamma, NDArray g, double epsilon, NDArray dx) => Unrecorded(dx, () =>
    {
        int[] axes = Normalization.ChannelAxes(x.Rank);
        NDArray normalized = Standardized(x, epsilon, out NDArray scale);
        NDArray centered = g - Nd.Mean(g, axes, keepDims: true) - (normalized * Nd.Mean(g * normalized, axes, keepDims: true));
        return centered * (scale * PerChannel(gamma, x.Rank));
    });

    public static void Sums(NDArray x, NDArray g, double epsilon, NDArray sums) => Unrecorded(sums, () =>
    {
        int[] axes = Normalization.ChannelAxes(x.Rank);
        return Nd.Stack([Nd.Sum(g, axes), Nd.Sum(g * Standardized(x, epsilon, out _), axes)]);
    });

    private static NDArray Standardized(NDArray x, double epsilon, out NDArray scale)
    {
        (NDArray mean, NDArray variance) = MomentsOf(x);
        scale = Nd.ReciprocalSqrt(variance + epsilon);
        return (x - mean) * scale;
    }

    private static (NDArray Mean, NDArray Variance) MomentsOf(NDArray x)
    {
        int[] axes = Normalization.ChannelAxes(x.Rank);
        NDArray mean = Nd.Mean(x, axes, keepDims: true);
        return (mean, Nd.Mean(Nd.Square(x - mean), axes, keepDims: true));
    }

    private static NDArray PerChannel(NDArray values, int rank) => Nd.Reshape(values, [values.Shape[0], .. Enumerable.Repeat(1, rank - 2)]);

    /// <summary>Computes a result of operators of the device, which no tape sees.</summary>
    public static void Unrecorded(NDArray result, Func<NDArray> compute)
    {
        using (Autograd.Pause(Autograd.IsTraining)) Movement.CopyTo(compute(), result);
    }
}
