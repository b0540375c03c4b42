using System.Globalization;
using System.Runtime.CompilerServices;

namespace Fusion.NN;

/// <summary>
/// Losses of a prediction and a target. By default the mean over all values, of rank 0. Except for class indices, prediction and target have the same
/// shape: a target that would only broadcast is an error. Integers and Bool are converted to Float32.
/// </summary>
public static partial class Loss
{
    private static readonly CallerAttributes s_crossEntropy = new("SoftmaxCrossEntropy", "target"), s_likelihood = new("NegativeLogLikelihood", "target") { Classes = true };

    /// <summary>−Σ p·log softmax(logits) along the last axis; the target holds class indices (Int32 or Int64) or probabilities.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A class index is outside the last axis.</exception>
    public static NDArray SoftmaxCrossEntropy(NDArray prediction, NDArray target, Reduction reduction = Reduction.Mean) =>
        SoftmaxCrossEntropy(prediction, target, 0, reduction);

    /// <summary>The same with label smoothing s: of c classes the probabilities are (1 − s)·p + s/c.</summary>
    /// <remarks>Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016, section 7.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">A class index is outside the last axis, or the smoothing is not in [0, 1].</exception>
    [OverloadResolutionPriority(1)] // a literal 0 is a Reduction as well
    public static NDArray SoftmaxCrossEntropy(NDArray prediction, NDArray target, double labelSmoothing, Reduction reduction = Reduction.Mean)
    {
        CheckClasses(prediction, target, reduction);
        Require.Fraction(labelSmoothing);
        using Temporaries made = Temporaries.Collect();
        NDArray logits = Elements.Wide(prediction), values = Nd.SoftmaxCrossEntropyFor(s_crossEntropy, logits, Elements.Wide(target));
        if (labelSmoothing > 0) values = values * (1 - labelSmoothing) - Nd.Mean(Nd.LogSoftmax(logits), -1) * labelSmoothing;
        return made.Keep(Reduce(values, reduction, TypeOf(prediction, target)));
    }

    /// <summary>(prediction − target)².</summary>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static NDArray MeanSquaredError(NDArray prediction, NDArray target, Reduction reduction = Reduction.Mean)
    {
        DType dtype = Begin(ref prediction, ref target, reduction);
        using Temporaries made = Temporaries.Collect();
        if (reduction is not (Reduction.Sum or Reduction.Mean)) return made.Keep(Reduce(Nd.Square(prediction - target), reduction, dtype));
        NDArray sum = Nd.SumOfSquaredDifferences(prediction, target);
        return made.Keep(Rounded(reduction == Reduction.Sum ? sum : sum / prediction.Size, dtype));
    }

    /// <summary>|prediction − target|.</summary>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static NDArray L1(NDArray prediction, NDArray target, Reduction reduction = Reduction.Mean)
    {
        DType dtype = Begin(ref prediction, ref target, reduction);
        using Temporaries made = Temporaries.Collect();
        return made.Keep(Reduce(OpTable.AbsoluteDifference, OpTable.SumOfAbsoluteDifferences, [prediction, target], reduction, dtype));
    }

    /// <summary>With d = |prediction − target|: ½d² for d ≤ δ, δ·(d − ½δ) beyond.</summary>
    /// <remarks>Huber, "Robust Estimation of a Location Parameter", Annals of Mathematical Statistics 35, 1964.</remarks>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">δ is not positive.</exception>
    public static NDArray Huber(NDArray prediction, NDArray target, Reduction reduction = Reduction.Mean, double delta = 1)
    {
        DType dtype = Begin(ref prediction, ref target, reduction);
        Require.Positive(delta);
        using Temporaries made = Temporaries.Collect();
        NDArray constant = Elements.Weak(OpTable.Huber, delta, prediction.DType);
        return made.Keep(Reduce(OpTable.Huber, OpTable.SumOfHuber, [prediction, target, constant], reduction, dtype));
    }

    /// <summary>With d = |prediction − target|: ½d²/β for d &lt; β, d − ½β beyond.</summary>
    /// <remarks>Girshick, "Fast R-CNN", ICCV 2015, eq. 3.</remarks>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">β is not positive.</exception>
    public static NDArray SmoothL1(NDArray prediction, NDArray target, Reduction reduction = Reduction.Mean, double beta = 1)
    {
        Require.Positive(beta);
        DType dtype = Begin(ref prediction, ref target, reduction);
        return Rounded(Huber(prediction, target, reduction, beta) * (1 / beta), dtype);
    }

    /// <summary>softplus(x) − x·target = −target·ln σ(x) − (1 − target)·ln(1 − σ(x)) of logits x, stable at both ends.</summary>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static NDArray BinaryCrossEntropyWithLogits(NDArray prediction, NDArray target, Reduction reduction = Reduction.Mean)
    {
        DType dtype = Begin(ref prediction, ref target, reduction);
        using Temporaries made = Temporaries.Collect();
        return made.Keep(Reduce(Nd.Softplus(prediction) - prediction * target, reduction, dtype));
    }

    /// <summary>Σ target·(ln target − prediction) along the last axis, of log-probabilities and probabilities; where the target is 0 the term is 0, also of −∞.</summary>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static NDArray KLDivergence(NDArray prediction, NDArray target, Reduction reduction = Reduction.Mean)
    {
        DType dtype = Begin(ref prediction, ref target, reduction);
        CheckLastAxis(prediction);
        using Temporaries made = Temporaries.Collect();
        NDArray none = target.Equal(0), p = Nd.Where(none, 1, target);
        return made.Keep(Reduce(Nd.Sum(Nd.Where(none, 0, p * (Nd.Log(p) - prediction)), -1), reduction, dtype));
    }

