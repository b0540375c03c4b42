namespace Fusion;

// Recurrent layers. The layers put them on the tape as one node (RecurrentNode), which knows the gradients of all operands together; higher orders go through
// the steps, one by one.
internal static partial class OpTable
{
    /// <summary>
    /// All states of a recurrent layer. Inputs: the inputs' share of the gates (time·batch, gates·hidden), the weight (gates·hidden, hidden), the first hidden
    /// state (batch, hidden); of an LSTM the first cell state, of a GRU the bias beside the weight. The result, (states, batch, hidden), is laid out by
    /// <see cref="Kernels.SequenceLayout"/>.
    /// </summary>
    public static readonly Op RecurrentStates = Row(new Op
    {
        Name = "RecurrentStates",
        IsTotal = true,
        Arity = -1,
        Infer = Sequences.InferStates,
        Run = Sequences.RunStates,
        MultiplyAdds = static (x, _, _) => x[0].Shape.Size * x[1].Shape[1],
    });

    /// <summary>
    /// The gradients of the gates' inputs and of the first states. Inputs: the states, the weight, the gradients of the hidden states (time, batch, hidden) and,
    /// of an LSTM, of the last cell state.
    /// </summary>
    public static readonly Op RecurrentGradient = Row(new Op
    {
        Name = "RecurrentGradient",
        IsTotal = true,
        Arity = -1,
        Infer = Sequences.InferGradient,
        Run = Sequences.RunGradient,
        MultiplyAdds = static (x, _, _) => x[2].Shape.Size * x[1].Shape[0],
    });
}
