using Fusion.Kernels;

namespace Fusion;

/// <summary>One step of a recurrent layer from the inputs' share of the gates, the states, the weight and its bias: the next states.</summary>
internal delegate NDArray[] RecurrentStep(NDArray gates, NDArray[] states, NDArray weight, NDArray? bias);

/// <summary>
/// One direction of one recurrent layer, as one node of the tape: its gradient is one pass back through the steps, then one product for each weight. Where
/// gradients are differentiated again the node gives way to its steps.
/// </summary>
/// <remarks>
/// The inputs are x (time, batch, features), W_ih, W_hh, the first states, and, if there are biases, b_ih and b_hh. The outputs are the hidden states (time,
/// batch, hidden) and, of an LSTM, the last cell state.
/// </remarks>
internal sealed class RecurrentNode
{
    private const int X = 0, InputWeight = 1, HiddenWeight = 2, FirstState = 3;

    // Calls that a step may record, conversions of half precision included.
    private const int CallsPerStep = 128;

    private readonly RecurrentCell _cell;
    private readonly bool _reverse;
    private readonly RecurrentStep _step;
    private readonly Op _op;

    public RecurrentNode(string name, RecurrentCell cell, bool reverse, bool bias, RecurrentStep step)
    {
        (_cell, _reverse, _step) = (cell, reverse, step);
        FirstBias = bias ? FirstState + States : -1;
        _op = new Op
        {
            Name = name,
            Arity = FirstState + States + (bias ? 2 : 0),
            Outputs = States,
            Infer = static (_, _, _) => throw new InvalidOperationException("A recurrent layer is not inferred."),
            Run = static (_, _, _) => throw new InvalidOperationException("A recurrent layer is not run by the table."),
            Backward = (node, gradients, results, _) => Backward(node, gradients, results),
            Expansion = Expand,
            Repeat = Apply,
        };
    }

    private int States => _cell == RecurrentCell.Lstm ? 2 : 1;

    // Only a GRU tells its two biases apart.
    private bool AddsBiases => _cell != RecurrentCell.Gru;

    private int FirstBias { get; }

    /// <summary>The outputs.</summary>
    public NDArray[] Apply(IReadOnlyList<NDArray> inputs) => IsWhole(inputs) ? Run([.. inputs]) : Steps(inputs);

    // On accelerators the steps are operators that fuse; the kernels want one type.
    private static bool IsWhole(IReadOnlyList<NDArray> inputs)
    {
        foreach (NDArray input in inputs)
            if (input.DType != inputs[0].DType || !input.DType.IsFloat || !ReferenceEquals(input.Device, Device.Cpu)) return false;
        return inputs[X].Size > 0;
    }

    private NDArray[] Steps(IReadOnlyList<NDArray> inputs)
    {
        NDArray x = inputs[X];
        int time = x.Shape[0];
        NDArray gates = Nd.FullyConnected(x, inputs[InputWeight], InputBias(inputs), flatten: false);
        NDArray[] states = [.. Enumerable.Range(FirstState, States).Select(i => inputs[i])];
        NDArray[] outputs = new NDArray[time];
        for (int i = 0; i < time; i++)
        {
            int t = _reverse ? time - 1 - i : i;
            states = _step(gates[t], states, inputs[HiddenWeight], HiddenBias(inputs));
            outputs[t] = states[0];
        }

        NDArray output = time == 0 ? Nd.Zeros((0, x.Shape[1], inputs[HiddenWeight].Shape[1]), x.DType) : Nd.Stack(outputs);
        return [output, .. states[1..]];
    }

    private NDArray? InputBias(IReadOnlyList<NDArray> inputs) =>
        FirstBias < 0 ? null : AddsBiases ? inputs[FirstBias] + inputs[FirstBias + 1] : inputs[FirstBias];

    private NDArray? HiddenBias(IReadOnlyList<NDArray> inputs) => FirstBias < 0 || AddsBiases ? null : inputs[FirstBias + 1];

    private NDArray[] Run(NDArray[] inputs)
    {
        ExecutionState state = ExecutionState.Current;
        bool keep = state.Recording;
        NDArray x = inputs[X];
        int time = x.Shape[0], end = _reverse ? 0 : time;
        NDArray rows, states;
        NDArray[] outputs;
        using (Autograd.Pause(state.Training))
        {
            rows = Nd.Reshape(x, time * x.Shape[1], x.Shape[2]);
            NDArray gates = Nd.FullyConnected(rows, inputs[InputWeight], InputBias(inputs));
            NDArray[] operands = [gates, .. inputs[HiddenWeight..(FirstState + States)]];
            if (_cell == RecurrentCell.Gru) operands = [.. operands, HiddenBias(inputs) ?? Nd.Zeros(gates.Shape[1], gates.DType)];
            states = OpTable.RecurrentStates.Apply(operands, new SequenceAttributes(_cell, _reverse, keep));
            if (state.Tracer is null) gates.ReleaseIfUnshared();
            outputs = [Nd.Slice(states, 0, _reverse ? 0 : 1, _reverse ? time : time + 1)];
            if (States == 2) outputs = [outputs[0], states[time + 1 + (keep ? end : 0)]];
        }

        if (keep) Record(state, inputs, rows, states, outputs);
        return outputs;
    }

