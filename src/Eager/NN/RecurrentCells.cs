using Fusion.Kernels;

namespace Fusion.NN;

/// <summary>
/// What the recurrent cells share: one time step of the layer of the same name, with its values. Parameters: <c>weight_ih</c> (gates·hidden, input),
/// <c>weight_hh</c> (gates·hidden, hidden), <c>bias_ih</c>, <c>bias_hh</c> (gates·hidden), all U(−1/√hidden, 1/√hidden) at the start: those of one layer and
/// direction of <see cref="RecurrentLayer"/> without the suffix. The input is (batch, features) and a state (batch, hidden), or (features) and (hidden).
/// </summary>
/// <remarks>
/// <see cref="Module.Forward"/> begins at states of zeros and gives the hidden state. Formulas, order of the gates and names of the parameters are PyTorch's
/// (<c>torch.nn.LSTMCell</c>); <c>mxnet.gluon.rnn.LSTMCell</c> has the same gates in the same order.
/// </remarks>
public abstract class CellLayer : Module
{
    private readonly int _inputSize;
    private readonly int _hidden;
    private readonly int _states;
    private readonly RecurrentNode _node;

    private protected CellLayer(RecurrentCell cell, int gates, int inputSize, int hiddenSize, bool bias, DType dtype)
    {
        string name = GetType().Name;
        Require.Positive(inputSize, name);
        Require.Positive(hiddenSize, name);
        Require.Trainable(dtype, name);
        (_inputSize, _hidden, _states) = (inputSize, hiddenSize, cell == RecurrentCell.Lstm ? 2 : 1);
        double bound = 1 / Math.Sqrt(hiddenSize);
        Initializer start = Initializer.Uniform(-bound, bound);
        int stacked = Errors.Extent(name, (long)gates * hiddenSize);
        InputWeight = Parameter("weight_ih", start.Sample((stacked, inputSize), dtype));
        HiddenWeight = Parameter("weight_hh", start.Sample((stacked, hiddenSize), dtype));
        if (bias)
        {
            InputBias = Parameter("bias_ih", start.Sample(stacked, dtype));
            HiddenBias = Parameter("bias_hh", start.Sample(stacked, dtype));
        }

        _node = new RecurrentNode(name, cell, reverse: false, bias, RecurrentSteps.Of(cell));
    }

    /// <summary>W_ih, (gates·hidden, input).</summary>
    public NDArray InputWeight { get; }

    /// <summary>W_hh, (gates·hidden, hidden).</summary>
    public NDArray HiddenWeight { get; }

    /// <summary>b_ih, (gates·hidden), if there are biases.</summary>
    public NDArray? InputBias { get; }

    /// <summary>b_hh, (gates·hidden), if there are biases.</summary>
    public NDArray? HiddenBias { get; }

    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x) => Step(x, null)[0];

    /// <summary>The next states from the input and the states, zeros by default.</summary>
    private protected NDArray[] Step(NDArray x, NDArray[]? states)
    {
        string name = GetType().Name;
        if (x.Rank is not (1 or 2) || x.Shape[^1] != _inputSize)
            throw new ShapeException($"{name}: the input {x.Shape} must be (batch, {_inputSize}) or ({_inputSize},), as the cell was made for. " +
                $"Reshape it{(x.Rank == 3 ? $", or give a sequence to {name[..^4]}" : string.Empty)}.");
        bool single = x.Rank == 1;
        int batch = single ? 1 : x.Shape[0];
        Shape expected = single ? _hidden : (batch, _hidden);
        for (int i = 0; i < states?.Length; i++)
            if (states[i].Shape != expected)
                throw new ShapeException($"{name}: {(i == 0 ? "hidden" : "cell")}, a state, must be {expected} for the input {x.Shape}, it is {states[i].Shape}.");
        NDArray[] first = states is null
            ? [.. Enumerable.Range(0, _states).Select(_ => Nd.Zeros((batch, _hidden), HiddenWeight.DType, x.Device))]
            : System.Array.ConvertAll(states, s => single ? s.ExpandDims(0) : s);
        NDArray[] biases = InputBias is null ? [] : [InputBias, HiddenBias!];
        NDArray[] next = _node.Apply([x.Reshape(1, batch, _inputSize), InputWeight, HiddenWeight, .. first, .. biases]);
        next[0] = next[0][0];
        return single ? System.Array.ConvertAll(next, s => s[0]) : next;
    }
}

