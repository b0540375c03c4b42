using Fusion.Kernels;

namespace Fusion.NN;

/// <summary>h′ = tanh(W_ih·x + b_ih + W_hh·h + b_hh), or relu instead of tanh. See <see cref="RecurrentLayer"/>.</summary>
/// <param name="inputSize">Features of the input.</param>
/// <param name="hiddenSize">Features of the hidden state.</param>
/// <param name="layers">Layers one above the other.</param>
/// <param name="relu">Relu instead of tanh.</param>
/// <param name="bias">Whether there are biases.</param>
/// <param name="batchFirst">The input is (batch, time, features).</param>
/// <param name="dropout">Dropout between the layers, in training mode.</param>
/// <param name="bidirectional">A second direction, from the end to the start.</param>
/// <param name="dtype">The type of the parameters.</param>
public sealed class Rnn(
    int inputSize, int hiddenSize, int layers = 1, bool relu = false, bool bias = true, bool batchFirst = false, double dropout = 0, bool bidirectional = false,
    DType dtype = DType.Float32)
    : RecurrentLayer(relu ? RecurrentCell.Relu : RecurrentCell.Tanh, 1, inputSize, hiddenSize, layers, bias, batchFirst, dropout, bidirectional, dtype)
{
    /// <summary>The output and the last hidden state, (layers·directions, batch, hidden), from a first one.</summary>
    public (NDArray Output, NDArray Hidden) Forward(NDArray x, NDArray hidden)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(hidden);
        (NDArray output, NDArray[] states) = Run(x, [hidden]);
        return (output, states[0]);
    }
}

/// <summary>
/// With the gates i, f, g, o = σ, σ, tanh, σ of W_ih·x + b_ih + W_hh·h + b_hh: c′ = f·c + i·g, h′ = o·tanh(c′). See <see cref="RecurrentLayer"/>.
/// </summary>
/// <remarks>Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 9, 1997; with the forget gate of Gers, Schmidhuber and Cummins,
/// 2000.</remarks>
/// <param name="inputSize">Features of the input.</param>
/// <param name="hiddenSize">Features of the hidden state.</param>
/// <param name="layers">Layers one above the other.</param>
/// <param name="bias">Whether there are biases.</param>
/// <param name="batchFirst">The input is (batch, time, features).</param>
/// <param name="dropout">Dropout between the layers, in training mode.</param>
/// <param name="bidirectional">A second direction, from the end to the start.</param>
/// <param name="dtype">The type of the parameters.</param>
public sealed class Lstm(
    int inputSize, int hiddenSize, int layers = 1, bool bias = true, bool batchFirst = false, double dropout = 0, bool bidirectional = false,
        DType dtype = DType.Float32)
    : RecurrentLayer(RecurrentCell.Lstm, 4, inputSize, hiddenSize, layers, bias, batchFirst, dropout, bidirectional, dtype)
{
    /// <summary>The output and the last states, (layers·directions, batch, hidden), from first ones.</summary>
    public (NDArray Output, NDArray Hidden, NDArray Cell) Forward(NDArray x, NDArray hidden, NDArray cell)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(hidden);
        ArgumentNullException.ThrowIfNull(cell);
        (NDArray output, NDArray[] states) = Run(x, [hidden, cell]);
        return (output, states[0], states[1]);
    }
}

/// <summary>
/// With r, z = σ of the first two gates of W_ih·x + b_ih + W_hh·h + b_hh and n = tanh(W_in·x + b_in + r·(W_hn·h + b_hn)): h′ = (1 − z)·n + z·h.
/// See <see cref="RecurrentLayer"/>.
/// </summary>
/// <remarks>Cho et al., "Learning Phrase Representations using RNN Encoder–Decoder", EMNLP 2014, with the reset gate after the product.</remarks>
/// <param name="inputSize">Features of the input.</param>
/// <param name="hiddenSize">Features of the hidden state.</param>
/// <param name="layers">Layers one above the other.</param>
/// <param name="bias">Whether there are biases.</param>
/// <param name="batchFirst">The input is (batch, time, features).</param>
/// <param name="dropout">Dropout between the layers, in training mode.</param>
/// <param name="bidirectional">A second direction, from the end to the start.</param>
/// <param name="dtype">The type of the parameters.</param>
public sealed class Gru(
    int inputSize, int hiddenSize, int layers = 1, bool bias = true, bool batchFirst = false, double dropout = 0, bool bidirectional = false,
        DType dtype = DType.Float32)
    : RecurrentLayer(RecurrentCell.Gru, 3, inputSize, hiddenSize, layers, bias, batchFirst, dropout, bidirectional, dtype)
{
    /// <summary>The output and the last hidden state, (layers·directions, batch, hidden), from a first one.</summary>
    public (NDArray Output, NDArray Hidden) Forward(NDArray x, NDArray hidden)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(hidden);
        (NDArray output, NDArray[] states) = Run(x, [hidden]);
        return (output, states[0]);
    }
}
