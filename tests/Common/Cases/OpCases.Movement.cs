namespace Fusion.Tests;

// Operators that move elements.
internal static partial class OpCases
{
    internal static readonly OpCase[] Movement =
    [
        Case(OpTable.ToDevice, "", static x => Stay(x[0]), static x => x[0], UnaryShapes) with
        {
            DTypes = ResultTypes.All,
        },
        Case(OpTable.Copy, "", static x => x[0].Copy(), static x => x[0], UnaryShapes) with { DTypes = ResultTypes.All },
        Case(OpTable.Cast, "to Float64", static x => x[0].AsType(DType.Float64), static x => x[0], UnaryShapes) with
        {
            DTypes = ResultTypes.All,
            Result = static _ => DType.Float64,
        },
        Case(OpTable.Cast, "to Float32", static x => x[0].AsType(DType.Float32), static x => x[0], UnaryShapes) with
        {
            DTypes = ResultTypes.All,
            Result = static _ => DType.Float32,
            Order = 0,
        },
        Case(OpTable.Cast, "to Int32", static x => x[0].AsType(DType.Int32), static x => RefArray.Zip(x, static v => Math.Truncate(v[0])), UnaryShapes) with
        {
            DTypes = ResultTypes.All,
            Result = static _ => DType.Int32,
            Order = 0,
        },
        Case(OpTable.StopGradient, "", static x => Nd.StopGradient(x[0]), static x => x[0], UnaryShapes) with
        {
            DTypes = ResultTypes.All,
            ZeroGradient = true,
        },
        Case(OpTable.Constant, "", static x => OpTable.Constant.Apply(x[0], x[1]), static x => x[0], [[[2, 3], [2, 3]], [[1], [1]], [[], []], [[3, 0], [3, 0]]]) with
        {
            DTypes = ResultTypes.All,
        },
        Case(
            OpTable.Reshape,
            "",
            static x => x[0].Reshape(3, -1),
            static x => x[0].Reshape(3, x[0].Values.Length / 3),
            [[[2, 3, 4]], [[3, 1]], [[3, 0]], [[6]]]) with
        {
            DTypes = ResultTypes.All,
            Rejects =
            [
                Rejection.Of<ShapeException>("another number of elements", static () => Nd.Ones((2, 3)).Reshape(4, 2), "Reshape", "(2, 3)", "(4, 2)"),
                Rejection.Of<ShapeException>("no whole number", static () => Nd.Ones((2, 3)).Reshape(4, -1), "Reshape", "(2, 3)", "(4, -1)"),
                Rejection.Of<ShapeException>("two sizes of −1", static () => Nd.Ones((2, 3)).Reshape(-1, -1), "Reshape", "−1"),
            ],
        },
        Case(
            OpTable.Transpose,
            "",
            static x => x[0].Transpose(),
            static x => x[0].Transpose([.. Enumerable.Range(0, x[0].Rank).Reverse()]),
            [[[2, 3, 4]], [[3, 5]], [[7]], [[]], [[3, 0]]]) with
        {
            DTypes = ResultTypes.All,
            Large = [[100, 300]],
        },
        Case(
            OpTable.Transpose,
            "2 0 1",
            static x => x[0].Transpose(2, 0, -2),
            static x => x[0].Transpose(2, 0, 1),
            [[[2, 3, 4]], [[1, 3, 1]], [[2, 0, 3]]]) with
        {
            Rejects =
            [
                Rejection.Of<ShapeException>("an axis twice", static () => Nd.Ones((2, 3)).Transpose(0, 0), "Transpose", "(0, 0)", "(2, 3)"),
                Rejection.Of<ShapeException>("too few axes", static () => Nd.Ones((2, 3)).Transpose(0), "Transpose", "(2, 3)"),
                Rejection.Of<ArgumentOutOfRangeException>(
                    "an axis that does not exist",
                    static () => Nd.Ones((2, 3)).Transpose(0, 2),
                    "Transpose",
                    "axis 2",
                    "(2, 3)"),
            ],
        },
        Case(
            OpTable.BroadcastTo,
            "",
            static x => x[0].BroadcastTo((4, 2, 3)),
            static x => RefArray.Build([4, 2, 3], i => x[0][i]),
            [[[2, 1]], [[3]], [[1]], [[]], [[1, 2, 1]]]) with
        {
            DTypes = ResultTypes.All,
            Rejects = [Unfit(static () => Nd.Ones((2, 3)).BroadcastTo((2, 4)), "BroadcastTo", "(2, 3)", "(2, 4)")],
        },
        Case(
            OpTable.Slice,
            "",
            static x => x[0].Slice(-1, 1, 8, 3),
            static x => Take(x[0], -1, Every(x[0].Shape[^1], 1, 8, 3)),
            [[[2, 9]], [[3]], [[2, 0]], [[0, 5]], [[2, 3, 40]]]) with
        {
            DTypes = ResultTypes.All,
            Rejects =
            [
                Rejection.Of<ArgumentOutOfRangeException>(
                    "an axis that does not exist",
                    static () => Nd.Ones((2, 3)).Slice(2, 0, 1),
                    "Slice",
                    "axis 2",
                    "(2, 3)"),
                Rejection.Of<ArgumentOutOfRangeException>("step 0", static () => Nd.Ones((2, 3)).Slice(0, 0, 1, 0), "step"),
            ],
        },
        Case(
            OpTable.Slice,
            "backwards",
            static x => x[0].Flip(0),
            static x => Take(x[0], 0, [.. Enumerable.Range(0, x[0].Shape[0]).Reverse()]),
            [[[4, 3]], [[1]], [[0]], [[130]]]),
        Case(
            OpTable.Unslice,
            "",
            static x => x[0].Pad([(1, 2), (0, 3)]),
            static x => RefArray.Build([x[0].Shape[0] + 3, x[0].Shape[1] + 3], i => Inside(x[0], i[0] - 1, i[1])),
            [[[2, 3]], [[1, 1]], [[0, 2]], [[3, 0]]]) with
        {
            DTypes = ResultTypes.All,
            Rejects =
            [
                Rejection.Of<ShapeException>("too few pairs", static () => Nd.Ones((2, 3)).Pad([(1, 1)]), "Pad", "(2, 3)"),
                Rejection.Of<ShapeException>("a negative width", static () => Nd.Ones((2, 3)).Pad([(0, 0), (-1, 0)]), "Pad", "axis 1"),
            ],
        },
        Case(
            OpTable.Pad,
            "",
            static x => x[0].Pad([(1, 2), (0, 3)], 7),
            static x => RefArray.Build(
                [x[0].Shape[0] + 3, x[0].Shape[1] + 3],
                i => i[0] >= 1 && i[0] <= x[0].Shape[0] && i[1] < x[0].Shape[1] ? x[0][i[0] - 1, i[1]] : 7),
            [[[2, 3]], [[1, 1]], [[0, 2]], [[3, 0]], [[33, 40]]]) with
        {
            DTypes = ResultTypes.Numbers,
            Rejects = [Rejection.Of<ShapeException>("too few pairs", static () => Nd.Ones((2, 3)).Pad([(1, 1)], 7), "Pad", "(2, 3)")],
        },
        Case(
            OpTable.Roll,
            "",
            static x => x[0].Roll(-2, 1),
            static x => RefArray.Build(x[0].Shape, i => x[0][i[0], (i[1] + 2) % x[0].Shape[1]]),
            [[[2, 5]], [[3, 1]], [[0, 2]], [[3, 0]], [[2, 131]]]) with
        {
            DTypes = ResultTypes.All,
            Rejects = [Rejection.Of<ArgumentOutOfRangeException>("an axis that does not exist", static () => Nd.Ones((2, 3)).Roll(1, 2), "Roll", "axis 2")],
        },
        Case(
            OpTable.WriteSlice,
            "",
            static x => x[0].SliceUpdate(x[1], 1, 1, null, 2),
            static x => RefArray.Build(x[0].Shape, i => i[1] % 2 == 1 ? x[1][i[0], (i[1] - 1) / 2] : x[0][i[0], i[1]]),
            [[[2, 5], [2, 2]], [[3, 1], [3, 0]], [[0, 4], [0, 2]], [[2, 131], [2, 65]]]) with
        {
            DTypes = ResultTypes.All,
            Rejects =
            [
                Rejection.Of<ShapeException>("values that do not broadcast", static () => Nd.Ones((2, 5)).SliceUpdate(Nd.Ones((2, 3)), 1, 1, null, 2), "(2, 3)"),
                Rejection.Of<ArgumentOutOfRangeException>("an axis that does not exist", static () => Nd.Ones((2, 3)).SliceUpdate(Nd.Ones(1), 2, 0, 1), "axis 2", "(2, 3)"),
            ],
        },
        Case(
            OpTable.Concat,
            "",
            static x => Nd.Concat(x, 0),
            static x => Concat(x, 0),
            [[[2, 3], [1, 3], [3, 3]], [[1], [0], [130]], [[0, 2], [0, 2]], [[5]]]) with
        {
            DTypes = ResultTypes.All,
            Rejects =
            [
                Rejection.Of<ShapeException>("another size", static () => Nd.Concat([Nd.Ones((2, 3)), Nd.Ones((2, 4))]), "Concat", "(2, 3)", "(2, 4)"),
                Rejection.Of<ShapeException>("another rank", static () => Nd.Concat([Nd.Ones((2, 3)), Nd.Ones(3)]), "Concat", "(2, 3)", "(3,)"),
                Rejection.Of<ShapeException>("an empty list", static () => Nd.Concat([]), "Concat"),
                Rejection.Of<ArgumentOutOfRangeException>(
                    "an axis that does not exist",
                    static () => Nd.Concat([Nd.Ones((2, 3))], 2),
                    "Concat",
                    "axis 2",
                    "(2, 3)"),
            ],
        },
        Case(
            OpTable.Concat,
            "last axis",
            static x => Nd.Concat(x, -1),
            static x => Concat(x, -1),
            [[[2, 3], [2, 1]], [[2, 0], [2, 130]], [[2, 1, 4], [2, 1, 5], [2, 1, 0]]]) with
        {
            Large = [[100, 200], [100, 100]],
        },
    ];

