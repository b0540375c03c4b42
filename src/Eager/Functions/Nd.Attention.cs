namespace Fusion;

public static partial class Nd
{
    /// <summary>
    /// softmax(query·keyᵀ·scale + mask)·value for query (…, l, e), key (…, s, e) and value (…, s, v), whose leading axes broadcast: (…, l, v).
    /// </summary>
    /// <param name="query">The queries.</param>
    /// <param name="key">The keys.</param>
    /// <param name="value">The values.</param>
    /// <param name="mask">Broadcasts to (…, l, s). Bool: true where a query may attend; numbers: added to the scores.</param>
    /// <param name="causal">Query i attends to the keys 0 … i only. May be combined with a mask.</param>
    /// <param name="scale">The factor of the scores; 1/√e by default.</param>
    /// <remarks>Vaswani et al., "Attention Is All You Need", NeurIPS 2017. A query that may attend to nothing gives NaN.</remarks>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static NDArray ScaledDotProductAttention(
        this NDArray query, NDArray key, NDArray value, NDArray? mask = null, bool causal = false, double? scale = null)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        if (query.Rank < 2 || key.Rank < 2 || value.Rank < 2 || query.Shape[-1] != key.Shape[-1] || key.Shape[-2] != value.Shape[-2])
        {
            throw new ShapeException(
                $"ScaledDotProductAttention: query {query.Shape}, key {key.Shape}, value {value.Shape} must be (…, l, e), (…, s, e), (…, s, v): query " +
                $"and key agree in " +
                "the last axis, key and value in the last but one. Transpose or slice them.");
        }

        Shape leading = Broadcasting.Infer("ScaledDotProductAttention", query.Shape.Dimensions[..^2].ToArray(), key.Shape.Dimensions[..^2].ToArray());
        _ = Broadcasting.Infer("ScaledDotProductAttention", leading, value.Shape.Dimensions[..^2].ToArray());
        DType dtype = Elements.RealType(DTypes.Promote(query.DType, DTypes.Promote(key.DType, value.DType)));
        if (dtype.IsHalf)
        {
            NDArray? wideMask = mask is null ? null : Elements.Wide(mask);
            return ScaledDotProductAttention(Elements.Wide(query), Elements.Wide(key), Elements.Wide(value), wideMask, causal, scale).AsType(dtype);
        }

        NDArray scores = Product(Elements.To(query, dtype) * (scale ?? 1 / Math.Sqrt(query.Shape[-1])), Elements.To(key, dtype), false, true);
        if (mask is not null && !Broadcasting.FitsInto(mask.Shape, scores.Shape))
            throw new ShapeException($"ScaledDotProductAttention: the mask {mask.Shape} does not broadcast to the scores {scores.Shape}, (…, queries, keys).");
        if (mask is { DType: DType.Bool }) scores = Where(mask, scores, double.NegativeInfinity);
        else if (mask is not null) scores += mask;
        if (causal)
        {
            NDArray allowed = GreaterOrEqual(Arange(0, scores.Shape[-2], 1, DType.Int32, scores.Device).Reshape(-1, 1), Arange(0, scores.Shape[-1], 1, DType.Int32, scores.Device));
            scores = Where(allowed, scores, double.NegativeInfinity);
        }

        return MatMul(Softmax(scores), value);
    }
}
