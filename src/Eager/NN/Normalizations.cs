namespace Fusion.NN;

/// <summary>
/// <see cref="Nd.BatchNorm"/> of the channels of (batch, channels, …), with the parameters <c>weight</c> (1) and <c>bias</c> (0) and the buffers
/// <c>running_mean</c> (0) and <c>running_var</c> (1), which a training forward updates.
/// </summary>
public sealed class BatchNorm : Module
{
    private readonly double _momentum;
    private readonly double _epsilon;

    /// <summary>A layer for a number of channels.</summary>
    /// <param name="features">The size of axis 1.</param>
    /// <param name="momentum">How much of the running values stays at every step.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="dtype">The type of parameters and buffers.</param>
    public BatchNorm(int features, double momentum = 0.9, double epsilon = 1e-5, DType dtype = DType.Float32)
    {
        Require.Positive(features, nameof(BatchNorm));
        Require.Trainable(dtype, nameof(BatchNorm));
        Require.NotNegative(epsilon, nameof(BatchNorm));
        Require.Fraction(momentum, nameof(BatchNorm));
        (_momentum, _epsilon) = (momentum, epsilon);
        Weight = Parameter("weight", Nd.Ones(features, dtype));
        Bias = Parameter("bias", Nd.Zeros(features, dtype));
        RunningMean = Buffer("running_mean", Nd.Zeros(features, dtype));
        RunningVar = Buffer("running_var", Nd.Ones(features, dtype));
    }

    /// <summary>The factor of each channel.</summary>
    public NDArray Weight { get; }

    /// <summary>The shift of each channel.</summary>
    public NDArray Bias { get; }

    /// <summary>The mean of each channel, as seen in training.</summary>
    public NDArray RunningMean { get; }

    /// <summary>The variance of each channel, as seen in training.</summary>
    public NDArray RunningVar { get; }

    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.BatchNorm(Weight, Bias, RunningMean, RunningVar, _momentum, _epsilon);
}

/// <summary><see cref="Nd.LayerNorm"/> over the last axes, with the parameters <c>weight</c> (1) and <c>bias</c> (0) of their shape.</summary>
public sealed class LayerNorm : Module
{
    private readonly double _epsilon;

    /// <summary>A layer for inputs that end in a shape.</summary>
    /// <param name="normalizedShape">The last axes, which are normalized together.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="dtype">The type of the parameters.</param>
    public LayerNorm(Shape normalizedShape, double epsilon = 1e-5, DType dtype = DType.Float32)
    {
        Require.Trainable(dtype, nameof(LayerNorm));
        Require.NotNegative(epsilon, nameof(LayerNorm));
        _epsilon = epsilon;
        Weight = Parameter("weight", Nd.Ones(normalizedShape, dtype));
        Bias = Parameter("bias", Nd.Zeros(normalizedShape, dtype));
    }

    /// <summary>The factor of each element.</summary>
    public NDArray Weight { get; }

    /// <summary>The shift of each element.</summary>
    public NDArray Bias { get; }

    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) =>
        LastAxes.Join("LayerNorm", x, Weight.Shape, rows => rows.LayerNorm(LastAxes.Vector(Weight), LastAxes.Vector(Bias), _epsilon));
}

/// <summary><see cref="Nd.RmsNorm"/> over the last axes, with the parameter <c>weight</c> (1) of their shape.</summary>
public sealed class RmsNorm : Module
{
    private readonly double _epsilon;

    /// <summary>A layer for inputs that end in a shape.</summary>
    /// <param name="normalizedShape">The last axes, which are normalized together.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="dtype">The type of the parameter.</param>
    public RmsNorm(Shape normalizedShape, double epsilon = 1e-6, DType dtype = DType.Float32)
    {
        Require.Trainable(dtype, nameof(RmsNorm));
        Require.NotNegative(epsilon, nameof(RmsNorm));
        _epsilon = epsilon;
        Weight = Parameter("weight", Nd.Ones(normalizedShape, dtype));
    }

    /// <summary>The factor of each element.</summary>
    public NDArray Weight { get; }

    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) =>
        LastAxes.Join("RmsNorm", x, Weight.Shape, rows => rows.RmsNorm(LastAxes.Vector(Weight), _epsilon));
}

