namespace Fusion.Tests;

// Functions of real numbers.
internal static partial class OpCases
{
    internal static readonly OpCase[] Powers =
    [
        Unary(OpTable.Square, Nd.Square, static x => x * x, Real(-4, 4)).AsNumber(),
        Unary(OpTable.Square, static x => Nd.Pow(x, 2), static x => x * x, Real(-4, 4), "as a power") with { Special = [[-0.0, 0], [-Inf, Inf], [NaN, NaN]] },
        Unary(OpTable.Cube, static x => Nd.Pow(x, 3), static x => x * x * x, Real(-4, 4)) with
        {
            Special = [[-0.0, -0.0], [-Inf, -Inf], [NaN, NaN], [-1e-200, -0.0]],
            Slopes = [[0, 0], [-2, 12]],
        },
        Unary(OpTable.OneMinusSquare, static x => OpTable.OneMinusSquare.Apply(x), static x => (1 - x) * (1 + x), Real(-4, 4)) with
        {
            DTypes = ResultTypes.Floats,
            Special = [[1, 0], [-1, 0], [Inf, -Inf], [-Inf, -Inf], [NaN, NaN]],
            Slopes = [[1, -2], [0, 0], [3, -6]],
        },
        Unary(OpTable.Reciprocal, static x => Nd.Pow(x, -1), static x => 1 / x, NonZero(0.5, 2), "as a power") with
        {
            Special = [[-0.0, -Inf], [0, Inf], [-Inf, -0.0]],
        },
        Unary(OpTable.Sqrt, Nd.Sqrt, Math.Sqrt, Real(0.1, 9)) with { Special = [[-0.0, -0.0], [-1, NaN], [Inf, Inf]] },
        Unary(OpTable.Root, Nd.Root, Math.Sqrt, Real(0.1, 9)) with { Special = [[-0.0, -0.0], [-1, NaN], [Inf, Inf]], Slopes = [[0, 0], [4, 0.25]] },
        Unary(OpTable.ReciprocalSqrt, Nd.ReciprocalSqrt, static x => 1 / Math.Sqrt(x), Real(0.2, 9)) with { Special = [[0, Inf], [-1, NaN], [Inf, 0]] },
        Unary(OpTable.Reciprocal, Nd.Reciprocal, static x => 1 / x, NonZero(0.5, 9)) with { Special = [[0, Inf], [-0.0, -Inf], [-Inf, -0.0]] },
        Unary(OpTable.Cbrt, Nd.Cbrt, Math.Cbrt, NonZero(0.5, 9)) with { Special = [[-8, -2], [-0.0, -0.0], [-Inf, -Inf]] },
        Binary(OpTable.Hypot, Nd.Hypot, double.Hypot, NonZero(0.3, 4), NonZero(0.3, 4)) with
        {
            Special = [[Inf, NaN, Inf], [NaN, -Inf, Inf], [3, 4, 5]],
            Slopes = [[0, 0, 0, 0], [3, 4, 0.6, 0.8]],
        },
        Binary(OpTable.CopySign, Nd.CopySign, Math.CopySign, NonZero(0.3, 4), NonZero(0.3, 4)) with { Special = [[2, -0.0, -2], [NaN, 1, NaN]] },
    ];

