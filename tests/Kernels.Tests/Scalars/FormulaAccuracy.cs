namespace Fusion.Tests.Scalars;

/// <summary>What the formulas promise: the largest error in units in the last place (ULP), for float and for double.</summary>
/// <param name="Name">The element operator.</param>
/// <param name="Single">Bound for float, over all 2³² inputs.</param>
/// <param name="Double">Bound for double, over the golden values.</param>
/// <param name="Absolute">Where the function crosses zero away from the origin, an error below this many units in the last place of 1 is accepted as well.</param>
internal sealed record FormulaAccuracy(string Name, double Single, double Double, double Absolute = 0)
{
    /// <summary>Every function of one argument.</summary>
    public static IReadOnlyList<FormulaAccuracy> Unary { get; } =
    [
        new("Exp", 2, 4),
        new("Exp2", 4, 4),
        new("ExpM1", 2, 4),
        new("Log", 2, 4),
        new("Log2", 4, 4),
        new("Log10", 4, 4),
        new("LogP1", 2, 4),
        new("Sin", 2, 4),
        new("Cos", 2, 4),
        new("Tan", 4, 4),
        new("Tanh", 2, 4),
        new("Sigmoid", 2, 4),
        new("Erf", 4, 4),
        new("Softplus", 4, 4),
        new("Silu", 4, 4),
        new("Gelu", 4, 4),
        new("GeluSlope", 4, 4, Absolute: 2),
        new("GeluTanh", 4, 4),
        new("Sinh", 4, 4),
        new("Cosh", 4, 4),
        new("Asinh", 4, 4),
        new("Acosh", 4, 4),
        new("Atanh", 4, 4),
        new("Asin", 4, 4),
        new("Acos", 4, 4),
        new("Atan", 4, 4),
        new("Cbrt", 4, 4),
        new("ReciprocalSqrt", 4, 4),
        new("Gamma", 8, 3),
        new("LogGamma", 8, 4, Absolute: 16),
        new("Digamma", 8, 4, Absolute: 32),
        new("Trigamma", 8, 4),
        new("ErfInv", 4, 4),
        new("Selu", 4, 4),
        new("Mish", 4, 4),
        new("LogSigmoid", 4, 4),
        new("Softsign", 4, 4),
    ];

    /// <summary>Functions of two arguments.</summary>
    public static IReadOnlyList<FormulaAccuracy> Binary { get; } =
    [
        new("Pow", 4, 4),
        new("Atan2", 4, 4),
        new("Hypot", 4, 4),
        new("LogAddExp", 4, 4, Absolute: 4),
    ];

    public override string ToString() => Name;
}
