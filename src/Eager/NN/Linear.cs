namespace Fusion.NN;

/// <summary>x·Wᵀ + b along the last axis, with the parameters <c>weight</c> (out, in) and <c>bias</c> (out).</summary>
public sealed class Linear : Module
{
    /// <summary>A layer from <paramref name="inFeatures"/> to <paramref name="outFeatures"/>.</summary>
    /// <param name="inFeatures">The size of the last axis of the input.</param>
    /// <param name="outFeatures">The size of the last axis of the output.</param>
    /// <param name="bias">Whether there is a bias.</param>
    /// <param name="weightInitializer">The weight's start; by default U(−1/√in, 1/√in), as the bias.</param>
    /// <param name="dtype">The type of the parameters.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public Linear(int inFeatures, int outFeatures, bool bias = true, Initializer? weightInitializer = null, DType dtype = DType.Float32)
    {
        Require.Positive(inFeatures, nameof(Linear));
        Require.Positive(outFeatures, nameof(Linear));
        Require.Trainable(dtype, nameof(Linear));
        double bound = 1 / Math.Sqrt(inFeatures);
        Weight = Parameter("weight", (weightInitializer ?? Initializer.Uniform(-bound, bound)).Sample((outFeatures, inFeatures), dtype));
        if (bias) Bias = Parameter("bias", Initializer.Uniform(-bound, bound).Sample(outFeatures, dtype));
    }

    /// <summary>The weight, (out, in).</summary>
    public NDArray Weight { get; }

    /// <summary>The bias, (out), if there is one.</summary>
    public NDArray? Bias { get; }

    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => Nd.FullyConnectedFor("Linear", x, Weight, Bias, flatten: false);
}
