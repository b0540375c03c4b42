namespace Fusion.Tests;

// Arithmetic, comparison, selection.
internal static partial class OpCases
{
    private const double Inf = double.PositiveInfinity;
    private const double NaN = double.NaN;

    internal static readonly OpCase[] Arithmetic =
    [
        Binary(OpTable.Add, Nd.Add, static (x, y) => x + y, Real(-9, 9), Real(-9, 9)).AsNumber() with
        {
            Special = [[-0.0, -0.0, -0.0], [-0.0, 0, 0], [Inf, -Inf, NaN]],
        },
        Binary(OpTable.Subtract, Nd.Subtract, static (x, y) => x - y, Real(-9, 9), Real(-9, 9)).AsNumber() with
        {
            Special = [[-0.0, 0, -0.0], [Inf, Inf, NaN]],
        },
        Binary(OpTable.Multiply, Nd.Multiply, static (x, y) => x * y, Real(-9, 9), Real(-9, 9)).AsNumber() with { Special = [[0, Inf, NaN], [-1, 0, -0.0]] },
        Binary(OpTable.Divide, Nd.Divide, static (x, y) => x / y, Real(-9, 9), NonZero(1, 9)) with
        {
            Special = [[1, 0, Inf], [1, -0.0, -Inf], [0, 0, NaN], [1, -Inf, -0.0]],
        },
        Binary(OpTable.FloorDivide, Nd.FloorDivide, FloorDivide, Real(-9, 9), NonZero(1, 4)).AsNumber() with
        {
            Special = [[-7, 2, -4], [7, -2, -4], [1, 0, Inf]],
        },
        Binary(OpTable.Mod, Nd.Mod, Mod, Real(-9, 9), NonZero(1, 4)).AsNumber() with
        {
            Special = [[-7, 3, 2], [7, -3, -2], [1, 0, NaN], [-0.0, 3, 0], [3, -3, -0.0]],
        },
        Binary(OpTable.Pow, Nd.Pow, Math.Pow, Real(0.3, 3), Real(-2, 3)) with
        {
            Special = [[0, 0, 1], [NaN, 0, 1], [1, NaN, 1], [-8, 1.0 / 3, NaN], [-2, 3, -8], [-0.0, -3, -Inf], [-0.0, 3, -0.0], [-1, Inf, 1], [0.5, -Inf, Inf]],
            Slopes = [[0, 2, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [2, 0, 0, 0.69314718055994531], [1, 3, 3, 0]],
        },
        Binary(
            OpTable.Maximum,
            Nd.Maximum,
            static (x, y) => double.IsNaN(x) || double.IsNaN(y) ? NaN : x >= y ? x : y,
            Domain.Distinct(-3, 3),
            Domain.Distinct(-3, 3.1)).AsNumber() with
        {
            Special = [[NaN, 1, NaN], [1, NaN, NaN], [-Inf, Inf, Inf]],
            Slopes = [[1, 1, 1, 0], [2, 1, 1, 0], [1, 2, 0, 1]],
        },
        Binary(
            OpTable.Minimum,
            Nd.Minimum,
            static (x, y) => double.IsNaN(x) || double.IsNaN(y) ? NaN : x <= y ? x : y,
            Domain.Distinct(-3, 3),
            Domain.Distinct(-3, 3.1)).AsNumber() with
        {
            Special = [[NaN, 1, NaN], [1, NaN, NaN], [-Inf, Inf, -Inf]],
            Slopes = [[1, 1, 1, 0], [2, 1, 0, 1], [1, 2, 1, 0]],
        },
    ];

    internal static readonly OpCase[] Signs =
    [
        Unary(OpTable.Negate, Nd.Negate, static x => -x, Real(-9, 9)).AsNumber(),
        Unary(OpTable.Abs, Nd.Abs, Math.Abs, NonZero(1, 9)).AsNumber() with { Slopes = [[0, 0], [-0.0, 0], [2, 1], [-2, -1]] },
        Unary(OpTable.Sign, Nd.Sign, static x => double.IsNaN(x) ? x : x > 0 ? 1 : x < 0 ? -1 : 0, NonZero(1, 9)).AsNumber() with
        {
            Special = [[NaN, NaN], [-Inf, -1]],
        },
        Unary(OpTable.Floor, Nd.Floor, Math.Floor, Real(-9, 9)).AsNumber(),
        Unary(OpTable.Ceiling, Nd.Ceiling, Math.Ceiling, Real(-9, 9)).AsNumber(),
        Unary(OpTable.Round, Nd.Round, static x => Math.Round(x, MidpointRounding.ToEven), Real(-9, 9)).AsNumber() with
        {
            Special = [[0.5, 0], [1.5, 2], [-0.5, -0.0], [-2.5, -2]],
        },
        Unary(OpTable.Truncate, Nd.Truncate, Math.Truncate, Real(-9, 9)).AsNumber(),
        Unary(OpTable.RoundToFloat16, static x => OpTable.RoundToFloat16.Apply(x), static x => (double)(Half)x, Real(-9, 9)) with
        {
            DTypes = ResultTypes.Floats,
            ZeroGradient = true,
            Special = [[65519, 65504], [65520, double.PositiveInfinity], [1.00048828125, 1], [1.00146484375, 1.001953125], [-2e-8, -0.0], [-4e-8, -5.9604644775390625e-08]],
        },
        Unary(OpTable.RoundToBFloat16, static x => OpTable.RoundToBFloat16.Apply(x), static x => (double)(BFloat16)x, Real(-9, 9)) with
        {
            DTypes = ResultTypes.Floats,
            ZeroGradient = true,
            Special = [[1.00390625, 1], [1.01171875, 1.015625], [-0.0, -0.0], [3.3961775e38, double.PositiveInfinity]],
        },
    ];

    internal static readonly OpCase[] Comparisons =
    [
        Binary(OpTable.Equal, Nd.Equal, static (x, y) => Bit(x == y), Real(0, 3), Real(0, 3)).AsMask() with
        {
            Special = [[NaN, NaN, 0], [-0.0, 0, 1], [Inf, Inf, 1]],
        },
        Binary(OpTable.NotEqual, Nd.NotEqual, static (x, y) => Bit(x != y), Real(0, 3), Real(0, 3)).AsMask() with { Special = [[NaN, NaN, 1]] },
        Binary(OpTable.Greater, Nd.Greater, static (x, y) => Bit(x > y), Real(0, 3), Real(0, 3)).AsMask(),
        Binary(OpTable.GreaterOrEqual, Nd.GreaterOrEqual, static (x, y) => Bit(x >= y), Real(0, 3), Real(0, 3)).AsMask(),
        Binary(OpTable.Less, Nd.Less, static (x, y) => Bit(x < y), Real(0, 3), Real(0, 3)).AsMask(),
        Binary(OpTable.LessOrEqual, Nd.LessOrEqual, static (x, y) => Bit(x <= y), Real(0, 3), Real(0, 3)).AsMask(),
        Unary(OpTable.IsNaN, Nd.IsNaN, static x => Bit(double.IsNaN(x)), Real(-3, 3)).AsMask(),
        Unary(OpTable.IsFinite, Nd.IsFinite, static x => Bit(double.IsFinite(x)), Real(-3, 3)).AsMask(),
        Unary(OpTable.IsInfinity, Nd.IsInfinity, static x => Bit(double.IsInfinity(x)), Real(-3, 3)).AsMask(),
        Binary(OpTable.LogicalAnd, Nd.LogicalAnd, static (x, y) => Bit(x != 0 && y != 0), Domain.Truth, Real(0, 2)).AsMask(),
        Binary(OpTable.LogicalOr, Nd.LogicalOr, static (x, y) => Bit(x != 0 || y != 0), Domain.Truth, Real(0, 2)).AsMask(),
        Binary(OpTable.LogicalXor, Nd.LogicalXor, static (x, y) => Bit((x != 0) != (y != 0)), Domain.Truth, Real(0, 2)).AsMask(),
        Unary(OpTable.LogicalNot, Nd.LogicalNot, static x => Bit(x == 0), Real(0, 2)).AsMask(),
    ];

    internal static readonly OpCase[] Selection =
    [
        Ternary(OpTable.Where, Nd.Where, static (c, x, y) => c != 0 ? x : y, Domain.Truth, Real(-3, 3), Real(-3, 3)) with
        {
            Result = ResultTypes.Same,
            Special = [[1, 5, NaN, 5], [0, Inf, 5, 5]],
            Rejects = [Unfit(() => Nd.Where(Nd.Ones(2), Nd.Ones(3), Nd.Ones(3)), "Where", "(2,)", "(3,)")],
        },
        Unary(OpTable.Clip, static x => Nd.Clip(x, -1.5, 2.5), static x => double.IsNaN(x) ? x : Math.Min(Math.Max(x, -1.5), 2.5), NonZero(0.2, 1.2)) with
        {
            Special = [[NaN, NaN], [Inf, 2.5], [-Inf, -1.5]],
            Slopes = [[-1.5, 1], [2.5, 1], [3, 0], [-2, 0], [0, 1]],
            Rejects = [Rejection.Of<ArgumentException>("low above high", static () => Nd.Clip(Nd.Ones(2), 2, 1), "Clip", "2", "1")],
        },
        Unary(OpTable.SmoothL1, static x => Nd.SmoothL1(x), static x => Math.Abs(x) <= 1 ? x * x / 2 : Math.Abs(x) - 0.5, NonZero(0.2, 0.9)) with
        {
            Special = [[NaN, NaN], [-Inf, Inf], [-3, 2.5], [1, 0.5], [-0.0, 0]],
            Slopes = [[0, 0], [1, 1], [-1, -1], [0.5, 0.5], [7, 1], [-7, -1]],
            Rejects = [Rejection.Of<ArgumentOutOfRangeException>("a width of 0", static () => Nd.SmoothL1(Nd.Ones(2), 0))],
        },
        Unary(OpTable.SmoothL1, static x => Nd.SmoothL1(x, 2), static x => Math.Abs(x) <= 0.25 ? 2 * x * x : Math.Abs(x) - 0.125, NonZero(0.3, 0.9)) with
        {
            Title = "SmoothL1 of a narrow middle",
            Special = [[NaN, NaN], [-Inf, Inf], [0.25, 0.125], [0.125, 0.03125]],
            Slopes = [[0, 0], [0.25, 1], [-0.25, -1], [0.125, 0.5], [7, 1]],
        },
        Ternary(OpTable.Huber, static (x, y, d) => OpTable.Huber.Apply([x, y, d]), static (x, y, d) => Math.Abs(x - y) <= d ? (x - y) * (x - y) / 2 : d * (Math.Abs(x - y) - (d / 2)),
            Real(0, 0.4), Real(-0.6, -0.1), Real(1.5, 2)) with
        {
            Title = "Huber of two arrays",
            DTypes = ResultTypes.Floats,
            Special = [[3, 1, 1, 1.5], [NaN, 1, 1, NaN], [Inf, 0, 1, Inf], [1, 1, 1, 0]],
        },
        Binary(OpTable.AbsoluteDifference, static (x, y) => Elements.Real(OpTable.AbsoluteDifference, x, y), static (x, y) => Math.Abs(x - y), Real(1, 2), Real(-2, 0.5)) with
        {
            Scale = 4,
            Special = [[Inf, Inf, NaN], [-Inf, 1, Inf], [2, 2, 0]],
            Slopes = [[3, 1, 1, -1], [1, 1, 0, 0], [1, 3, -1, 1]],
        },
        Ternary(OpTable.ScaledDifference, static (x, y, s) => OpTable.ScaledDifference.Apply([x, y, s]), static (x, y, s) => (x - y) * s, Real(-2, 2), Real(-2, 2),
            Real(-2, 2)) with
        {
            DTypes = ResultTypes.Floats,
            Scale = 4,
            Special = [[Inf, Inf, 1, NaN], [3, 1, Inf, Inf], [1, 1, -1, -0.0], [NaN, 1, 1, NaN]],
        },
        Unary(OpTable.HardSigmoid, static x => Nd.HardSigmoid(x, 0.25), static x => double.IsNaN(x) ? x : Math.Min(Math.Max((x / 4) + 0.5, 0), 1), NonZero(0.1, 1.8)) with
        {
            Special = [[NaN, NaN], [Inf, 1], [-Inf, 0], [0, 0.5], [-0.0, 0.5]],
            Slopes = [[-2, 0.25], [2, 0.25], [3, 0], [-3, 0], [0, 0.25]],
        },
        Ternary(OpTable.MultiplyAdd, static (x, y, z) => OpTable.MultiplyAdd.Apply([x, y, z]), static (x, y, z) => (x * y) + z, Real(-2, 2), Real(-2, 2),
            Real(-2, 2)) with
        {
            DTypes = ResultTypes.Floats,
            Scale = 4,
            Special = [[Inf, 0, 1, NaN], [2, 3, Inf, Inf], [NaN, 1, 1, NaN]],
        },
        Ternary(OpTable.Lerp, Nd.Lerp, static (x, y, t) => x + (t * (y - x)), Real(-2, 2), Real(-2, 2), Real(0, 1)) with
        {
            DTypes = ResultTypes.Floats,
            Scale = 4,
            Special = [[1e30, 3, 1, 3], [3, 1e30, 0, 3], [NaN, 1, 0.5, NaN]],
            ReferenceIsTotal = false,
        },
    ];

    /// <summary>Arithmetic on any number: integers stay integers.</summary>
    private static OpCase AsNumber(this OpCase test) => test with { Result = ResultTypes.Number };

    private static double Bit(bool value) => value ? 1 : 0;

    // NumPy's definitions: the remainder has the divisor's sign, and the quotient goes with it.
    private static double Mod(double x, double y)
    {
        double rest = x % y;
        if (rest == 0) return Math.CopySign(0, y);
        return double.IsNaN(rest) || (rest < 0) == (y < 0) ? rest : rest + y;
    }

    private static double FloorDivide(double x, double y)
    {
        if (y == 0) return x / y;
        double rest = x % y;
        double quotient = Math.Round((x - rest) / y);
        if (rest != 0 && (rest < 0) != (y < 0)) quotient--;
        return quotient == 0 ? Math.CopySign(0, x / y) : quotient;
    }
}
