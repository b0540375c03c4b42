namespace Fusion.NN;

/// <summary>What the convolution layers share: the parameters <c>weight</c> and <c>bias</c> (out) and the way windows lie.</summary>
public abstract class ConvolutionLayer : Module
{
    private protected ConvolutionLayer(
        int dimensions, int inChannels, int outChannels, bool transposed, Shape kernel, Shape? stride, Padding padding, Shape? dilation, int groups, bool bias,
        Initializer? weightInitializer, DType dtype)
    {
        Require.Positive(inChannels, GetType().Name);
        Require.Positive(outChannels, GetType().Name);
        Require.Positive(groups, GetType().Name);
        Require.Trainable(dtype, GetType().Name);
        if (inChannels % groups != 0 || outChannels % groups != 0)
            throw new ArgumentException($"{GetType().Name}: {groups} groups must divide the channels, {inChannels} in and {outChannels} out.", nameof(groups));
        WindowRules.Check(GetType().Name, dimensions, kernel, stride, dilation, padding);
        (Stride, Padding, Dilation, Groups) = (stride ?? 1, padding, dilation ?? 1, groups);
        int[] sizes = WindowRules.PerDimension(GetType().Name, "kernel", kernel, dimensions);
        Shape shape = transposed ? Shape.Create([inChannels, outChannels / groups, .. sizes]) : Shape.Create([outChannels, inChannels / groups, .. sizes]);
        double bound = 1 / Math.Sqrt(shape.Size / (double)shape[0]);
        Weight = Parameter("weight", (weightInitializer ?? Initializer.Uniform(-bound, bound)).Sample(shape, dtype));
        if (bias) Bias = Parameter("bias", Initializer.Uniform(-bound, bound).Sample(outChannels, dtype));
    }

    /// <summary>The filters.</summary>
    public NDArray Weight { get; }

    /// <summary>The bias, (out), if there is one.</summary>
    public NDArray? Bias { get; }

    private protected Shape Stride { get; }

    private protected Padding Padding { get; }

    private protected Shape Dilation { get; }

    private protected int Groups { get; }
}

/// <summary>
/// <see cref="Nd.Conv1D"/> with the parameters <c>weight</c> (out, in/groups, kernel) and <c>bias</c> (out), U(−1/√f, 1/√f) for f inputs of an output.
/// </summary>
/// <param name="inChannels">Channels of the input, its axis 1.</param>
/// <param name="outChannels">Channels of the output.</param>
/// <param name="kernel">The size of the filters.</param>
/// <param name="stride">The distance of windows; 1 by default.</param>
/// <param name="padding">Zeros around the input; none by default.</param>
/// <param name="dilation">The distance of the taps; 1 by default.</param>
/// <param name="groups">The number of groups.</param>
/// <param name="bias">Whether there is a bias.</param>
/// <param name="weightInitializer">The weight's start.</param>
/// <param name="dtype">The type of the parameters.</param>
public sealed class Conv1d(
    int inChannels, int outChannels, Shape kernel, Shape? stride = null, Padding padding = default, Shape? dilation = null, int groups = 1, bool bias = true,
    Initializer? weightInitializer = null, DType dtype = DType.Float32)
    : ConvolutionLayer(1, inChannels, outChannels, false, kernel, stride, padding, dilation, groups, bias, weightInitializer, dtype)
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => Nd.ConvFor(nameof(Conv1d), 1, x, Weight, Bias, Stride, Padding, Dilation, Groups);
}

/// <summary>
/// <see cref="Nd.Conv2D"/> with the parameters <c>weight</c> (out, in/groups, kernel, kernel) and <c>bias</c> (out), U(−1/√f, 1/√f) for f inputs of an output.
/// </summary>
/// <inheritdoc cref="Conv1d"/>
public sealed class Conv2d(
    int inChannels, int outChannels, Shape kernel, Shape? stride = null, Padding padding = default, Shape? dilation = null, int groups = 1, bool bias = true,
    Initializer? weightInitializer = null, DType dtype = DType.Float32)
    : ConvolutionLayer(2, inChannels, outChannels, false, kernel, stride, padding, dilation, groups, bias, weightInitializer, dtype)
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => Nd.ConvFor(nameof(Conv2d), 2, x, Weight, Bias, Stride, Padding, Dilation, Groups);
}

