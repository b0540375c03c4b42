namespace Fusion.NN;

/// <summary>Rows of the parameter <c>weight</c> (count, features) at integer indices: the result has the indices' shape and a last axis of features.</summary>
public sealed class Embedding : Module
{
    /// <summary>A table of <paramref name="count"/> rows.</summary>
    /// <param name="count">The number of rows: indices are 0 to count − 1.</param>
    /// <param name="features">The size of a row.</param>
    /// <param name="weightInitializer">The weight's start; by default N(0, 1).</param>
    /// <param name="dtype">The type of the weight.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public Embedding(int count, int features, Initializer? weightInitializer = null, DType dtype = DType.Float32)
    {
        Require.Positive(count, nameof(Embedding));
        Require.Positive(features, nameof(Embedding));
        Require.Trainable(dtype, nameof(Embedding));
        Weight = Parameter("weight", (weightInitializer ?? Initializer.Normal(0, 1)).Sample((count, features), dtype));
    }

    /// <summary>The weight, (count, features).</summary>
    public NDArray Weight { get; }

    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => Nd.Embedding(Weight, x);
}