    private void Record(ExecutionState state, NDArray[] inputs, NDArray rows, NDArray states, NDArray[] outputs)
    {
        SequenceRange numbers = TapeNode.Reserve(state, (long)CallsPerStep * (rows.Shape[0] + 1));
        if (Tape.Record(state, _op, numbers, inputs, outputs) is not { } node) return;
        node.OutputTypes = Array.ConvertAll(outputs, static o => o.Type);

        // What only the steps read may be overwritten unless they are needed.
        SavedArray[] saved = new SavedArray[inputs.Length + 2];
        for (int i = 0; i < inputs.Length; i++) saved[i] = new SavedArray(inputs[i], counted: i == HiddenWeight || (i == InputWeight && node.Edge(X).RequiresGradient));
        saved[^2] = new SavedArray(rows, counted: node.Edge(InputWeight).RequiresGradient);
        saved[^1] = new SavedArray(states);
        node.ExtraSaved = saved;
    }

    private void Backward(TapeNode node, ReadOnlySpan<NDArray?> gradients, Span<NDArray?> results)
    {
        ExecutionState state = ExecutionState.Current;
        TensorType[] types = node.OutputTypes!;
        Shape shape = types[0].Shape;
        (int time, int batch, int hidden) = (shape[0], shape[1], shape[2]);
        NDArray weight = Saved(node, HiddenWeight, "the hidden weight"), states = Saved(node, node.ExtraSaved.Length - 1, "the states");
        bool wantsFirst = node.Edge(FirstState).RequiresGradient || (States == 2 && node.Edge(FirstState + 1).RequiresGradient);
        NDArray[] operands = [states, weight, gradients[0] ?? Nd.Zeros(shape, types[0].DType)];
        if (States == 2) operands = [.. operands, gradients[1] ?? Nd.Zeros(types[1].Shape, types[1].DType)];
        NDArray all = OpTable.RecurrentGradient.Apply(operands, new SequenceAttributes(_cell, _reverse, wantsFirst));

        // The gradients of the gates' inputs and of the products h·Wᵀ, which are others for a GRU.
        int gates = weight.Shape[0] / hidden;
        bool isPlain = all.Rank == 2;
        NDArray ofInputs = isPlain ? all : Part(all, 0), ofProducts = _cell == RecurrentCell.Gru ? Part(all, gates * time) : ofInputs;
        if (node.Edge(X).RequiresGradient)
            results[X] = Nd.Reshape(Product(ofInputs, Saved(node, InputWeight, "the input weight"), false), node.Edge(X).Shape);
        if (node.Edge(InputWeight).RequiresGradient) results[InputWeight] = Product(ofInputs, Saved(node, node.ExtraSaved.Length - 2, "the input"), true);
        if (node.Edge(HiddenWeight).RequiresGradient)
        {
            NDArray before = Nd.Slice(Nd.Reshape(states, -1, hidden), 0, _reverse ? batch : 0, (_reverse ? time + 1 : time) * batch);
            results[HiddenWeight] = Product(ofProducts, before, true);
        }

        for (int i = 0; wantsFirst && i < States; i++) results[FirstState + i] = all[all.Shape[0] - States + i];
        if (FirstBias >= 0 && (node.Edge(FirstBias).RequiresGradient || node.Edge(FirstBias + 1).RequiresGradient))
        {
            results[FirstBias] = Nd.Sum(ofInputs, [0]);
            results[FirstBias + 1] = AddsBiases ? results[FirstBias] : Nd.Sum(ofProducts, [0]);
        }

        if (isPlain && state.Tracer is null && !state.Recording) all.ReleaseIfUnshared();

        NDArray Part(NDArray packed, int start) => Nd.Reshape(Nd.Slice(packed, 0, start, start + (gates * time)), time * batch, gates * hidden);
    }

    // The steps come where the node is on the tape, with its inputs, which may have become other variables since.
    private NDArray[] Expand(TapeNode node)
    {
        ExecutionState state = ExecutionState.Current;
        NDArray[] inputs = new NDArray[node.InputCount];
        for (int i = 0; i < inputs.Length; i++) inputs[i] = At(node.Edge(i), Saved(node, i, $"input {i}"));
        SequenceRange? outer = state.Sequences;
        state.Sequences = (SequenceRange)node.Attributes!;
        using RecordScope scope = Autograd.Record(node.TrainMode);
        try
        {
            return Steps(inputs);
        }
        finally
        {
            state.Sequences = outer;
        }
    }

    private static NDArray At(TapeEdge edge, NDArray input)
    {
        object? source = edge.Source is NDArray ? null : edge.Source;
        if (ReferenceEquals(input.Source, source) && (source is null || input.SourceIndex == edge.Index)) return input;
        NDArray linked = input.Alias();
        linked.SetSource(source, source is null ? 0 : edge.Index);
        return linked;
    }

    private static NDArray Saved(TapeNode node, int index, string role) => node.ExtraSaved[index].Read(node, role);

    private static NDArray Product(NDArray a, NDArray b, bool transposeA) => OpTable.MatMul.Apply(a, b, new MatMulAttributes(transposeA, false));
}