    /// <summary>max(0, margin − prediction·target) with targets −1 and 1.</summary>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static NDArray Hinge(NDArray prediction, NDArray target, Reduction reduction = Reduction.Mean, double margin = 1)
    {
        DType dtype = Begin(ref prediction, ref target, reduction);
        using Temporaries made = Temporaries.Collect();
        return made.Keep(Reduce(Nd.Relu(margin - prediction * target), reduction, dtype));
    }

    /// <summary>−prediction[target] of log-probabilities (…, classes) and class indices (…), Int32 or Int64.</summary>
    /// <exception cref="ShapeException">The target is not the prediction's shape without the last axis.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A class index is outside the last axis.</exception>
    public static NDArray NegativeLogLikelihood(NDArray prediction, NDArray target, Reduction reduction = Reduction.Mean)
    {
        CheckClasses(prediction, target, reduction);
        NDArray picked = OpTable.Pick.Apply(Elements.Wide(prediction), target, s_likelihood);
        return Reduce(-picked, reduction, TypeOf(prediction, target));
    }

    /// <summary>exp(prediction) − target·prediction: the negative logarithm of Poisson's probability up to a constant, of the logarithm of the mean.</summary>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static NDArray PoissonNegativeLogLikelihood(NDArray prediction, NDArray target, Reduction reduction = Reduction.Mean)
    {
        DType dtype = Begin(ref prediction, ref target, reduction);
        using Temporaries made = Temporaries.Collect();
        return made.Keep(Reduce(Nd.Exp(prediction) - target * prediction, reduction, dtype));
    }

    /// <summary>
    /// 1 − prediction·target / max(|prediction|·|target|, ε) along the last axis: 1 − cos of the angle. A vector of zeros has the distance 1.
    /// </summary>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static NDArray CosineDistance(NDArray prediction, NDArray target, Reduction reduction = Reduction.Mean, double epsilon = 1e-8)
    {
        DType dtype = Begin(ref prediction, ref target, reduction);
        CheckLastAxis(prediction);
        using Temporaries made = Temporaries.Collect();
        NDArray lengths = Nd.Norm(prediction, -1) * Nd.Norm(target, -1);
        return made.Keep(Reduce(1 - Nd.SumOfProducts(prediction, target, [-1]) / Nd.Maximum(lengths, epsilon), reduction, dtype));
    }

    /// <summary>Connectionist temporal classification, see <see cref="Nd.CtcLoss"/>: logits (time, batch, classes) and labels (batch, length).</summary>
    public static NDArray Ctc(
        NDArray prediction,
        NDArray target,
        Reduction reduction = Reduction.Mean,
        NDArray? predictionLengths = null,
        NDArray? targetLengths = null,
        int blank = 0)
    {
        CheckClasses(prediction, target, reduction);
        return Reduce(Nd.CtcLossFor(new("Ctc", nameof(target), nameof(predictionLengths), nameof(targetLengths)), Elements.Wide(prediction), target, predictionLengths, targetLengths, blank), reduction, TypeOf(prediction, target));
    }

    private static NDArray Reduce(NDArray values, Reduction reduction, DType dtype) => Rounded(
        reduction switch
        {
            Reduction.Sum => Nd.Sum(values),
            Reduction.Mean => Nd.Mean(values),
            _ => values,
        },
        dtype);

    // Sums and means without the array of terms.
    private static NDArray Reduce(Op terms, Op sum, NDArray[] inputs, Reduction reduction, DType dtype)
    {
        if (reduction is not (Reduction.Sum or Reduction.Mean)) return Reduce(terms.Apply(inputs), reduction, dtype);
        NDArray value = sum.Apply(inputs, Reductions.Attributes("Sum", inputs[0], null, false));
        return Rounded(reduction == Reduction.Sum ? value : value / inputs[0].Size, dtype);
    }

    // Both in the type of the loss; one of half precision is computed in Float32 from beginning to end: the sum of many squares has no place in a Float16.
    private static DType Begin(
        ref NDArray prediction, ref NDArray target, Reduction reduction, [CallerMemberName] string loss = "", string names = "the prediction is {0}, the target {1}")
    {
        Check(prediction, target, reduction, loss);
        if (prediction.Shape != target.Shape)
            throw new ShapeException($"{loss}: {string.Format(CultureInfo.InvariantCulture, names, prediction.Shape, target.Shape)}. Reshape one of them: they must be equal.");
        DType dtype = TypeOf(prediction, target), wide = Elements.RealType(Elements.WideType(dtype));
        (prediction, target) = (Elements.To(prediction, wide), Elements.To(target, wide));
        return dtype;
    }

    private static void Check(NDArray prediction, NDArray target, Reduction reduction, string loss)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        ArgumentNullException.ThrowIfNull(target);
        if (reduction is not (Reduction.None or Reduction.Mean or Reduction.Sum))
            throw new ArgumentOutOfRangeException(nameof(reduction), reduction, $"{loss}: the reduction is None, Mean or Sum.");
    }

    private static void CheckClasses(NDArray prediction, NDArray target, Reduction reduction, [CallerMemberName] string loss = "")
    {
        Check(prediction, target, reduction, loss);
        CheckLastAxis(prediction, loss);
    }

    private static void CheckLastAxis(NDArray prediction, [CallerMemberName] string loss = "")
    {
        if (prediction.Rank == 0) throw new ShapeException($"{loss}: the prediction is a scalar and has no last axis. Reshape or ExpandDims first.");
    }

    private static DType TypeOf(NDArray prediction, NDArray target) => DTypes.Promote(prediction.DType, target.DType);

    private static NDArray Rounded(NDArray loss, DType dtype) => dtype.IsHalf ? loss.AsType(dtype) : loss;
}
