using System.Runtime.CompilerServices;
using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// The one way into an operator. It decides between computing now and adding to a trace; while recording it also puts a node on the tape.
/// Operators, layers and gradient rules never ask for the mode themselves.
/// </summary>
internal static class Dispatcher
{
    public static NDArray Apply(Op op, NDArray x, object? attributes)
    {
        ArgumentNullException.ThrowIfNull(x);
        NDArray output = null!;
        if (HalfPrecision.Concerns(op, x))
        {
            HalfPrecision.Apply(op, new ReadOnlySpan<NDArray>(in x), attributes, new Span<NDArray>(ref output));
            return output;
        }

        ExecutionState state = ExecutionState.Current;
        if (state.Tracer is { } tracer) tracer.Apply(op, new ReadOnlySpan<NDArray>(in x), attributes, new Span<NDArray>(ref output));
        else if (op.Element is not null && ElementExecution.TryUnary(op, x, out output!)) { }
        else Execute(op, new ReadOnlySpan<NDArray>(in x), attributes, new Span<NDArray>(ref output));
        if (state.Recording) Tape.Record(state, op, attributes, x, output);
        return output;
    }

    public static NDArray Apply(Op op, NDArray x, NDArray y, object? attributes)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        NDArray output = null!;
        if (HalfPrecision.Concerns(op, x) || HalfPrecision.Concerns(op, y))
        {
            HalfPrecision.Apply(op, [x, y], attributes, new Span<NDArray>(ref output));
            return output;
        }

        ExecutionState state = ExecutionState.Current;
        if (state.Tracer is { } tracer)
        {
            Pair pair = default;
            pair[0] = x;
            pair[1] = y;
            tracer.Apply(op, pair, attributes, new Span<NDArray>(ref output));
        }
        else if (op.Element is null || !ElementExecution.TryBinary(op, x, y, out output!))
        {
            Pair pair = default;
            pair[0] = x;
            pair[1] = y;
            Execute(op, pair, attributes, new Span<NDArray>(ref output));
        }
        if (state.Recording) Tape.Record(state, op, attributes, x, y, output);
        return output;
    }

    public static NDArray Apply(Op op, ReadOnlySpan<NDArray> inputs, object? attributes)
    {
        NDArray output = null!;
        Apply(op, inputs, attributes, new Span<NDArray>(ref output));
        return output;
    }

    public static void Apply(Op op, ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        foreach (NDArray input in inputs) ArgumentNullException.ThrowIfNull(input, nameof(inputs));
        if (HalfPrecision.Concerns(op, inputs))
        {
            HalfPrecision.Apply(op, inputs, attributes, outputs);
            return;
        }

        ExecutionState state = ExecutionState.Current;
        if (state.Tracer is { } tracer) tracer.Apply(op, inputs, attributes, outputs);
        else Execute(op, inputs, attributes, outputs);
        if (state.Recording) Tape.Record(state, op, attributes, inputs, outputs);
    }

    /// <summary>Computes now, without a tape: infer, allocate (or make a view), run. The operands are of types that the row computes with.</summary>
    public static void Execute(Op op, ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        GpuDevice? device = null;
        foreach (NDArray input in inputs)
        {
            input.ThrowIfUnusable(op.Name);
            if (input.IsOnGpu) device = Placing.Join(op.Name, device, input);
        }

        if (attributes is IPlacedAttributes placed) device = placed.Device?.Accelerator;
        else if (device is not null) Placing.Check(op.Name, device, inputs);
        TypeBuffer types = default;
        TypeBuffer results = default;
        Span<TensorType> inputTypes = inputs.Length <= TypeBuffer.Length ? ((Span<TensorType>)types)[..inputs.Length] : new TensorType[inputs.Length];
        Span<TensorType> outputTypes = outputs.Length <= TypeBuffer.Length ? ((Span<TensorType>)results)[..outputs.Length] : new TensorType[outputs.Length];
        for (int i = 0; i < inputs.Length; i++) inputTypes[i] = inputs[i].Type;
        op.Infer(inputTypes, attributes, outputTypes);
        if (op.View is { } view)
        {
            outputs[0] = view(inputs[0], attributes);
            return;
        }
        for (int i = 0; i < outputs.Length; i++) outputs[i] = NDArray.Allocate(outputTypes[i].DType, outputTypes[i].Shape, device);
        op.Compute(inputs, attributes, outputs);
        ExecutionState state = ExecutionState.Current;
        if (state.TemporaryScopes == 0) return;
        foreach (NDArray output in outputs) Temporaries.Add(state, output);
    }

    [InlineArray(2)]
    private struct Pair
    {
        private NDArray _first;
    }

    [InlineArray(Length)]
    private struct TypeBuffer
    {
        public const int Length = 8;
        private TensorType _first;
    }
}