    internal static readonly OpCase[] Exponentials =
    [
        Unary(OpTable.Exp, Nd.Exp, Math.Exp, Real(-3, 3)) with { Special = [[0, 1], [-0.0, 1], [Inf, Inf], [-Inf, 0], [1000, Inf], [-1000, 0]] },
        Unary(OpTable.Exp2, Nd.Exp2, static x => Math.Pow(2, x), Real(-4, 4)) with { Special = [[3, 8], [-1, 0.5], [Inf, Inf], [-Inf, 0], [1024, Inf]] },
        Unary(OpTable.ExpM1, Nd.ExpM1, ExpM1, Real(-2, 2)) with { Special = [[-0.0, -0.0], [1e-30, 1e-30], [-Inf, -1], [Inf, Inf]] },
        Unary(OpTable.Log, Nd.Log, Math.Log, Real(0.2, 9)) with { Special = [[1, 0], [0, -Inf], [-0.0, -Inf], [-1, NaN], [Inf, Inf]] },
        Unary(OpTable.Log2, Nd.Log2, Math.Log2, Real(0.2, 9)) with { Special = [[8, 3], [0, -Inf], [-1, NaN], [Inf, Inf]] },
        Unary(OpTable.Log10, Nd.Log10, Math.Log10, Real(0.2, 9)) with { Special = [[1, 0], [0, -Inf], [-1, NaN], [Inf, Inf]] },
        Unary(OpTable.LogP1, Nd.LogP1, LogP1, Real(-0.7, 5)) with { Special = [[-0.0, -0.0], [1e-30, 1e-30], [-1, -Inf], [-2, NaN], [Inf, Inf]] },
        Binary(OpTable.LogAddExp, Nd.LogAddExp, LogAddExp, Real(-3, 3), Real(-3, 3)) with
        {
            Scale = 4,
            Special = [[Inf, Inf, Inf], [-Inf, -Inf, -Inf], [-Inf, 2, 2], [NaN, 1, NaN], [1, NaN, NaN]],
        },
    ];

    internal static readonly OpCase[] Trigonometry =
    [
        Unary(OpTable.Sin, Nd.Sin, Math.Sin, Real(-4, 4)) with { Special = [[-0.0, -0.0], [Inf, NaN]] },
        Unary(OpTable.Cos, Nd.Cos, Math.Cos, Real(-4, 4)) with { Special = [[0, 1], [Inf, NaN]] },
        Unary(OpTable.Tan, Nd.Tan, Math.Tan, Real(-1.2, 1.2)) with { Special = [[-0.0, -0.0], [-Inf, NaN]] },
        Unary(OpTable.Asin, Nd.Asin, Math.Asin, Real(-0.8, 0.8)) with { Special = [[-0.0, -0.0], [1.5, NaN]] },
        Unary(OpTable.Acos, Nd.Acos, Math.Acos, Real(-0.8, 0.8)) with { Special = [[1, 0], [-1.5, NaN]] },
        Unary(OpTable.Atan, Nd.Atan, Math.Atan, Real(-4, 4)) with { Special = [[-0.0, -0.0], [NaN, NaN]] },
        Binary(OpTable.Atan2, Nd.Atan2, Math.Atan2, NonZero(0.3, 3), NonZero(0.3, 3)) with
        {
            Special = [[0, 1, 0], [-0.0, 1, -0.0], [0, 0, 0], [NaN, 1, NaN]],
            Slopes = [[0, 0, 0, 0], [0, 2, 0.5, 0]],
        },
        Unary(OpTable.Sinh, Nd.Sinh, Math.Sinh, Real(-3, 3)) with { Special = [[-0.0, -0.0], [-Inf, -Inf], [1000, Inf]] },
        Unary(OpTable.Cosh, Nd.Cosh, Math.Cosh, Real(-3, 3)) with { Special = [[0, 1], [-Inf, Inf], [1000, Inf]] },
        Unary(OpTable.Tanh, Nd.Tanh, Math.Tanh, Real(-3, 3)) with { Special = [[-0.0, -0.0], [1e-30, 1e-30], [-Inf, -1], [Inf, 1]] },
        Unary(OpTable.Asinh, Nd.Asinh, Asinh, Real(-4, 4)) with { Special = [[-0.0, -0.0], [1e-30, 1e-30], [-Inf, -Inf]] },
        Unary(OpTable.Acosh, Nd.Acosh, Math.Acosh, Real(1.2, 9)) with { Special = [[1, 0], [0.5, NaN], [Inf, Inf]] },
        Unary(OpTable.Atanh, Nd.Atanh, static x => 0.5 * (LogP1(x) - LogP1(-x)), Real(-0.8, 0.8)) with
        {
            Special = [[-0.0, -0.0], [1, Inf], [-1, -Inf], [1.5, NaN]],
        },
    ];

