using System.Runtime.CompilerServices;

namespace Fusion.NN;

// Losses with weights of classes and labels that do not count.
public static partial class Loss
{
    /// <summary>
    /// Softmax cross entropy with weights w of the c classes, a label that does not count, and label smoothing s. Of a class index y, with q = softmax(logits):
    /// −(1 − s)·w[y]·ln q[y] − s/c·Σ w[k]·ln q[k], 0 where y is the ignored label; the mean divides by Σ w[y] over the labels that count, by their number
    /// without weights. Of probabilities p: −Σ w[k]·((1 − s)·p[k] + s/c)·ln q[k]; the mean divides by the number of samples.
    /// </summary>
    /// <param name="prediction">Logits, (…, classes).</param>
    /// <param name="target">Class indices (…), Int32 or Int64, or probabilities of the prediction's shape.</param>
    /// <param name="reduction">How the values are joined. Where no label counts the mean is NaN, and the sum is 0.</param>
    /// <param name="classWeights">(classes); 1 each by default.</param>
    /// <param name="ignoreLabel">The label of samples that do not count, as a class index or any other number; none by default.</param>
    /// <param name="labelSmoothing">The share of the uniform distribution.</param>
    /// <remarks>
    /// <c>torch.nn.functional.cross_entropy(weight, ignore_index, label_smoothing)</c>, whose ignore_index is −100 by default;
    /// <c>mx.nd.SoftmaxOutput(use_ignore, ignore_label, normalization='valid')</c>.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">A class index that counts is outside the last axis, or the smoothing is not in [0, 1].</exception>
    /// <exception cref="ShapeException">The weights are not (classes).</exception>
    /// <exception cref="ArgumentException">A label is to be ignored, and the target holds probabilities.</exception>
    [OverloadResolutionPriority(-1)] // the shorter calls mean the shorter overloads
    public static NDArray SoftmaxCrossEntropy(
        NDArray prediction, NDArray target, Reduction reduction = Reduction.Mean, NDArray? classWeights = null, int? ignoreLabel = null, double labelSmoothing = 0)
    {
        CheckClasses(prediction, target, reduction);
        Require.Fraction(labelSmoothing);
        CheckWeights(prediction, classWeights);
        DType dtype = TypeOf(prediction, target);
        using Temporaries made = Temporaries.Collect();
        NDArray logits = Elements.Wide(prediction);
        NDArray? weights = classWeights is null ? null : Elements.To(classWeights, Elements.RealType(Elements.WideType(dtype)));
        if (target.DType.IsFloat && target.Shape == prediction.Shape)
        {
            if (ignoreLabel is not null)
                throw new ArgumentException("SoftmaxCrossEntropy: the target holds probabilities, of which none is an ignoreLabel. Ask for Reduction.None and multiply by a mask.", nameof(ignoreLabel));
            NDArray probabilities = Elements.Wide(target);
            if (labelSmoothing > 0) probabilities = probabilities * (1 - labelSmoothing) + labelSmoothing / prediction.Shape[^1];
            if (weights is not null) probabilities *= weights;
            return made.Keep(Reduce(Nd.SoftmaxCrossEntropyFor(s_crossEntropy, logits, probabilities), reduction, dtype));
        }

        (NDArray labels, NDArray? counts) = Counted(target, ignoreLabel);
        NDArray values = Nd.SoftmaxCrossEntropyFor(s_crossEntropy, logits, labels);
        NDArray? own = weights is null ? null : Nd.Take(weights, labels);
        if (own is not null) values *= own;
        if (labelSmoothing > 0)
        {
            NDArray all = Nd.LogSoftmax(logits), spread = weights is null ? Nd.Mean(all, -1) : Nd.Sum(all * weights, -1) / prediction.Shape[^1];
            values = values * (1 - labelSmoothing) - spread * labelSmoothing;
        }

        return made.Keep(Reduce(values, counts, own, reduction, dtype));
    }

