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

/// <summary>x/(1 + |x|).</summary>
public sealed class Softsign : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.Softsign();
}

/// <summary>Ln σ(x).</summary>
public sealed class LogSigmoid : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.LogSigmoid();
}

/// <summary>x limited to [0, 6].</summary>
public sealed class Relu6 : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.Relu6();
}

/// <summary>x·α + β limited to [0, 1]; the defaults are MXNet's (PyTorch has α = 1/6).</summary>
/// <param name="alpha">The slope.</param>
/// <param name="beta">The value at 0.</param>
public sealed class HardSigmoid(double alpha = 0.2, double beta = 0.5) : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.HardSigmoid(alpha, beta);
}

/// <summary><see cref="Nd.HardSwish"/>.</summary>
public sealed class HardSwish : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.HardSwish();
}

/// <summary><see cref="Nd.Celu"/>.</summary>
public sealed class Celu : Module
{
    private readonly double _alpha;

    /// <summary>A layer for a limit.</summary>
    /// <param name="alpha">The limit for x → −∞, negated.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="alpha"/> is not positive.</exception>
    public Celu(double alpha = 1)
    {
        Require.Positive(alpha, nameof(Celu));
        _alpha = alpha;
    }

    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.Celu(_alpha);
}

/// <summary><see cref="Nd.Glu"/>: the first half of an axis times σ of the second.</summary>
/// <param name="axis">The axis.</param>
public sealed class Glu(int axis = -1) : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.Glu(axis);
}

/// <summary><see cref="Nd.PRelu"/> with the parameter <c>weight</c>: one slope, or one for each channel of (batch, channels, …).</summary>
/// <remarks><c>torch.nn.PReLU(num_parameters)</c>, <c>mxnet.gluon.nn.PReLU(in_channels)</c>.</remarks>
public sealed class PRelu : Module
{
    /// <summary>A layer for a number of channels.</summary>
    /// <param name="channels">The size of axis 1, or 1 for one slope of all elements.</param>
    /// <param name="slope">The slopes at the start.</param>
    /// <param name="dtype">The type of the parameter.</param>
    public PRelu(int channels = 1, double slope = 0.25, DType dtype = DType.Float32)
    {
        Require.Positive(channels, nameof(PRelu));
        Require.Trainable(dtype, nameof(PRelu));
        Weight = Parameter("weight", Nd.Full(channels, slope, dtype));
    }

    /// <summary>The slopes of the negative side, (channels).</summary>
    public NDArray Weight { get; }

    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x)
    {
        int channels = Weight.Shape[0];
        if (channels == 1) return x.PRelu(Weight.Reshape(Shape.Create([])));
        if (x.Rank < 2 || x.Shape[1] != channels)
            throw new ShapeException($"PRelu: the input {x.Shape} must be (batch, {channels}, …), one slope a channel, as the layer was made for. Reshape it, or make the layer with one slope.");
        int[] along = [channels, .. Enumerable.Repeat(1, x.Rank - 2)];
        return x.PRelu(Weight.Reshape(Shape.Create(along)));
    }
}

/// <summary>The input itself: a place for a layer that is left out.</summary>
public sealed class Identity : Module
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x;
}
