namespace Fusion.Tests;

// Linear maps of the last axes with a few terms in each sum, and their transposes.
internal static partial class OpCases
{
    internal static readonly OpCase[] Resamplings =
    [
        Case(OpTable.Resample, "linear", static x => Nd.Resize(x[0], 5, 2), static x => Mapped(x[0], 5, 2, Tent(false)), [[[1, 2, 3, 4]], [[2, 1, 9, 70]], [[0, 2, 3, 3]]]) with
        {
            Scale = 4,
            Large = [[20, 8, 16, 20]],
            Rejects =
            [
                Rejection.Of<ShapeException>("no pixels", static () => Nd.Resize(Nd.Ones((1, 1, 0, 3)), 2, 2), "Resize", "(1, 1, 0, 3)"),
                Rejection.Of<ShapeException>("another plane", static () => OpTable.Resample.Apply(Nd.Ones((2, 3)), Plane(ResampleKind.Linear, false)), "Resample", "(2, 3)", "(4, 5)"),
            ],
        },
        Case(OpTable.Resample, "linear, corners aligned", static x => Nd.Resize(x[0], 3, 9, alignCorners: true), static x => Mapped(x[0], 3, 9, Tent(true)),
            [[[1, 2, 3, 4]], [[2, 1, 1, 1]], [[1, 2, 7, 33]]]) with { Scale = 4 },
        Case(OpTable.Resample, "along rows", static x => Nd.Resize(x[0], 3, 7), static x => Mapped(x[0], 3, 7, Tent(false)), [[[2, 1, 3, 4]]]) with { Scale = 4 },
        Case(OpTable.Resample, "along columns", static x => Nd.Resize(x[0], 7, 4), static x => Mapped(x[0], 7, 4, Tent(false)), [[[2, 1, 3, 4]]]) with { Scale = 4 },
        Case(OpTable.Resample, "averages", static x => Nd.AdaptiveAvgPool(x[0], (2, 3)), static x => Mapped(x[0], 2, 3, Window), [[[1, 2, 3, 4]], [[2, 3, 5, 70]], [[1, 1, 1, 2]]]) with
        {
            Scale = 4,
            Large = [[20, 8, 16, 20]],
            Rejects = [Rejection.Of<ShapeException>("an empty axis", static () => Nd.AdaptiveAvgPool(Nd.Ones((1, 1, 0, 3)), 2), "AdaptiveAvgPool")],
        },
        Case(OpTable.Resample, "averages of lines", static x => Nd.AdaptiveAvgPool(x[0], 3), static x => Averaged(x[0], 3), [[[2, 2, 7]], [[1, 2, 2]]]) with { Scale = 4 },
        Case(OpTable.Resample, "averages of volumes", static x => Nd.AdaptiveAvgPool(x[0], (2, 1, 3)), static x => Averaged(x[0], 2, 1, 3), [[[1, 1, 3, 2, 4]], [[2, 2, 2, 5, 40]]]) with
        {
            Scale = 4,
        },
        Case(OpTable.Resample, "averages transposed", static x => OpTable.Resample.Apply(x[0], Plane(ResampleKind.Average, true)), static x => Mapped(x[0], 4, 5, Turned(Window)),
            [[[2, 3, 4]]]) with { Scale = 4 },
        Case(OpTable.Resample, "linear transposed", static x => OpTable.Resample.Apply(x[0], Plane(ResampleKind.Linear, true)), static x => Mapped(x[0], 4, 5, Turned(Tent(false))),
            [[[2, 3, 4]], [[30, 3, 4]]]) with { Scale = 4 },

        Differences(1), Differences(2), Differences(5),
        Case(OpTable.Difference, "transposed", static x => OpTable.Difference.Apply(x[0], new DifferenceAttributes(2, true)),
            static x => Enumerable.Range(0, 2).Aggregate(x[0], static (v, _) => v.Along(-1, static line => [.. Enumerable.Range(0, line.Length + 1).Select(i =>
                (i > 0 ? line[i - 1] : 0) - (i < line.Length ? line[i] : 0))])), [[[2, 5]], [[3, 1]], [[2, 2, 2100]], [[0, 4]]]) with { Scale = 8, Large = [[9, 5000]] },
    ];

    private static OpCase Differences(int order) => Case(OpTable.Difference, $"of order {order}", x => Nd.Diff(x[0], order),
        x => Enumerable.Range(0, order).Aggregate(x[0], static (v, _) => v.Along(-1, static line => [.. line.Skip(1).Zip(line, static (next, own) => next - own)])),
        [[[3, 7]], [[2, 2, 65]], [[2, 4100]], [[0, 9]]]) with
    {
        Scale = 1 << order,
        Large = [[9, 5000]],
        Rejects = [AxisOutside("Diff", static (x, axis) => Nd.Diff(x, 1, axis))],
    };

    // (4, 5) to (3, 4).
    private static ResampleAttributes Plane(ResampleKind kind, bool transposed) => new(kind, 4, 5, 3, 4, transposed);

    /// <summary>The weights, of an output for an input, given the sizes of both: Σᵢⱼ w(y, i)·w(z, j)·x[…, i, j].</summary>
    private static RefArray Mapped(RefArray x, int height, int width, Func<int, int, int, int, double> weight)
    {
        int h = x.Shape[^2], w = x.Shape[^1];
        return RefArray.Build([.. x.Shape[..^2], height, width], at =>
        {
            double sum = 0;
            int[] from = [.. at];
            for (int i = 0; i < h; i++)
                for (int j = 0; j < w; j++)
                {
                    (from[^2], from[^1]) = (i, j);
                    sum += weight(at[^2], i, height, h) * weight(at[^1], j, width, w) * x[from];
                }

            return sum;
        });
    }

    private static RefArray Averaged(RefArray x, params int[] sizes)
    {
        for (int axis = 2; axis < x.Rank; axis++)
        {
            int size = sizes[axis - 2];
            x = x.Along(axis, line => [.. Enumerable.Range(0, size).Select(o => line.Select((v, i) => v * Window(o, i, size, line.Length)).Sum())]);
        }

        return x;
    }

    private static Func<int, int, int, int, double> Turned(Func<int, int, int, int, double> weight) => (o, i, to, from) => weight(i, o, from, to);

    private static Func<int, int, int, int, double> Tent(bool corners) => (o, i, to, from) =>
    {
        double position = corners ? (to == 1 ? 0 : (double)o * (from - 1) / (to - 1)) : ((o + 0.5) * from / to) - 0.5;
        return Math.Max(0, 1 - Math.Abs(Math.Clamp(position, 0, from - 1) - i));
    };

    private static double Window(int o, int i, int to, int from)
    {
        int first = o * from / to, end = (((o + 1) * from) + to - 1) / to;
        return i >= first && i < end ? 1.0 / (end - first) : 0;
    }
}
