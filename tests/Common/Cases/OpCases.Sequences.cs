using Fusion.Kernels;

namespace Fusion.Tests;

// Recurrent layers over a whole sequence: the states and their gradient, as the layers call them.
internal static partial class OpCases
{
    internal static readonly OpCase[] RecurrentLayers =
    [
        States(RecurrentCell.Lstm, reverse: false, keep: true) with
        {
            Large = StatesOf(RecurrentCell.Lstm, 3, 45, 40),
            Rejects =
            [
                Rejection.Of<ShapeException>("a weight of other gates", static () => OpTable.RecurrentStates.Apply(
                    [Nd.Ones((2, 6)), Nd.Ones((6, 2)), Nd.Ones((2, 2)), Nd.Ones((2, 2))], new SequenceAttributes(RecurrentCell.Lstm, false, false)),
                    "RecurrentStates", "(8, 2)", "(6, 2)"),
                Rejection.Of<ShapeException>("a cell state of another shape", static () => OpTable.RecurrentStates.Apply(
                    [Nd.Ones((2, 8)), Nd.Ones((8, 2)), Nd.Ones((2, 2)), Nd.Ones((1, 2))], new SequenceAttributes(RecurrentCell.Lstm, false, false)),
                    "RecurrentStates", "(2, 2)", "(1, 2)"),
                Rejection.Of<DTypeException>("two types", static () => OpTable.RecurrentStates.Apply(
                    [Nd.Ones((2, 2)), Nd.Ones((2, 2)), Nd.Ones((2, 2), DType.Float64)], new SequenceAttributes(RecurrentCell.Tanh, false, false)),
                    "RecurrentStates", "Float32", "Float64"),
            ],
        },
        States(RecurrentCell.Lstm, reverse: true, keep: true),
        States(RecurrentCell.Lstm, reverse: false, keep: false),
        States(RecurrentCell.Lstm, reverse: true, keep: false),
        States(RecurrentCell.Gru, reverse: false, keep: true) with { Large = StatesOf(RecurrentCell.Gru, 4, 45, 40) },
        States(RecurrentCell.Gru, reverse: true, keep: false),
        States(RecurrentCell.Tanh, reverse: false, keep: true) with { Large = StatesOf(RecurrentCell.Tanh, 9, 45, 40) },
        States(RecurrentCell.Relu, reverse: true, keep: false),
        Gradient(RecurrentCell.Lstm, reverse: false, first: false) with { Large = GradientOf(RecurrentCell.Lstm, 3, 45, 40) },
        Gradient(RecurrentCell.Lstm, reverse: true, first: true) with
        {
            Rejects = [Rejection.Of<ShapeException>("states of another sequence", static () => OpTable.RecurrentGradient.Apply(
                [Nd.Ones((18, 2, 2)), Nd.Ones((8, 2)), Nd.Ones((3, 2, 2)), Nd.Ones((2, 2))], new SequenceAttributes(RecurrentCell.Lstm, false, false)),
                "RecurrentGradient", "(20, 2, 2)", "(18, 2, 2)")],
        },
        Gradient(RecurrentCell.Gru, reverse: false, first: false) with { Large = GradientOf(RecurrentCell.Gru, 4, 45, 40) },
        Gradient(RecurrentCell.Gru, reverse: true, first: true),
        Gradient(RecurrentCell.Tanh, reverse: false, first: true),
        Gradient(RecurrentCell.Relu, reverse: true, first: false),
    ];

    private static OpCase States(RecurrentCell cell, bool reverse, bool keep) => Case(
        OpTable.RecurrentStates, $"{cell}{(reverse ? " reverse" : "")}{(keep ? " for gradients" : "")}",
        x => OpTable.RecurrentStates.Apply(x, new SequenceAttributes(cell, reverse, keep)),
        x => SequenceReference.States(cell, reverse, keep, x),
        [StatesOf(cell, 3, 2, 2), StatesOf(cell, 2, 5, 17), StatesOf(cell, 1, 1, 100), StatesOf(cell, 0, 2, 2), StatesOf(cell, 2, 3, 1)]) with
    {
        Domains = [Domain.Real(-1, 1)],
        Scale = 400,
        Order = 0,
    };

    private static OpCase Gradient(RecurrentCell cell, bool reverse, bool first) => Case(
        OpTable.RecurrentGradient, $"{cell}{(reverse ? " reverse" : "")}{(first ? " of first states" : "")}",
        x => OpTable.RecurrentGradient.Apply(x, new SequenceAttributes(cell, reverse, first)),
        x => SequenceReference.Gradients(cell, reverse, first, x),
        [GradientOf(cell, 3, 2, 2), GradientOf(cell, 2, 5, 17), GradientOf(cell, 2, 1, 100), GradientOf(cell, 2, 3, 1)]) with
    {
        Domains = [Domain.Real(-1, 1)],
        Scale = 4000,
        Order = 0,
    };

    private static Shape[] StatesOf(RecurrentCell cell, int time, int batch, int hidden)
    {
        int gates = SequenceReference.Gates(cell) * hidden;
        Shape[] shapes = [(time * batch, gates), (gates, hidden), (batch, hidden)];
        return cell switch { RecurrentCell.Lstm => [.. shapes, (batch, hidden)], RecurrentCell.Gru => [.. shapes, gates], _ => shapes };
    }

    private static Shape[] GradientOf(RecurrentCell cell, int time, int batch, int hidden)
    {
        int states = SequenceReference.States(cell, time, keep: true), gates = SequenceReference.Gates(cell) * hidden;
        Shape[] shapes = [(states, batch, hidden), (gates, hidden), (time, batch, hidden)];
        return cell == RecurrentCell.Lstm ? [.. shapes, (batch, hidden)] : shapes;
    }
}
