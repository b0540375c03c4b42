namespace Fusion.NN;

/// <summary>
/// A transformer layer over (batch, time, features) that normalizes first: x += attention(norm1(x)), x += linear2(gelu(linear1(norm2(x)))).
/// Children: <c>norm1</c>, <c>self_attn</c>, <c>norm2</c>, <c>linear1</c>, <c>linear2</c>.
/// </summary>
/// <remarks>Vaswani et al., NeurIPS 2017; the order of Xiong et al., "On Layer Normalization in the Transformer Architecture", ICML 2020.</remarks>
public sealed class TransformerBlock : Module
{
    private readonly LayerNorm _norm1;
    private readonly MultiHeadAttention _attention;
    private readonly LayerNorm _norm2;
    private readonly Linear _linear1;
    private readonly Linear _linear2;
    private readonly int _features;
    private readonly double _dropout;

    /// <summary>A layer from features to features.</summary>
    /// <param name="features">The size of the last axis.</param>
    /// <param name="heads">The number of attention heads.</param>
    /// <param name="hidden">The inner size of the two linear layers; four times the features by default.</param>
    /// <param name="dropout">Dropout after attention and after the linear layers, in training mode.</param>
    /// <param name="causal">Position i attends to 0 … i only.</param>
    /// <param name="dtype">The type of the parameters.</param>
    public TransformerBlock(int features, int heads, int? hidden = null, double dropout = 0, bool causal = false, DType dtype = DType.Float32)
    {
        Require.Positive(features, nameof(TransformerBlock));
        Require.Positive(heads, nameof(TransformerBlock));
        if (features % heads != 0) throw new ArgumentException($"TransformerBlock: {heads} heads do not divide {features} features.", nameof(heads));
        Require.Trainable(dtype, nameof(TransformerBlock));
        Require.Fraction(dropout, nameof(TransformerBlock));
        int inner = hidden ?? Errors.Extent(nameof(TransformerBlock), 4L * features);
        Require.Positive(inner, nameof(TransformerBlock), nameof(hidden));
        _norm1 = Child("norm1", new LayerNorm(features, dtype: dtype));
        _attention = Child("self_attn", new MultiHeadAttention(features, heads, causal: causal, dropout: dropout, dtype: dtype));
        _norm2 = Child("norm2", new LayerNorm(features, dtype: dtype));
        _linear1 = Child("linear1", new Linear(features, inner, dtype: dtype));
        _linear2 = Child("linear2", new Linear(inner, features, dtype: dtype));
        (_features, _dropout) = (features, dropout);
    }

    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x)
    {
        if (x.Rank != 3 || x.Shape[2] != _features) throw new ShapeException($"TransformerBlock: the input {x.Shape} must be (batch, time, {_features}). Add an axis with ExpandDims.");
        NDArray attended = x + _attention.Forward(_norm1.Forward(x));
        NDArray inner = _linear2.Forward(_linear1.Forward(_norm2.Forward(attended)).Gelu());
        return attended + (_dropout > 0 ? inner.Dropout(_dropout) : inner);
    }
}
