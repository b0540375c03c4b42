namespace Fusion;

public static partial class Autograd
{
    /// <summary>
    /// An operator with a gradient of your own: override <see cref="Forward"/> and <see cref="Backward"/>, then call <see cref="Apply"/> as often as
    /// you like, also from several threads. When <see cref="Backward"/> is written with differentiable operators, gradients of every order work.
    /// </summary>
    public abstract class Function
    {
        /// <summary>Computes the outputs. Runs unrecorded: the function is one node of the tape.</summary>
        protected abstract IReadOnlyList<NDArray> Forward(IReadOnlyList<NDArray> inputs);

        /// <summary>The gradient for each input from one gradient per output; null: this input gets none.</summary>
        protected abstract IReadOnlyList<NDArray?> Backward(IReadOnlyList<NDArray> outputGradients);

        /// <summary>
        /// Keeps arrays for <see cref="Backward"/>: inputs and outputs, which gradients of higher orders flow through; what was computed on the way is a constant there.
        /// </summary>
        /// <exception cref="InvalidOperationException">Called outside <see cref="Forward"/>.</exception>
        protected void SaveForBackward(params IReadOnlyList<NDArray> arrays)
        {
            ArgumentNullException.ThrowIfNull(arrays);
            foreach (NDArray array in arrays) ArgumentNullException.ThrowIfNull(array, nameof(arrays));
            ExecutionState state = ExecutionState.Current;
            if (!ReferenceEquals(state.Call.Function, this)) throw new InvalidOperationException($"{GetType().Name}.SaveForBackward: call it in Forward.");
            state.Call = (this, [.. arrays]);
        }

        /// <summary>The arrays kept by <see cref="SaveForBackward"/> in the call whose gradient is computed.</summary>
        protected IReadOnlyList<NDArray> SavedArrays => ReferenceEquals(ExecutionState.Current.Call.Function, this) ? ExecutionState.Current.Call.Saved : [];

        /// <summary>Calls the function; while recording it becomes one node of the tape.</summary>
        /// <exception cref="InvalidOperationException"><see cref="Forward"/> returned no output.</exception>
        public IReadOnlyList<NDArray> Apply(params IReadOnlyList<NDArray> inputs)
        {
            ArgumentNullException.ThrowIfNull(inputs);
            ExecutionState state = ExecutionState.Current;
            NDArray[] arguments = [.. inputs];
            foreach (NDArray argument in arguments) ArgumentNullException.ThrowIfNull(argument, nameof(inputs));
            (Function?, IReadOnlyList<NDArray>) outer = state.Call;
            IReadOnlyList<NDArray> results;
            IReadOnlyList<NDArray> saved;
            try
            {
                state.Call = (this, []);
                using RecordScope scope = Pause(state.Training);
                results = Forward(arguments) ?? throw new InvalidOperationException($"{GetType().Name}.Forward returned null; return the list of outputs.");
                saved = state.Call.Saved;
            }
            finally
            {
                state.Call = outer;
            }

            // Each output gets a tape position of its own: an input that is returned unchanged, or an array returned twice, must not lose the other one.
            NDArray[] outputs = new NDArray[results.Count];
            for (int i = 0; i < outputs.Length; i++)
            {
                NDArray result = results[i] ?? throw new InvalidOperationException($"{GetType().Name}.Forward: output {i} is null.");
                bool taken = result.Source is not null || Contains(arguments, result) || Contains(saved, result) || Contains(outputs, result);
                outputs[i] = taken ? result.Detach() : result;
            }

            if (state.Recording) Record(state, arguments, results, outputs, saved);
            return outputs;
        }

        private void Record(ExecutionState state, NDArray[] inputs, IReadOnlyList<NDArray> results, NDArray[] outputs, IReadOnlyList<NDArray> saved)
        {
            Op op = new()
            {
                Name = GetType().Name,
                Arity = inputs.Length,
                Outputs = Math.Max(1, outputs.Length),
                Infer = static (_, _, _) => throw new InvalidOperationException("A custom function is not inferred."),
                Run = static (_, _, _) => throw new InvalidOperationException("A custom function is not run by the table."),
                Backward = RunBackward,
            };
            if (state.Tracer is { } tracer)
            {
                foreach (NDArray input in inputs) tracer.Given(input);
            }

            TapeNode? node = Tape.Record(state, op, null, inputs, outputs);
            if (node is null) return;
            node.OutputTypes = System.Array.ConvertAll(outputs, static o => o.Type);
            node.ExtraSaved = new SavedArray[saved.Count];
            for (int i = 0; i < saved.Count; i++)
            {
                // A kept output is a function of the inputs: a gradient computed from it is differentiated again.
                if (saved[i].Source is null && !Contains(inputs, saved[i]) && IndexOf(results, saved[i]) is var output && output >= 0) saved[i].SetSource(node, output);
                node.ExtraSaved[i] = new SavedArray(saved[i]);
            }
        }

        private void RunBackward(TapeNode node, ReadOnlySpan<NDArray?> outputGradients, Span<NDArray?> inputGradients, BackwardPass pass)
        {
            NDArray[] gradients = new NDArray[outputGradients.Length];
            Device device = Device.Cpu;
            foreach (NDArray? given in outputGradients) device = given?.Device ?? device;
            for (int i = 0; i < gradients.Length; i++) gradients[i] = outputGradients[i] ?? Nd.Zeros(node.OutputTypes![i].Shape, node.OutputTypes[i].DType, device);
            NDArray[] saved = new NDArray[node.ExtraSaved.Length];
            for (int i = 0; i < saved.Length; i++) saved[i] = node.ExtraSaved[i].Read(node, $"saved array {i}");
            ExecutionState state = ExecutionState.Current;
            (Function?, IReadOnlyList<NDArray>) outer = state.Call;
            state.Call = (this, saved);
            IReadOnlyList<NDArray?> results;
            try
            {
                results = Backward(gradients);
            }
            finally
            {
                state.Call = outer;
            }

            if (results is null || results.Count != inputGradients.Length)
                throw new AutogradException($"{node.Op.Name}.Backward returned {results?.Count ?? 0} gradients for {inputGradients.Length} inputs; return one per input, null where there is none.");
            for (int i = 0; i < results.Count; i++)
            {
                if (results[i] is { } gradient && !Broadcasting.FitsInto(node.Edge(i).Shape, gradient.Shape) && !Broadcasting.FitsInto(gradient.Shape, node.Edge(i).Shape))
                    throw new ShapeException($"{node.Op.Name}.Backward: gradient {i} has the shape {gradient.Shape}, the input {node.Edge(i).Shape}; return a gradient of the input's shape.");
                inputGradients[i] = results[i];
            }
        }

        private static bool Contains(IReadOnlyList<NDArray> arrays, NDArray array) => IndexOf(arrays, array) >= 0;

        private static int IndexOf(IReadOnlyList<NDArray> arrays, NDArray array)
        {
            for (int i = 0; i < arrays.Count; i++)
                if (ReferenceEquals(arrays[i], array)) return i;
            return -1;
        }
    }
}
