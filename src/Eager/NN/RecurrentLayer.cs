using System.Globalization;
using Fusion.Kernels;

namespace Fusion.NN;

/// <summary>
/// What the recurrent layers share. Parameters, for each layer l (and with the suffix <c>_reverse</c> for the second direction): <c>weight_ih_l</c>
/// (gates·hidden, input), <c>weight_hh_l</c> (gates·hidden, hidden), <c>bias_ih_l</c>, <c>bias_hh_l</c> (gates·hidden), all U(−1/√hidden, 1/√hidden) at the
/// start.
/// The input is (time, batch, features), or (batch, time, features) with batchFirst; the output the hidden states of the last layer, of both directions side by
/// side.
/// </summary>
/// <remarks>Formulas, order of the gates and names of the parameters are PyTorch's.</remarks>
public abstract class RecurrentLayer : Module
{
    // What the handle of a parameter takes, its gradient's and its name besides its values.
    private const int LeastBytes = 256;

    private readonly int _inputSize;
    private readonly int _hidden;
    private readonly int _layers;
    private readonly bool _batchFirst;
    private readonly bool _bidirectional;
    private readonly double _dropout;
    private readonly int _states;
    private readonly Weights[] _weights;

    private protected RecurrentLayer(RecurrentCell cell, int gates, int inputSize, int hiddenSize, int layers, bool bias, bool batchFirst, double dropout,
        bool bidirectional, DType dtype)
    {
        string name = GetType().Name;
        Require.Positive(inputSize, name);
        Require.Positive(hiddenSize, name);
        Require.Positive(layers, name);
        Require.Trainable(dtype, name);
        Require.Fraction(dropout, name);
        (_inputSize, _hidden, _layers, _batchFirst, _bidirectional, _dropout, _states) = (inputSize, hiddenSize, layers, batchFirst, bidirectional, dropout, cell == RecurrentCell.Lstm ? 2 : 1);
        double bound = 1 / Math.Sqrt(hiddenSize);
        Initializer start = Initializer.Uniform(-bound, bound);
        int stacked = Errors.Extent(name, (long)gates * hiddenSize), below = Errors.Extent(name, (long)hiddenSize * Directions);
        long parameters = (long)layers * Directions * (bias ? 4 : 2);
        if (parameters > GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / LeastBytes) throw Errors.TooManyParameters($"{name}: {layers} layers", parameters);
        _weights = new Weights[layers * Directions];
        for (int i = 0; i < _weights.Length; i++)
        {
            int size = i < Directions ? inputSize : below;
            string suffix = $"_l{(i / Directions).ToString(CultureInfo.InvariantCulture)}{(i % Directions == 1 ? "_reverse" : string.Empty)}";
            _weights[i] = new Weights(
                Parameter("weight_ih" + suffix, start.Sample((stacked, size), dtype)),
                Parameter("weight_hh" + suffix, start.Sample((stacked, hiddenSize), dtype)),
                bias ? Parameter("bias_ih" + suffix, start.Sample(stacked, dtype)) : null,
                bias ? Parameter("bias_hh" + suffix, start.Sample(stacked, dtype)) : null,
                new RecurrentNode(name, cell, reverse: i % Directions == 1, bias, RecurrentSteps.Of(cell)));
        }
    }

    private int Directions => _bidirectional ? 2 : 1;

    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => Run(x, null).Output;

    /// <summary>The output and the last states, each (layers·directions, batch, hidden), from first states of that shape (zeros by default).</summary>
    private protected (NDArray Output, NDArray[] States) Run(NDArray x, NDArray[]? first)
    {
        string name = GetType().Name;
        if (x.Rank != 3)
            throw new ShapeException($"{name}: the input {x.Shape} must be {(_batchFirst ? "(batch, time, features)" : "(time, batch, features)")}. " +
                $"Add an axis with ExpandDims.");
        if (x.Shape[2] != _inputSize)
            throw new ShapeException($"{name}: the input {x.Shape} must have {_inputSize} features in its last axis, as the layer was made for, not {x.Shape[2]}.");
        NDArray sequence = _batchFirst ? x.SwapAxes(0, 1) : x;
        int batch = sequence.Shape[1];
        Shape expected = (_weights.Length, batch, _hidden);
        for (int i = 0; i < first?.Length; i++)
            if (first[i].Shape != expected)
                throw new ShapeException($"{name}: {(i == 0 ? "hidden" : "cell")}, the first state, must be (layers·directions, batch, hidden) = {expected}, it is {first[i].Shape}.");
        NDArray[][] last = new NDArray[_weights.Length][];
        for (int layer = 0; layer < _layers; layer++)
        {
            if (layer > 0 && _dropout > 0) sequence = sequence.Dropout(_dropout);
            NDArray[] outputs = new NDArray[Directions];
            for (int direction = 0; direction < Directions; direction++)
            {
                int at = layer * Directions + direction;
                NDArray[] states = [.. Enumerable.Range(0, _states)
                    .Select(s => first is null ? Nd.Zeros((batch, _hidden), _weights[at].Hidden.DType, x.Device) : first[s][at])];
                outputs[direction] = Sequence(sequence, _weights[at], direction == 1, states, out last[at]);
            }

            sequence = Directions == 1 ? outputs[0] : Nd.Concat(outputs, -1);
        }

        NDArray[] ends = [.. Enumerable.Range(0, _states).Select(s => Nd.Stack([.. last.Select(l => l[s])]))];
        return (_batchFirst ? sequence.SwapAxes(0, 1) : sequence, ends);
    }

    private static NDArray Sequence(NDArray x, Weights weights, bool reverse, NDArray[] states, out NDArray[] last)
    {
        NDArray[] biases = weights.InputBias is { } bias ? [bias, weights.HiddenBias!] : [];
        NDArray[] outputs = weights.Node.Apply([x, weights.Input, weights.Hidden, .. states, .. biases]);
        NDArray output = outputs[0];
        last = output.Shape[0] == 0 ? states : [output[reverse ? 0 : -1], .. outputs[1..]];
        return output;
    }

    private sealed record Weights(NDArray Input, NDArray Hidden, NDArray? InputBias, NDArray? HiddenBias, RecurrentNode Node);
}