/// <summary>
/// <see cref="Nd.Conv3D"/> with the parameters <c>weight</c> (out, in/groups, kernel, kernel, kernel) and <c>bias</c> (out), U(−1/√f, 1/√f) for f inputs of an
/// output.
/// </summary>
/// <inheritdoc cref="Conv1d"/>
public sealed class Conv3d(
    int inChannels, int outChannels, Shape kernel, Shape? stride = null, Padding padding = default, Shape? dilation = null, int groups = 1, bool bias = true,
    Initializer? weightInitializer = null, DType dtype = DType.Float32)
    : ConvolutionLayer(3, inChannels, outChannels, false, kernel, stride, padding, dilation, groups, bias, weightInitializer, dtype)
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => Nd.ConvFor(nameof(Conv3d), 3, x, Weight, Bias, Stride, Padding, Dilation, Groups);
}

/// <summary><see cref="Nd.ConvTranspose1D"/> with the parameters <c>weight</c> (in, out/groups, kernel) and <c>bias</c> (out).</summary>
/// <param name="inChannels">Channels of the input, its axis 1.</param>
/// <param name="outChannels">Channels of the output.</param>
/// <param name="kernel">The size of the filters.</param>
/// <param name="stride">The distance at which the windows are laid down; 1 by default.</param>
/// <param name="padding">What is cut off around the output; none by default.</param>
/// <param name="outputPadding">Further elements at the end of the output, less than the stride or less than the dilation; none by default.</param>
/// <param name="dilation">The distance of the taps; 1 by default.</param>
/// <param name="groups">The number of groups.</param>
/// <param name="bias">Whether there is a bias.</param>
/// <param name="weightInitializer">The weight's start.</param>
/// <param name="dtype">The type of the parameters.</param>
public sealed class ConvTranspose1d(
    int inChannels, int outChannels, Shape kernel, Shape? stride = null, Padding padding = default, Shape? outputPadding = null, Shape? dilation = null,
        int groups = 1,
    bool bias = true, Initializer? weightInitializer = null, DType dtype = DType.Float32)
    : ConvolutionLayer(1, inChannels, outChannels, true, kernel, stride, padding, dilation, groups, bias, weightInitializer, dtype)
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => Nd.ConvTransposeFor(nameof(ConvTranspose1d), 1, x, Weight, Bias, Stride, Padding, outputPadding, Dilation, Groups);
}

/// <summary><see cref="Nd.ConvTranspose2D"/> with the parameters <c>weight</c> (in, out/groups, kernel, kernel) and <c>bias</c> (out).</summary>
/// <inheritdoc cref="ConvTranspose1d"/>
public sealed class ConvTranspose2d(
    int inChannels, int outChannels, Shape kernel, Shape? stride = null, Padding padding = default, Shape? outputPadding = null, Shape? dilation = null,
        int groups = 1,
    bool bias = true, Initializer? weightInitializer = null, DType dtype = DType.Float32)
    : ConvolutionLayer(2, inChannels, outChannels, true, kernel, stride, padding, dilation, groups, bias, weightInitializer, dtype)
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => Nd.ConvTransposeFor(nameof(ConvTranspose2d), 2, x, Weight, Bias, Stride, Padding, outputPadding, Dilation, Groups);
}

/// <summary><see cref="Nd.ConvTranspose3D"/> with the parameters <c>weight</c> (in, out/groups, kernel, kernel, kernel) and <c>bias</c> (out).</summary>
/// <inheritdoc cref="ConvTranspose1d"/>
public sealed class ConvTranspose3d(
    int inChannels, int outChannels, Shape kernel, Shape? stride = null, Padding padding = default, Shape? outputPadding = null, Shape? dilation = null,
        int groups = 1,
    bool bias = true, Initializer? weightInitializer = null, DType dtype = DType.Float32)
    : ConvolutionLayer(3, inChannels, outChannels, true, kernel, stride, padding, dilation, groups, bias, weightInitializer, dtype)
{
    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => Nd.ConvTransposeFor(nameof(ConvTranspose3d), 3, x, Weight, Bias, Stride, Padding, outputPadding, Dilation, Groups);
}