    private static int[] Every(int n, int start, int stop, int step) =>
        [.. Enumerable.Range(0, n).Where(i => i >= start && i < stop && (i - start) % step == 0)];

    private static double Inside(RefArray x, int row, int column) => row >= 0 && row < x.Shape[0] && column >= 0 && column < x.Shape[1] ? x[row, column] : 0;

    private static RefArray Take(RefArray x, int axis, int[] indices)
    {
        axis = axis < 0 ? axis + x.Rank : axis;
        int[] from = new int[x.Rank];
        return RefArray.Build([.. x.Shape.Select((size, i) => i == axis ? indices.Length : size)], index =>
        {
            index.CopyTo(from, 0);
            from[axis] = indices[index[axis]];
            return x[from];
        });
    }

    private static RefArray Concat(RefArray[] x, int axis)
    {
        axis = axis < 0 ? axis + x[0].Rank : axis;
        int[] from = new int[x[0].Rank];
        return RefArray.Build([.. x[0].Shape.Select((size, i) => i == axis ? x.Sum(a => a.Shape[axis]) : size)], index =>
        {
            index.CopyTo(from, 0);
            int part = 0;
            for (; from[axis] >= x[part].Shape[axis]; part++) from[axis] -= x[part].Shape[axis];
            return x[part][from];
        });
    }

    // From one device to itself: what lies between two of them is tested with the devices.
    private static NDArray Stay(NDArray x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return OpTable.ToDevice.Apply(x, new DeviceAttributes(x.Device, x.Device));
    }
}
