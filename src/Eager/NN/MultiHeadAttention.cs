namespace Fusion.NN;

/// <summary>
/// Attention of several heads over (batch, time, features), with the parameters <c>in_proj_weight</c> (3·features, features), <c>in_proj_bias</c> and the child
/// <c>out_proj</c>. The heads lie side by side in the features.
/// </summary>
/// <remarks>Vaswani et al., "Attention Is All You Need", NeurIPS 2017, section 3.2.2; the names are PyTorch's.</remarks>
public sealed class MultiHeadAttention : Module
{
    private readonly int _features;
    private readonly int _heads;
    private readonly bool _causal;
    private readonly double _dropout;
    private readonly NDArray _weight;
    private readonly NDArray? _bias;
    private readonly Linear _output;

    /// <summary>A layer from features to features.</summary>
    /// <param name="features">The size of the last axis.</param>
    /// <param name="heads">The number of heads, which divides the features.</param>
    /// <param name="bias">Whether the projections have a bias.</param>
    /// <param name="causal">Without another wish, position i attends to 0 … i only.</param>
    /// <param name="dropout">Dropout of the result, in training mode.</param>
    /// <param name="dtype">The type of the parameters.</param>
    public MultiHeadAttention(int features, int heads, bool bias = true, bool causal = false, double dropout = 0, DType dtype = DType.Float32)
    {
        Require.Positive(features, nameof(MultiHeadAttention));
        Require.Positive(heads, nameof(MultiHeadAttention));
        Require.Trainable(dtype, nameof(MultiHeadAttention));
        Require.Fraction(dropout, nameof(MultiHeadAttention));
        if (features % heads != 0) throw new ArgumentException($"MultiHeadAttention: {heads} heads do not divide {features} features.", nameof(heads));
        (_features, _heads, _causal, _dropout) = (features, heads, causal, dropout);
        int stacked = Errors.Extent(nameof(MultiHeadAttention), 3L * features);
        _weight = Parameter("in_proj_weight", Initializer.XavierUniform().Sample((stacked, features), dtype));
        _bias = bias ? Parameter("in_proj_bias", Nd.Zeros(stacked, dtype)) : null;
        _output = Child("out_proj", new Linear(features, features, bias, dtype: dtype));
    }

    /// <summary>
    /// Attention of the queries to the keys, all (batch, time, features); the mask is that of <see cref="Nd.ScaledDotProductAttention"/>, (…, queries, keys).
    /// </summary>
    public NDArray Forward(NDArray query, NDArray key, NDArray value, NDArray? mask = null, bool causal = false)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        NDArray[] heads;
        if (ReferenceEquals(query, key) && ReferenceEquals(key, value))
        {
            Check(query);
            heads = Nd.FullyConnected(query, _weight, _bias, flatten: false).Split(3, -1);
        }
        else
        {
            NDArray[] inputs = [query, key, value], weights = _weight.Split(3), biases = _bias is null ? [] : _bias.Split(3);
            heads = new NDArray[3];
            for (int i = 0; i < 3; i++)
            {
                Check(inputs[i]);
                heads[i] = Nd.FullyConnected(inputs[i], weights[i], _bias is null ? null : biases[i], flatten: false);
            }
        }

        (int batch, int time) = (query.Shape[0], key.Shape[1]);
        if ((key.Shape[0] != batch && key.Shape[0] != 1) || (value.Shape[0] != batch && value.Shape[0] != 1) || value.Shape[1] != time)
            throw new ShapeException(
                $"MultiHeadAttention: keys {key.Shape} and values {value.Shape} must have the batch of the queries {query.Shape}, or 1, and one time.");
        NDArray joined = Heads(heads[0]).ScaledDotProductAttention(Heads(heads[1]), Heads(heads[2]), mask, causal);
        NDArray result = _output.Forward(joined.Transpose(0, 2, 1, 3).Reshape(query.Shape));
        return _dropout > 0 ? result.Dropout(_dropout) : result;
    }

    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => Forward(x, x, x, null, _causal);

    /// <summary>(batch, time, features) as (batch, heads, time, features of a head).</summary>
    private NDArray Heads(NDArray x) => x.Reshape((x.Shape[0], x.Shape[1], _heads, _features / _heads)).Transpose(0, 2, 1, 3);

    private void Check(NDArray x)
    {
        if (x.Rank != 3 || x.Shape[2] != _features)
            throw new ShapeException($"MultiHeadAttention: the input {x.Shape} must be (batch, time, {_features}). Add an axis with ExpandDims.");
    }
}