    /// <summary>
    /// −w[y]·prediction[y] of log-probabilities (…, classes) and class indices y (…), with weights w of the classes, 0 where y is the ignored label. The mean
    /// divides by Σ w[y] over the labels that count, by their number without weights.
    /// </summary>
    /// <param name="prediction">Log-probabilities, (…, classes).</param>
    /// <param name="target">Class indices (…), Int32 or Int64.</param>
    /// <param name="reduction">How the values are joined. Where no label counts the mean is NaN, and the sum is 0.</param>
    /// <param name="classWeights">(classes); 1 each by default.</param>
    /// <param name="ignoreLabel">The label of samples that do not count, as a class index or any other number; none by default.</param>
    /// <remarks><c>torch.nn.functional.nll_loss(weight, ignore_index)</c>, whose ignore_index is −100 by default.</remarks>
    /// <exception cref="ShapeException">The target is not the prediction's shape without the last axis, or the weights are not (classes).</exception>
    /// <exception cref="ArgumentOutOfRangeException">A class index that counts is outside the last axis.</exception>
    [OverloadResolutionPriority(-1)]
    public static NDArray NegativeLogLikelihood(
        NDArray prediction, NDArray target, Reduction reduction = Reduction.Mean, NDArray? classWeights = null, int? ignoreLabel = null)
    {
        CheckClasses(prediction, target, reduction);
        CheckWeights(prediction, classWeights);
        DType dtype = TypeOf(prediction, target);
        using Temporaries made = Temporaries.Collect();
        (NDArray labels, NDArray? counts) = Counted(target, ignoreLabel);
        NDArray values = -OpTable.Pick.Apply(Elements.Wide(prediction), labels, s_likelihood);
        NDArray? own = classWeights is null ? null : Nd.Take(Elements.To(classWeights, Elements.RealType(Elements.WideType(dtype))), labels);
        return made.Keep(Reduce(own is null ? values : values * own, counts, own, reduction, dtype));
    }

    /// <summary>
    /// (1 − t)·x + (1 + (p − 1)·t)·softplus(−x) = −p·t·ln σ(x) − (1 − t)·ln(1 − σ(x)) of logits x and targets t: positive samples count p times.
    /// </summary>
    /// <param name="prediction">Logits.</param>
    /// <param name="target">Probabilities of the prediction's shape.</param>
    /// <param name="positiveWeight">p, which broadcasts to the prediction's shape.</param>
    /// <param name="reduction">How the values are joined; the mean divides by their number.</param>
    /// <remarks><c>torch.nn.functional.binary_cross_entropy_with_logits(pos_weight)</c>, <c>mxnet.gluon.loss.SigmoidBCELoss</c> (pos_weight).</remarks>
    /// <exception cref="ShapeException">The shapes differ, or p does not broadcast.</exception>
    public static NDArray BinaryCrossEntropyWithLogits(NDArray prediction, NDArray target, NDArray positiveWeight, Reduction reduction = Reduction.Mean)
    {
        ArgumentNullException.ThrowIfNull(positiveWeight);
        DType dtype = Begin(ref prediction, ref target, reduction);
        if (!Broadcasting.FitsInto(positiveWeight.Shape, prediction.Shape))
            throw new ShapeException($"BinaryCrossEntropyWithLogits: positiveWeight {positiveWeight.Shape} does not broadcast to the prediction, {prediction.Shape}. Reshape it.");
        using Temporaries made = Temporaries.Collect();
        NDArray factor = (Elements.To(positiveWeight, prediction.DType) - 1) * target + 1;
        return made.Keep(Reduce((1 - target) * prediction + factor * Nd.Softplus(-prediction), reduction, dtype));
    }

    // The labels that count, and which ones do; those that do not become 0, a class that there is.
    private static (NDArray Labels, NDArray? Counts) Counted(NDArray target, int? ignoreLabel)
    {
        if (ignoreLabel is not int ignored || target.DType is not (DType.Int32 or DType.Int64)) return (target, null);
        NDArray counts = target.NotEqual(ignored);
        return (Nd.Where(counts, target, 0), counts);
    }

    private static void CheckWeights(NDArray prediction, NDArray? classWeights, [CallerMemberName] string loss = "")
    {
        if (classWeights is not null && classWeights.Shape != (Shape)prediction.Shape[^1])
            throw new ShapeException($"{loss}: classWeights must be ({prediction.Shape[^1]},), one weight for each class of the prediction {prediction.Shape}, not {classWeights.Shape}. Reshape it.");
    }

    private static NDArray Reduce(NDArray values, NDArray? counts, NDArray? weights, Reduction reduction, DType dtype)
    {
        if (counts is not null) values = Nd.Where(counts, values, 0);
        if (reduction != Reduction.Mean || (counts is null && weights is null)) return Reduce(values, reduction, dtype);
        NDArray number = weights is null ? Nd.Sum(counts!).AsType(values.DType) : Nd.Sum(counts is null ? weights : Nd.Where(counts, weights, 0));
        return Rounded(Nd.Sum(values) / number, dtype);
    }
}
