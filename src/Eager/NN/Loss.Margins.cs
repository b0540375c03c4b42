using System.Runtime.CompilerServices;

namespace Fusion.NN;

// Losses of probabilities, of pairs and triples of vectors, and with margins.
public static partial class Loss
{
    // e⁻¹⁰⁰: logarithms of probabilities end here, as in PyTorch.
    private const double LeastProbability = 3.720075976020836e-44;

    /// <summary>
    /// −target·ln x − (1 − target)·ln(1 − x) of probabilities x, the logarithms not below −100; where one is limited its gradient is 0. Of logits
    /// <see cref="BinaryCrossEntropyWithLogits(NDArray, NDArray, Reduction)"/> is exact at both ends.
    /// </summary>
    /// <remarks><c>torch.nn.functional.binary_cross_entropy</c>, <c>mxnet.gluon.loss.SigmoidBCELoss(from_sigmoid=True)</c>.</remarks>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static NDArray BinaryCrossEntropy(NDArray prediction, NDArray target, Reduction reduction = Reduction.Mean)
    {
        DType dtype = Begin(ref prediction, ref target, reduction);
        using Temporaries made = Temporaries.Collect();
        return made.Keep(Reduce(-(target * Logarithm(prediction) + (1 - target) * Logarithm(1 - prediction)), reduction, dtype));

        static NDArray Logarithm(NDArray x)
        {
            NDArray small = x.LessOrEqual(LeastProbability);
            return Nd.Where(small, -100, Nd.Log(Nd.Where(small, 1, x)));
        }
    }

    /// <summary>max(0, margin − prediction·target)² with targets −1 and 1.</summary>
    /// <remarks><c>mxnet.gluon.loss.SquaredHingeLoss</c>.</remarks>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static NDArray SquaredHinge(NDArray prediction, NDArray target, Reduction reduction = Reduction.Mean, double margin = 1)
    {
        DType dtype = Begin(ref prediction, ref target, reduction);
        using Temporaries made = Temporaries.Collect();
        return made.Keep(Reduce(Nd.Square(Nd.Relu(margin - prediction * target)), reduction, dtype));
    }

    /// <summary>ln(1 + exp(−prediction·target)) with targets −1 and 1.</summary>
    /// <remarks><c>torch.nn.functional.soft_margin_loss</c>, <c>mxnet.gluon.loss.LogisticLoss(label_format='signed')</c>.</remarks>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static NDArray SoftMargin(NDArray prediction, NDArray target, Reduction reduction = Reduction.Mean)
    {
        DType dtype = Begin(ref prediction, ref target, reduction);
        using Temporaries made = Temporaries.Collect();
        return made.Keep(Reduce(Nd.Softplus(-(prediction * target)), reduction, dtype));
    }