/// <summary>h′ = tanh(W_ih·x + b_ih + W_hh·h + b_hh), or relu instead of tanh: a step of <see cref="Rnn"/>. See <see cref="CellLayer"/>.</summary>
/// <remarks><c>torch.nn.RNNCell</c>, <c>mxnet.gluon.rnn.RNNCell</c>.</remarks>
/// <param name="inputSize">Features of the input.</param>
/// <param name="hiddenSize">Features of the hidden state.</param>
/// <param name="relu">Relu instead of tanh.</param>
/// <param name="bias">Whether there are biases.</param>
/// <param name="dtype">The type of the parameters.</param>
public sealed class RnnCell(int inputSize, int hiddenSize, bool relu = false, bool bias = true, DType dtype = DType.Float32)
    : CellLayer(relu ? RecurrentCell.Relu : RecurrentCell.Tanh, 1, inputSize, hiddenSize, bias, dtype)
{
    /// <summary>The next hidden state, which is the output.</summary>
    /// <exception cref="ShapeException">The input is not (batch, input) or (input), or the state does not fit it.</exception>
    public NDArray Forward(NDArray x, NDArray hidden)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(hidden);
        return Step(x, [hidden])[0];
    }
}

/// <summary>
/// With the gates i, f, g, o = σ, σ, tanh, σ of W_ih·x + b_ih + W_hh·h + b_hh: c′ = f·c + i·g, h′ = o·tanh(c′): a step of <see cref="Lstm"/>. See
/// <see cref="CellLayer"/>.
/// </summary>
/// <remarks><c>torch.nn.LSTMCell</c>, <c>mxnet.gluon.rnn.LSTMCell</c>. Source: see <see cref="Lstm"/>.</remarks>
/// <param name="inputSize">Features of the input.</param>
/// <param name="hiddenSize">Features of the hidden state.</param>
/// <param name="bias">Whether there are biases.</param>
/// <param name="dtype">The type of the parameters.</param>
public sealed class LstmCell(int inputSize, int hiddenSize, bool bias = true, DType dtype = DType.Float32)
    : CellLayer(RecurrentCell.Lstm, 4, inputSize, hiddenSize, bias, dtype)
{
    /// <summary>The next states; the hidden one is the output.</summary>
    /// <exception cref="ShapeException">The input is not (batch, input) or (input), or a state does not fit it.</exception>
    public (NDArray Hidden, NDArray Cell) Forward(NDArray x, NDArray hidden, NDArray cell)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(hidden);
        ArgumentNullException.ThrowIfNull(cell);
        NDArray[] states = Step(x, [hidden, cell]);
        return (states[0], states[1]);
    }
}

/// <summary>
/// With r, z = σ of the first two gates of W_ih·x + b_ih + W_hh·h + b_hh and n = tanh(W_in·x + b_in + r·(W_hn·h + b_hn)): h′ = (1 − z)·n + z·h: a step of
/// <see cref="Gru"/>. See <see cref="CellLayer"/>.
/// </summary>
/// <remarks><c>torch.nn.GRUCell</c>, <c>mxnet.gluon.rnn.GRUCell</c>. Source: see <see cref="Gru"/>.</remarks>
/// <param name="inputSize">Features of the input.</param>
/// <param name="hiddenSize">Features of the hidden state.</param>
/// <param name="bias">Whether there are biases.</param>
/// <param name="dtype">The type of the parameters.</param>
public sealed class GruCell(int inputSize, int hiddenSize, bool bias = true, DType dtype = DType.Float32)
    : CellLayer(RecurrentCell.Gru, 3, inputSize, hiddenSize, bias, dtype)
{
    /// <summary>The next hidden state, which is the output.</summary>
    /// <exception cref="ShapeException">The input is not (batch, input) or (input), or the state does not fit it.</exception>
    public NDArray Forward(NDArray x, NDArray hidden)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(hidden);
        return Step(x, [hidden])[0];
    }
}
