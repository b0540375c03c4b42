using Fusion.Kernels;

namespace Fusion;

/// <summary>The cell of a recurrent layer, and its direction.</summary>
/// <param name="Cell">What a step computes.</param>
/// <param name="Reverse">From the last time to the first one.</param>
/// <param name="Extra">Forward: what the gradient reads is kept. Backward: the gradients of the first states are wanted.</param>
internal sealed record SequenceAttributes(RecurrentCell Cell, bool Reverse, bool Extra);

/// <summary>Shape rules and kernel calls of recurrent layers over a whole sequence.</summary>
internal static unsafe class Sequences
{
    /// <summary>Where the states lie, given the shape of the gates' inputs (time·batch, gates·hidden) and of a state.</summary>
    public static SequenceLayout Layout(SequenceAttributes a, int rows, Shape state, bool keep) =>
        new(a.Cell, state[0] == 0 ? 0 : rows / state[0], state[0], state[1], a.Reverse, keep);

    public static void InferStates(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        SequenceAttributes a = (SequenceAttributes)attributes!;
        Shape gates = x[0].Shape, weight = x[1].Shape, state = x[2].Shape;
        CheckTypes("RecurrentStates", x);
        if (gates.Rank != 2 || weight.Rank != 2 || state.Rank != 2 || weight[1] != state[1] || gates[1] != weight[0] || (state[0] > 0 && gates[0] % state[0] != 0))
            throw new ShapeException(
                $"RecurrentStates: gates (time·batch, gates·hidden), a weight (gates·hidden, hidden) and a state (batch, hidden) are needed, not {gates}, {weight}, {state}.");
        SequenceLayout layout = Layout(a, gates[0], state, a.Extra);
        if (weight[0] != layout.Gates * layout.Hidden)
            throw new ShapeException($"RecurrentStates: the weight must be ({layout.Gates * layout.Hidden}, {layout.Hidden}), it is {weight}.");
        Shape? fourth = a.Cell switch { RecurrentCell.Lstm => state, RecurrentCell.Gru => weight[0], _ => default(Shape?) };
        if (fourth is { } expected && x[3].Shape != expected) throw new ShapeException($"RecurrentStates: the fourth operand must be {expected}, it is {x[3].Shape}.");
        y[0] = x[0] with { Shape = (checked((int)layout.States), state[0], state[1]) };
    }

    public static void InferGradient(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        SequenceAttributes a = (SequenceAttributes)attributes!;
        CheckTypes("RecurrentGradient", x);
        Shape upstream = x[2].Shape;
        SequenceLayout layout = new(a.Cell, upstream[0], upstream[1], upstream[2], a.Reverse, keep: true);
        Shape states = (checked((int)layout.States), upstream[1], upstream[2]);
        if (x[0].Shape != states) throw new ShapeException($"RecurrentGradient: the states of {upstream} must be {states}, they are {x[0].Shape}.");
        long count = layout.Gradients(a.Extra);
        bool isPlain = count == layout.Gates * layout.Time;
        y[0] = x[0] with
        {
            Shape = isPlain ? (checked(upstream[0] * upstream[1]), checked((int)layout.Gates * upstream[2])) : (checked((int)count), upstream[1], upstream[2]),
        };
    }

    public static void RunStates(ReadOnlySpan<NDArray> x, object? attributes, Span<NDArray> y)
    {
        SequenceAttributes a = (SequenceAttributes)attributes!;
        NDArray gates = x[0].Contiguous(), weight = x[1].Contiguous(), hidden = x[2].Contiguous(), fourth = x.Length > 3 ? x[3].Contiguous() : hidden;
        fixed (byte* g = &gates.Data, w = &weight.Data, h = &hidden.Data, f = &fourth.Data, to = &y[0].Data)
        {
            SequenceKernels.Forward(gates.DType, new SequenceJob
            {
                Layout = Layout(a, gates.Shape[0], hidden.Shape, a.Extra),
                Gates = (nint)g,
                Weight = (nint)w,
                FirstHidden = (nint)h,
                FirstCell = a.Cell == RecurrentCell.Lstm ? (nint)f : 0,
                Bias = a.Cell == RecurrentCell.Gru ? (nint)f : 0,
                States = (nint)to,
            });
        }

        GC.KeepAlive(gates);
        GC.KeepAlive(weight);
        GC.KeepAlive(hidden);
        GC.KeepAlive(fourth);
    }

    public static void RunGradient(ReadOnlySpan<NDArray> x, object? attributes, Span<NDArray> y)
    {
        SequenceAttributes a = (SequenceAttributes)attributes!;
        NDArray states = x[0].Contiguous(), weight = x[1].Contiguous(), upstream = x[2], cell = x.Length > 3 ? x[3].Contiguous() : states;
        Span<long> strides = stackalloc long[3];
        upstream.CopyStrides(strides);
        if (strides[2] != 1)
        {
            upstream = upstream.Contiguous();
            upstream.CopyStrides(strides);
        }

        Shape shape = upstream.Shape;
        fixed (byte* s = &states.Data, w = &weight.Data, u = &upstream.Data, c = &cell.Data, to = &y[0].Data)
        {
            SequenceKernels.Backward(states.DType, new SequenceJob
            {
                Layout = new SequenceLayout(a.Cell, shape[0], shape[1], shape[2], a.Reverse, keep: true),
                States = (nint)s,
                Weight = (nint)w,
                Upstream = (nint)u,
                UpstreamTime = strides[0],
                UpstreamBatch = strides[1],
                UpstreamCell = (nint)c,
                Gradients = (nint)to,
                First = a.Extra,
            });
        }

        GC.KeepAlive(states);
        GC.KeepAlive(weight);
        GC.KeepAlive(upstream);
        GC.KeepAlive(cell);
    }

    private static void CheckTypes(string op, ReadOnlySpan<TensorType> x)
    {
        foreach (TensorType type in x)
            if (type.DType != x[0].DType || !type.DType.IsFloat)
                throw new DTypeException($"{op}: {x[0].DType} and {type.DType}; all must be of one floating-point type. Convert with AsType.");
    }
}