    internal static readonly OpCase[] SpecialFunctions =
    [
        Unary(OpTable.Erf, Nd.Erf, ReferenceFunctions.Erf, Real(-2.5, 2.5)) with { Special = [[-0.0, -0.0], [Inf, 1], [-Inf, -1], [10, 1]] },
        Unary(OpTable.ErfInv, Nd.ErfInv, ReferenceFunctions.ErfInv, Real(-0.9, 0.9)) with
        {
            Ulps64 = 64,
            Special = [[-0.0, -0.0], [1, Inf], [-1, -Inf], [2, NaN]],
        },
        Unary(OpTable.Gamma, Nd.Gamma, ReferenceFunctions.Gamma, Real(0.6, 5)) with
        {
            Ulps64 = 256,
            Special = [[0, Inf], [-0.0, -Inf], [-1, NaN], [5, 24], [Inf, Inf], [200, Inf]],
        },
        Unary(OpTable.LogGamma, Nd.LogGamma, ReferenceFunctions.LogGamma, Real(2.5, 9)) with
        {
            Ulps64 = 256,
            Special = [[1, 0], [2, 0], [0, Inf], [-1, Inf], [Inf, Inf]],
        },
        Unary(OpTable.Digamma, Nd.Digamma, ReferenceFunctions.Digamma, Real(2, 9)) with
        {
            Ulps = 8,
            Ulps64 = 64,
            Special = [[0, -Inf], [-0.0, Inf], [-1, NaN], [Inf, Inf]],
        },
        Unary(OpTable.Trigamma, static x => Nd.Polygamma(1, x), static x => ReferenceFunctions.Polygamma(1, x), Real(0.6, 9)) with
        {
            Ulps = 8,
            Ulps64 = 64,
            Special = [[0, Inf], [-0.0, Inf], [-1, Inf], [Inf, 0], [-Inf, NaN], [NaN, NaN]],
            ReferenceIsTotal = false,
        },
        Case(
            OpTable.Polygamma,
            "2",
            static x => Nd.Polygamma(2, x[0]),
            static x => RefArray.Zip(x, static v => ReferenceFunctions.Polygamma(2, v[0])),
            UnaryShapes) with
        {
            Domains = [Real(0.6, 5)],
            DTypes = ResultTypes.All,
            Result = ResultTypes.Real,
            Rejects = [Rejection.Of<ArgumentOutOfRangeException>("a negative order", static () => Nd.Polygamma(-1, Nd.Ones(2)))],
        },
        Case(
            OpTable.Polygamma,
            "3",
            static x => Nd.Polygamma(3, x[0]),
            static x => RefArray.Zip(x, static v => ReferenceFunctions.Polygamma(3, v[0])),
            [[[2, 5]]]) with
        {
            Domains = [Real(0.9, 5)],
        },
    ];

