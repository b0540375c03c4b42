using System.Diagnostics.CodeAnalysis;

namespace Fusion;

public static partial class Nd
{
    // Channels of one sample with fewer elements than this are scaled after all groups are normalized.
    private const long LeastRun = 16;

    /// <summary>(x − mean x)/√(variance x + ε)·gamma + beta along the last axis; gamma and beta have its size, 1 and 0 by default.</summary>
    /// <remarks>Ba, Kiros and Hinton, "Layer Normalization", 2016.</remarks>
    /// <exception cref="ShapeException">gamma or beta has another size, or x is a scalar.</exception>
    public static NDArray LayerNorm(this NDArray x, NDArray? gamma = null, NDArray? beta = null, double epsilon = 1e-5)
    {
        NDArray real = Elements.To(x, RealTypeOf(x));
        NormAttributes attributes = new(CheckEpsilon("LayerNorm", epsilon), true);
        RowOps.Check("LayerNorm", real.Type);
        if (gamma is not null && beta is not null) return OpTable.LayerNorm.Apply([real, Elements.To(gamma, real.DType), Elements.To(beta, real.DType)],
            attributes);
        if (gamma is not null) Normalization.CheckSize("LayerNorm", nameof(gamma), gamma.Shape, x.Shape, x.Shape[-1], "the last axis");
        if (beta is not null) Normalization.CheckSize("LayerNorm", nameof(beta), beta.Shape, x.Shape, x.Shape[-1], "the last axis");
        return Affine(OpTable.Standardize.Apply(Elements.Wide(real), attributes), gamma, beta, real.DType);
    }

    /// <summary>x/√(mean x² + ε)·gamma along the last axis; gamma has its size, 1 by default.</summary>
    /// <remarks>Zhang and Sennrich, "Root Mean Square Layer Normalization", NeurIPS 2019.</remarks>
    /// <exception cref="ShapeException">gamma has another size, or x is a scalar.</exception>
    public static NDArray RmsNorm(this NDArray x, NDArray? gamma = null, double epsilon = 1e-6)
    {
        NDArray real = Elements.To(x, RealTypeOf(x));
        NormAttributes attributes = new(CheckEpsilon("RmsNorm", epsilon), false);
        RowOps.Check("RmsNorm", real.Type);
        return gamma is null ? OpTable.Standardize.Apply(real, attributes) : OpTable.RmsNorm.Apply(real, Elements.To(gamma, real.DType), attributes);
    }

    /// <summary>
    /// (x − mean)/√(variance + ε)·gamma + beta for each channel of x (n, c, …). With the training flag, mean and variance (divided by the count) are those of
    /// the batch, and the running ones become momentum·running + (1 − momentum)·batch, in place; otherwise the running ones are used.
    /// </summary>
    /// <param name="x">The input, (batch, channels, …).</param>
    /// <param name="gamma">(c,).</param>
    /// <param name="beta">(c,).</param>
    /// <param name="runningMean">(c,); written while training.</param>
    /// <param name="runningVar">(c,); written while training.</param>
    /// <param name="momentum">How much of the running values stays.</param>
    /// <param name="epsilon">ε.</param>
    /// <remarks>Ioffe and Szegedy, "Batch Normalization", ICML 2015. PyTorch's momentum is 1 minus this one, and its running variance is divided by the count −
    /// 1.</remarks>
    /// <exception cref="ShapeException">A vector has another size than (c,), or a training batch is empty.</exception>
    public static NDArray BatchNorm(
        this NDArray x, NDArray gamma, NDArray beta, NDArray runningMean, NDArray runningVar, double momentum = 0.9, double epsilon = 1e-5)
    {
        NDArray real = Elements.To(x, RealTypeOf(x));
        ArgumentNullException.ThrowIfNull(gamma);
        ArgumentNullException.ThrowIfNull(beta);
        ArgumentNullException.ThrowIfNull(runningMean);
        ArgumentNullException.ThrowIfNull(runningVar);
        if (x.Rank < 2) throw new ShapeException($"BatchNorm: the input {x.Shape} must be (batch, channels, …).");
        foreach ((NDArray vector, string name) in new[] { (gamma, nameof(gamma)), (beta, nameof(beta)), (runningMean, nameof(runningMean)),
            (runningVar, nameof(runningVar)) })
        {
            if (vector.Rank != 1 || vector.Shape[0] != x.Shape[1])
                throw new ShapeException($"BatchNorm: {name} must be ({x.Shape[1]},), one value per channel of the input {x.Shape}, it is {vector.Shape}.");
        }

        Require.Fraction(momentum);
        CheckEpsilon("BatchNorm", epsilon);
        (gamma, beta) = (Elements.To(gamma, real.DType), Elements.To(beta, real.DType));
        if (!Autograd.IsTraining)
        {
            using Temporaries made = Temporaries.Collect();
            DType wide = Elements.WideType(real.DType);
            NDArray scale = Elements.Wide(gamma) * ReciprocalSqrt(Elements.To(runningVar, wide) + epsilon);
            NDArray shift = Elements.Wide(beta) - Elements.To(runningMean, wide) * scale;
            return made.Keep(Rounded(MultiplyAdd(Elements.Wide(real), ChannelShape(scale, "BatchNorm", x), ChannelShape(shift, "BatchNorm", x)), real.DType));
        }

        NDArray moments;
        using (Autograd.Pause(trainMode: true)) moments = OpTable.ChannelMoments.Apply(Elements.Wide(real));
        NDArray result = OpTable.BatchNorm.Apply([real, gamma, beta, moments], new NormAttributes(epsilon, true));
        if (!ExecutionState.Current.Repeats) UpdateStatistics(moments, runningMean, runningVar, momentum);
        return result;
    }