    /// <summary>max(0, margin − target·(first − second)): the target says by 1 that the first is to be larger, by −1 the second.</summary>
    /// <remarks><c>torch.nn.functional.margin_ranking_loss</c>.</remarks>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static NDArray MarginRanking(NDArray first, NDArray second, NDArray target, Reduction reduction = Reduction.Mean, double margin = 0)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        ArgumentNullException.ThrowIfNull(target);
        DType dtype = Begin3(ref first, ref second, ref target, reduction);
        using Temporaries made = Temporaries.Collect();
        return made.Keep(Reduce(Nd.Relu(margin - target * (first - second)), reduction, dtype));
    }

    /// <summary>
    /// With c = cos of the angle between first and second along the last axis: 1 − c where the target (of the shape without it) is 1, max(0, c − margin) where
    /// it is −1. A vector of zeros has c = 0.
    /// </summary>
    /// <remarks><c>torch.nn.functional.cosine_embedding_loss</c>, <c>mxnet.gluon.loss.CosineEmbeddingLoss</c>.</remarks>
    /// <exception cref="ShapeException">The vectors' shapes differ, or the target has another shape.</exception>
    public static NDArray CosineEmbedding(NDArray first, NDArray second, NDArray target, Reduction reduction = Reduction.Mean, double margin = 0, double epsilon = 1e-8)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        ArgumentNullException.ThrowIfNull(target);
        DType dtype = Begin(ref first, ref second, reduction, names: "the first is {0}, the second {1}");
        CheckLastAxis(first);
        Shape lines = Shape.Create([.. first.Shape.Dimensions[..^1]]);
        if (target.Shape != lines) throw new ShapeException($"CosineEmbedding: the target is {target.Shape}, the vectors {first.Shape}; it must be {lines}, one number for each pair. Reshape it.");
        using Temporaries made = Temporaries.Collect();
        NDArray cosine = 1 - CosineDistance(first, second, Reduction.None, epsilon);
        return made.Keep(Reduce(Nd.Where(target > 0, 1 - cosine, Nd.Relu(cosine - margin)), reduction, dtype));
    }

    /// <summary>max(0, |anchor − positive| − |anchor − negative| + margin) with Euclidean lengths along the last axis, ε added to each difference.</summary>
    /// <remarks>
    /// <c>torch.nn.functional.triplet_margin_loss</c>; <c>mxnet.gluon.loss.TripletLoss</c> has the lengths' squares. The ε keeps the gradient of equal vectors
    /// finite.
    /// </remarks>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static NDArray TripletMargin(NDArray anchor, NDArray positive, NDArray negative, Reduction reduction = Reduction.Mean, double margin = 1, double epsilon = 1e-6)
    {
        ArgumentNullException.ThrowIfNull(anchor);
        ArgumentNullException.ThrowIfNull(positive);
        ArgumentNullException.ThrowIfNull(negative);
        DType dtype = Begin3(ref anchor, ref positive, ref negative, reduction);
        CheckLastAxis(anchor);
        using Temporaries made = Temporaries.Collect();
        return made.Keep(Reduce(Nd.Relu(Nd.Norm(anchor - positive + epsilon, -1) - Nd.Norm(anchor - negative + epsilon, -1) + margin), reduction, dtype));
    }

    /// <summary>½·(ln v + (prediction − target)²/v), v = max(variance, ε): the negative logarithm of a normal density up to a constant.</summary>
    /// <remarks><c>torch.nn.functional.gaussian_nll_loss</c>; there the gradient goes through the limit, here it is 0 below.</remarks>
    /// <exception cref="ShapeException">The shapes differ, or the variance does not broadcast to them.</exception>
    /// <exception cref="ArgumentOutOfRangeException">ε is not positive.</exception>
    public static NDArray GaussianNegativeLogLikelihood(NDArray prediction, NDArray target, NDArray variance, Reduction reduction = Reduction.Mean, double epsilon = 1e-6)
    {
        ArgumentNullException.ThrowIfNull(variance);
        Require.Positive(epsilon);
        DType dtype = Begin(ref prediction, ref target, reduction);
        if (!Broadcasting.FitsInto(variance.Shape, prediction.Shape))
            throw new ShapeException($"GaussianNegativeLogLikelihood: the variance {variance.Shape} does not broadcast to the prediction, {prediction.Shape}. Reshape it.");
        using Temporaries made = Temporaries.Collect();
        NDArray v = Nd.Maximum(Elements.To(variance, prediction.DType), epsilon);
        return made.Keep(Reduce((Nd.Log(v) + Nd.Square(prediction - target) / v) * 0.5, reduction, dtype));
    }

    private static DType Begin3(ref NDArray first, ref NDArray second, ref NDArray third, Reduction reduction, [CallerMemberName] string loss = "")
    {
        DType dtype = DTypes.Promote(Begin(ref first, ref second, reduction, loss, "the first is {0}, the second {1}"), third.DType);
        if (first.Shape != third.Shape)
            throw new ShapeException($"{loss}: the first is {first.Shape}, the third {third.Shape}. Reshape one of them: they must be equal.");
        DType wide = Elements.RealType(Elements.WideType(dtype));
        (first, second, third) = (Elements.To(first, wide), Elements.To(second, wide), Elements.To(third, wide));
        return dtype;
    }
}