    internal static readonly OpCase[] Activations =
    [
        Unary(OpTable.Relu, Nd.Relu, static x => x < 0 ? 0 : x, NonZero(0.2, 3)).AsNumber() with
        {
            Special = [[NaN, NaN], [-Inf, 0], [Inf, Inf]],
            Slopes = [[0, 0], [2, 1], [-2, 0]],
        },
        Unary(OpTable.LeakyRelu, static x => Nd.LeakyRelu(x, 0.25), static x => x > 0 ? x : 0.25 * x, NonZero(0.2, 3)) with
        {
            Slopes = [[0, 0.25], [2, 1], [-2, 0.25]],
        },
        Unary(OpTable.Elu, static x => Nd.Elu(x, 1.5), static x => x > 0 ? x : 1.5 * ExpM1(x), NonZero(0.2, 3)) with
        {
            Special = [[-Inf, -1.5], [Inf, Inf]],
            Slopes = [[0, 1.5], [2, 1]],
        },
        Unary(OpTable.Selu, Nd.Selu, Selu, NonZero(0.2, 3)) with { Special = [[0, 0], [Inf, Inf]] },
        Unary(OpTable.Sigmoid, Nd.Sigmoid, Sigmoid, Real(-4, 4)) with { Special = [[0, 0.5], [-Inf, 0], [Inf, 1]] },
        Unary(OpTable.LogSigmoid, Nd.LogSigmoid, static x => 0 - Softplus(-x), Real(-4, 4)) with { Special = [[-Inf, -Inf], [-1000, -1000]] },
        Unary(OpTable.Softplus, Nd.Softplus, Softplus, Real(-4, 4)) with
        {
            Special = [[Inf, Inf], [-Inf, 0], [1000, 1000]],
            Slopes = [[0, 0.5], [1000, 1], [-1000, 0]],
        },
        Unary(OpTable.Softsign, Nd.Softsign, static x => double.IsInfinity(x) ? Math.Sign(x) : x / (1 + Math.Abs(x)), NonZero(0.2, 3)) with
        {
            Special = [[Inf, 1], [-Inf, -1]],
        },
        Unary(OpTable.Silu, Nd.Silu, static x => double.IsNegativeInfinity(x) ? -0.0 : x * Sigmoid(x), Real(-4, 4)) with { Special = [[Inf, Inf]] },
        Unary(OpTable.Mish, Nd.Mish, static x => double.IsNegativeInfinity(x) ? -0.0 : x * Math.Tanh(Softplus(x)), Real(-4, 4)) with { Special = [[Inf, Inf]] },
        Unary(OpTable.Gelu, static x => Nd.Gelu(x), Gelu, Real(-3, 3)) with
        {
            Ulps64 = 32,
            Special = [[Inf, Inf]],
            Slopes = [[0, 0.5], [Inf, 1], [-Inf, 0], [100, 1], [-100, 0]],
        },
        Unary(OpTable.GeluSlope, static x => OpTable.GeluSlope.Apply(x), GeluSlope, Real(-3, 3)) with
        {
            DTypes = ResultTypes.Floats,
            Scale = 1,
            Ulps64 = 32,
            Special = [[0, 0.5], [-0.0, 0.5], [Inf, 1], [-Inf, -0.0], [100, 1], [-100, -0.0], [NaN, NaN]],
        },
        Unary(OpTable.GeluTanh, static x => Nd.Gelu(x, approximate: true), GeluTanh, Real(-3, 3)) with { Special = [[Inf, Inf]] },
    ];

    // Kahan's trick: the rounding error of exp and log cancels.
    private static double ExpM1(double x)
    {
        double u = Math.Exp(x);
        return u == 1 || x == 0 ? x : u - 1 == -1 ? -1 : double.IsInfinity(u) ? u : (u - 1) * x / Math.Log(u);
    }

    private static double LogP1(double x)
    {
        double u = 1 + x;
        return u == 1 ? x : double.IsPositiveInfinity(u) ? u : Math.Log(u) * x / (u - 1);
    }

    private static double Asinh(double x)
    {
        double a = Math.Abs(x);
        if (double.IsInfinity(a)) return x;
        return Math.CopySign(a > 1e8 ? Math.Log(a) + Math.Log(2) : LogP1(a + (a * a / (1 + Math.Sqrt((a * a) + 1)))), x);
    }

    private static double LogAddExp(double x, double y)
    {
        if (double.IsNaN(x) || double.IsNaN(y)) return NaN;
        return x == y ? x + Math.Log(2) : Math.Max(x, y) + LogP1(Math.Exp(-Math.Abs(x - y)));
    }

    private static double Sigmoid(double x) => x >= 0 ? 1 / (1 + Math.Exp(-x)) : Math.Exp(x) / (1 + Math.Exp(x));

    private static double Softplus(double x) => Math.Max(x, 0) + LogP1(Math.Exp(-Math.Abs(x)));

    private static double Selu(double x) => 1.0507009873554804934 * (x > 0 ? x : 1.6732632423543772848 * ExpM1(x));

    private static double Gelu(double x) => double.IsNegativeInfinity(x) ? -0.0 : 0.5 * x * ReferenceFunctions.Erfc(-x / Math.Sqrt(2));

    // Below −40 it is a negative number too small for a double.
    private static double GeluSlope(double x) => Math.Abs(x) > 40
        ? (x > 0 ? 1 : -0.0)
        : 0.5 * ReferenceFunctions.Erfc(-x / Math.Sqrt(2)) + x * Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);

    // ½(1 + tanh u) = 1/(1 + exp(−2u)), which does not cancel for negative x.
    private static double GeluTanh(double x) => double.IsNegativeInfinity(x) ? -0.0 : x * Sigmoid(2 * Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)));
}
