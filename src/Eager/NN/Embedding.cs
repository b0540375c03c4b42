namespace Fusion.NN;

/// <summary>Rows of the parameter <c>weight</c> (count, features), N(0, 1) at the start, at the indices that are the input (Int32 or Int64).</summary>
public sealed class Embedding : Module
{
    /// <summary>A table of vectors.</summary>
    /// <param name="count">The number of vectors.</param>
    /// <param name="features">Their size.</param>
    /// <param name="weightInitializer">The weight's start; N(0, 1) by default.</param>
    /// <param name="dtype">The type of the parameter.</param>
    public Embedding(int count, int features, Initializer? weightInitializer = null, DType dtype = DType.Float32)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(features);
        Weight = Parameter("weight", (weightInitializer ?? Initializer.Normal(0, 1)).Sample((count, features), dtype));
    }

    /// <summary>The vectors, (count, features).</summary>
    public NDArray Weight { get; }

    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => Weight.Embedding(x);
}