    private static void UpdateStatistics(NDArray moments, NDArray runningMean, NDArray runningVar, double momentum)
    {
        Tracer? tracer = ExecutionState.Current.Tracer;
        using RecordScope pause = Autograd.Pause(trainMode: true);
        if (tracer is not null) tracer.WritesOnce = true;
        try
        {
            runningMean.Assign(Elements.Wide(runningMean) * momentum + moments[0] * (1 - momentum));
            runningVar.Assign(Elements.Wide(runningVar) * momentum + moments[1] * (1 - momentum));
        }
        finally
        {
            if (tracer is not null) tracer.WritesOnce = false;
        }
    }

    /// <summary>
    /// The channels of x (n, c, …) are cut into groups; each group of each sample is normalized by its own mean and variance, then every channel is scaled by
    /// gamma and shifted by beta, (c,), 1 and 0 by default.
    /// </summary>
    /// <remarks>Wu and He, "Group Normalization", ECCV 2018.</remarks>
    /// <exception cref="ShapeException">The groups do not divide the channels, or gamma or beta has another size.</exception>
    public static NDArray GroupNorm(this NDArray x, int groups, NDArray? gamma = null, NDArray? beta = null, double epsilon = 1e-5) =>
        NormalizeGroups("GroupNorm", x, groups, gamma, beta, epsilon);

    /// <summary>
    /// Every channel of every sample of x (n, c, …) is normalized by its own mean and variance, then scaled by gamma and shifted by beta, (c,).
    /// </summary>
    /// <remarks>Ulyanov, Vedaldi and Lempitsky, "Instance Normalization", 2016.</remarks>
    /// <exception cref="ShapeException">gamma or beta has another size than (c,).</exception>
    public static NDArray InstanceNorm(this NDArray x, NDArray? gamma = null, NDArray? beta = null, double epsilon = 1e-5)
    {
        ArgumentNullException.ThrowIfNull(x);
        return NormalizeGroups("InstanceNorm", x, x.Rank < 2 ? 0 : x.Shape[1], gamma, beta, epsilon);
    }

    private static NDArray NormalizeGroups(string op, NDArray x, int groups, NDArray? gamma, NDArray? beta, double epsilon)
    {
        NDArray real = Elements.To(x, RealTypeOf(x));
        if (x.Rank < 2) throw new ShapeException($"{op}: the input {x.Shape} must be (batch, channels, …).");
        int channels = x.Shape[1];
        if (groups < 1 && channels > 0) throw new ArgumentOutOfRangeException(nameof(groups), groups, $"{op}: the number of groups must be positive.");
        if (channels > 0 && channels % groups != 0)
            throw new ShapeException($"{op}: {groups} groups do not divide the {channels} channels of the input {x.Shape}.");
        if (x.Size == 0) return real.Alias();
        if (IsPerChannel(gamma) && IsPerChannel(beta) && x.Size >= LeastRun * x.Shape[0] * channels)
            return OpTable.GroupNorm.Apply([real, gamma, beta], new GroupNormAttributes(CheckEpsilon(op, epsilon), groups));
        using Temporaries made = Temporaries.Collect();
        NDArray rows = Reshape(Elements.Wide(real), x.Shape[0], groups, -1);
        NDArray result = Reshape(OpTable.Standardize.Apply(rows, new NormAttributes(CheckEpsilon(op, epsilon), true)), x.Shape);
        return made.Keep(Affine(result, gamma is null ? null : ChannelShape(gamma, op, x), beta is null ? null : ChannelShape(beta, op, x), real.DType));

        bool IsPerChannel([NotNullWhen(true)] NDArray? vector) => vector is not null && vector.Shape == (Shape)channels && vector.DType == real.DType;
    }

    private static NDArray Affine(NDArray x, NDArray? gamma, NDArray? beta, DType dtype)
    {
        DType wide = Elements.WideType(dtype);
        (gamma, beta) = (gamma is null ? null : Elements.To(gamma, wide), beta is null ? null : Elements.To(beta, wide));
        if (gamma is not null && beta is not null) return Rounded(MultiplyAdd(x, gamma, beta), dtype);
        if (gamma is not null) x *= gamma;
        return Rounded(beta is null ? x : x + beta, dtype);
    }

    private static NDArray MultiplyAdd(NDArray x, NDArray gamma, NDArray beta) =>
        x.DType.IsFloat && gamma.DType == x.DType && beta.DType == x.DType ? OpTable.MultiplyAdd.Apply([x, gamma, beta]) : x * gamma + beta;

    // What was computed in Float32 for an input of half precision.
    private static NDArray Rounded(NDArray x, DType dtype) => dtype.IsHalf ? x.AsType(dtype) : x;

    private static double CheckEpsilon(string op, double epsilon)
    {
        Require.NotNegative(epsilon, op);
        return epsilon;
    }
}
