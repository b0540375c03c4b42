namespace Fusion.Tests;

// Running results along an axis.
internal static partial class OpCases
{
    private static readonly Shape[][] s_scanShapes = [[[2, 3, 4]], [[1, 1, 1]], [[2, 3, 0]], [[0, 2, 2]], [[5, 2, 130]], [[2, 33, 5]]];

    internal static readonly OpCase[] Scans =
    [
        // Factors around 1, so that the products of a line stay within the range of numbers; with integers they wrap around, as in C.
        Scan(OpTable.CumProd, "axis 0", static x => Nd.CumProd(x, 0), 0, static (a, b) => a * b) with { Domains = [NonZero(0.8, 1.2)], Ulps = 70, Ulps64 = 70 },
        Scan(OpTable.CumProd, "axis -1", static x => Nd.CumProd(x, -1), -1, static (a, b) => a * b) with
        {
            Domains = [NonZero(0.8, 1.2)],
            Ulps = 70,
            Ulps64 = 70,
            Rejects = [AxisOutside("CumProd", static (x, axis) => Nd.CumProd(x, axis))],
        },
        Scan(OpTable.CumProd, "with zeros", static x => Nd.CumProd(x, 1), 1, static (a, b) => a * b) with { Domains = [Domain.Fixed(null, 2, 3, 0, 1, 0, -1)] },
        Scan(OpTable.CumProd, "of integers", static x => Nd.CumProd(x, 0), 0, static (a, b) => a * b) with
        {
            DTypes = [DType.Int32, DType.Int64, DType.UInt8, DType.Bool],
            Domains = [Domain.Fixed(null, 1, 2, 1, 0, 3)],
            Result = ResultTypes.Sum,
            Order = 0,
        },
        Extremes(OpTable.CumMax, "axis 0", static x => Nd.CumMax(x, 0), 0, Math.Max),
        Extremes(OpTable.CumMax, "axis -1", static x => Nd.CumMax(x, -1), -1, Math.Max) with
        {
            Rejects = [AxisOutside("CumMax", static (x, axis) => Nd.CumMax(x, axis))],
        },
        Extremes(OpTable.CumMax, "with NaN", static x => Nd.CumMax(x, 1), 1, Math.Max).WithNaN(),
        Extremes(OpTable.CumMin, "axis 1", static x => Nd.CumMin(x, 1), 1, Math.Min),
        Extremes(OpTable.CumMin, "axis -1", static x => Nd.CumMin(x, -1), -1, Math.Min) with
        {
            Rejects = [AxisOutside("CumMin", static (x, axis) => Nd.CumMin(x, axis))],
        },
        Extremes(OpTable.CumMin, "with NaN", static x => Nd.CumMin(x, -1), -1, Math.Min).WithNaN(),
        Indices("of maxima", 1, max: true),
        Indices("of minima", 2, max: false),
        Indices("of maxima with NaN", 2, max: true).WithNaN() with { Result = ResultTypes.Position },
        Linear("", new RecurrenceAttributes(1, false, false)) with
        {
            Rejects =
            [
                Rejection.Of<ShapeException>("two shapes", static () => OpTable.Recurrence.Apply(Nd.Ones(2), Nd.Ones(3), new RecurrenceAttributes(0, false, false)),
                    "Recurrence", "(2,)", "(3,)"),
                Rejection.Of<DTypeException>("integers", static () => OpTable.Recurrence.Apply(Nd.Ones(2, DType.Int32), Nd.Ones(2, DType.Int32),
                    new RecurrenceAttributes(0, false, false)), "Recurrence", "Int32", "AsType"),
            ],
        },
        Linear("reverse", new RecurrenceAttributes(2, true, false)),
        Linear("by the factor before", new RecurrenceAttributes(2, false, true)),
        Linear("reverse, by the factor before", new RecurrenceAttributes(0, true, true)),
    ];

    private static OpCase Scan(Op row, string detail, Func<NDArray, NDArray> call, int axis, Func<double, double, double> join) =>
        Case(row, detail, x => call(x[0]), x => x[0].Along(axis, line => Joined(line, join)), s_scanShapes) with { Large = [[40, 30, 50]] };

    private static OpCase Extremes(Op row, string detail, Func<NDArray, NDArray> call, int axis, Func<double, double, double> join) =>
        Scan(row, detail, call, axis, join) with { DTypes = ResultTypes.All, Result = ResultTypes.Number, Domains = [Domain.Distinct(-3, 3)] };

    private static OpCase Indices(string detail, int axis, bool max) =>
        Case(
            OpTable.CumExtremumIndices,
            detail,
            x => OpTable.CumExtremumIndices.Apply(x[0], new ExtremumAttributes(axis, max)),
            x => x[0].Along(axis, line => Places(line, max)),
            s_scanShapes) with
        {
            DTypes = ResultTypes.Numbers,
            Result = ResultTypes.Position,
            Domains = [Real(-2, 2)],
            Order = 0,
            Large = [[40, 30, 50]],
        };

    private static OpCase Linear(string detail, RecurrenceAttributes attributes) =>
        Case(
            OpTable.Recurrence,
            detail,
            x => OpTable.Recurrence.Apply(x[0], x[1], attributes),
            x =>
            {
                int axis = attributes.Axis, n = x[0].Shape[axis];
                RefArray both = Concat(x, axis);
                return both.Along(axis, line => Recurrent(line[..n], line[n..], attributes));
            },
            [.. s_scanShapes.Select(static s => (Shape[])[s[0], s[0]])]) with
        {
            Domains = [Real(-1, 1), Real(-2, 2)],
            Scale = 16,
            Large = [[40, 30, 50], [40, 30, 50]],
        };

    private static double[] Joined(double[] line, Func<double, double, double> join)
    {
        double[] result = [.. line];
        for (int i = 1; i < line.Length; i++) result[i] = join(result[i - 1], line[i]);
        return result;
    }

    private static double[] Places(double[] line, bool max)
    {
        double[] result = new double[line.Length];
        int best = 0;
        for (int i = 1; i < line.Length; i++)
        {
            bool better = double.IsNaN(line[i]) || (max ? line[i] > line[best] : line[i] < line[best]);
            if (better && !double.IsNaN(line[best])) best = i;
            result[i] = best;
        }

        return result;
    }

    private static double[] Recurrent(double[] factors, double[] terms, RecurrenceAttributes attributes)
    {
        double[] s = new double[terms.Length];
        for (int k = 0; k < s.Length; k++)
        {
            int i = attributes.Reverse ? s.Length - 1 - k : k, before = attributes.Reverse ? i + 1 : i - 1;
            s[i] = k == 0 ? terms[i] : terms[i] + (factors[attributes.Previous ? before : i] * s[before]);
        }

        return s;
    }
}
