namespace Fusion.NN;

// Functions without parameters as modules.

/// <summary>Max(x, 0).</summary>
public sealed class Relu : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.Relu();
}

/// <summary>x for x &gt; 0, slope·x otherwise.</summary>
/// <param name="slope">The slope of the negative side.</param>
public sealed class LeakyRelu(double slope = 0.01) : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.LeakyRelu(slope);
}

/// <summary>x·Φ(x), or its tanh form.</summary>
/// <param name="approximate">The tanh form.</param>
public sealed class Gelu(bool approximate = false) : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.Gelu(approximate);
}

/// <summary>x·σ(x).</summary>
public sealed class Silu : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.Silu();
}

/// <summary>σ(x).</summary>
public sealed class Sigmoid : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.Sigmoid();
}

/// <summary>Tanh x.</summary>
public sealed class Tanh : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.Tanh();
}

/// <summary>Ln(1 + eˣ).</summary>
public sealed class Softplus : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.Softplus();
}

/// <summary>Exp(x)/Σ exp(x) along an axis.</summary>
/// <param name="axis">The axis.</param>
public sealed class Softmax(int axis = -1) : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.Softmax(axis);
}

/// <summary>x − ln Σ exp(x) along an axis.</summary>
/// <param name="axis">The axis.</param>
public sealed class LogSoftmax(int axis = -1) : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.LogSoftmax(axis);
}

/// <summary>Keeps the first axis and joins all others.</summary>
public sealed class Flatten : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.Flatten();
}

/// <summary>In training mode sets elements to 0 with probability p and scales the others by 1/(1 − p).</summary>
public sealed class Dropout : Module
{
    private readonly double _p;
    private readonly int[]? _axes;

    /// <summary>A layer for a probability.</summary>
    /// <param name="p">The probability of a zero.</param>
    /// <param name="axes">Axes along which one decision holds for all elements; none by default.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="p"/> is not in [0, 1].</exception>
    public Dropout(double p = 0.5, int[]? axes = null)
    {
        Require.Fraction(p, nameof(Dropout));
        (_p, _axes) = (p, axes);
    }

    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.Dropout(_p, _axes);
}

/// <summary>x for x &gt; 0, α·(eˣ − 1) otherwise.</summary>
/// <param name="alpha">The limit for x → −∞, negated.</param>
public sealed class Elu(double alpha = 1) : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.Elu(alpha);
}

/// <summary>The self-normalizing exponential linear unit.</summary>
public sealed class Selu : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.Selu();
}

/// <summary>x·tanh(softplus x).</summary>
public sealed class Mish : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.Mish();
}