/// <summary><see cref="Nd.GroupNorm"/> of the channels of (batch, channels, …), with the parameters <c>weight</c> (1) and <c>bias</c> (0).</summary>
public sealed class GroupNorm : Module
{
    private readonly int _groups;
    private readonly double _epsilon;

    /// <summary>A layer for a number of channels.</summary>
    /// <param name="groups">How many groups the channels are cut into.</param>
    /// <param name="channels">The size of axis 1.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="dtype">The type of the parameters.</param>
    public GroupNorm(int groups, int channels, double epsilon = 1e-5, DType dtype = DType.Float32)
    {
        Require.Positive(groups, nameof(GroupNorm));
        Require.Positive(channels, nameof(GroupNorm));
        Require.Trainable(dtype, nameof(GroupNorm));
        Require.NotNegative(epsilon, nameof(GroupNorm));
        if (channels % groups != 0) throw new ArgumentException($"GroupNorm: {groups} groups do not divide {channels} channels.", nameof(groups));
        (_groups, _epsilon) = (groups, epsilon);
        Weight = Parameter("weight", Nd.Ones(channels, dtype));
        Bias = Parameter("bias", Nd.Zeros(channels, dtype));
    }

    /// <summary>The factor of each channel.</summary>
    public NDArray Weight { get; }

    /// <summary>The shift of each channel.</summary>
    public NDArray Bias { get; }

    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => x.GroupNorm(_groups, Weight, Bias, _epsilon);
}

/// <summary>
/// <see cref="Nd.InstanceNorm"/> of the channels of (batch, channels, …), with the parameters <c>weight</c> (1) and <c>bias</c> (0) unless left out.
/// </summary>
/// <remarks><c>mxnet.gluon.nn.InstanceNorm</c>; <c>torch.nn.InstanceNorm2d</c>, which has no parameters by default (<c>affine=False</c>).</remarks>
public sealed class InstanceNorm : Module
{
    private readonly int _channels;
    private readonly double _epsilon;

    /// <summary>A layer for a number of channels.</summary>
    /// <param name="channels">The size of axis 1.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="affine">Whether there are a factor and a shift of each channel.</param>
    /// <param name="dtype">The type of the parameters.</param>
    public InstanceNorm(int channels, double epsilon = 1e-5, bool affine = true, DType dtype = DType.Float32)
    {
        Require.Positive(channels, nameof(InstanceNorm));
        Require.Trainable(dtype, nameof(InstanceNorm));
        Require.NotNegative(epsilon, nameof(InstanceNorm));
        (_channels, _epsilon) = (channels, epsilon);
        if (!affine) return;
        Weight = Parameter("weight", Nd.Ones(channels, dtype));
        Bias = Parameter("bias", Nd.Zeros(channels, dtype));
    }

    /// <summary>The factor of each channel, if there is one.</summary>
    public NDArray? Weight { get; }

    /// <summary>The shift of each channel, if there is one.</summary>
    public NDArray? Bias { get; }

    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x)
    {
        if (x.Rank < 3 || x.Shape[1] != _channels)
            throw new ShapeException($"InstanceNorm: the input {x.Shape} must be (batch, {_channels}, …) with spatial axes, as the layer was made for. Reshape it.");
        return x.InstanceNorm(Weight, Bias, _epsilon);
    }
}

/// <summary>Functions of the last axis applied to several last axes as one.</summary>
internal static class LastAxes
{
    public static NDArray Vector(NDArray x) => x.Rank == 1 ? x : x.Reshape(-1);

    public static NDArray Join(string layer, NDArray x, Shape last, Func<NDArray, NDArray> f)
    {
        if (x.Rank < last.Rank || !x.Shape.Dimensions[(x.Rank - last.Rank)..].SequenceEqual(last.Dimensions))
            throw new ShapeException($"{layer}: the input {x.Shape} does not end in {last}, the layer's normalized shape.");
        if (last.Rank == 1) return f(x);
        return f(x.Reshape(Shape.Create([.. x.Shape.Dimensions[..(x.Rank - last.Rank)], checked((int)last.Size)]))).Reshape(x.Shape);
    }
}
