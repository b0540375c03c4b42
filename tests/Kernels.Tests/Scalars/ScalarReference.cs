using System.Numerics;

namespace Fusion.Tests.Scalars;

/// <summary>Every element operator whose result is exact or correctly rounded, one element at a time, in the words of the BCL. Masks are 1 and 0.</summary>
internal static class ScalarReference
{
    public static T Number<T>(string op, T x, T y, T z) where T : IFloatingPointIeee754<T> => op switch
    {
        "Add" => x + y,
        "Subtract" => x - y,
        "Multiply" => x * y,
        "Divide" => x / y,
        "FloorDivide" => FloorDivide(x, y),
        "Mod" => Mod(x, y),
        "MultiplyAdd" => (x * y) + z,
        "FusedMultiplyAdd" => T.FusedMultiplyAdd(x, y, z),
        "Negate" => -x,
        "Abs" => T.Abs(x),
        "Sign" => T.IsNaN(x) ? x : x > T.Zero ? T.One : x < T.Zero ? -T.One : T.Zero,
        "Square" => x * x,
        "Cube" => x * x * x,
        "OneMinusSquare" => (T.One - x) * (T.One + x),
        "AbsoluteDifference" => T.Abs(x - y),
        "ScaledDifference" => (x - y) * z,
        "Huber" => T.Abs(x - y) <= z ? (x - y) * (x - y) * T.CreateChecked(0.5) : (T.Abs(x - y) - (T.CreateChecked(0.5) * z)) * z,
        "SmoothL1" => T.Abs(x) <= z ? x * x * (T.CreateChecked(0.5) * y) : T.Abs(x) - (T.CreateChecked(0.5) * z),
        "HardSigmoid" => Clip((x * y) + z, T.Zero, T.One),
        "Reciprocal" => T.One / x,
        "Sqrt" => T.Sqrt(x),
        "ReciprocalSqrt" => T.One / T.Sqrt(x),
        "Lerp" => T.Abs(z) < T.CreateChecked(0.5) ? x + (z * (y - x)) : y - ((y - x) * (T.One - z)),
        "Floor" => T.Floor(x),
        "Ceiling" => T.Ceiling(x),
        "Round" => T.Round(x, MidpointRounding.ToEven),
        "Truncate" => T.Truncate(x),
        "RoundToFloat16" => T.CreateChecked((double)(Half)double.CreateChecked(x)),
        "RoundToBFloat16" => T.CreateChecked((double)HalfReference.NearestBFloat16(double.CreateChecked(x))),
        "Maximum" => T.IsNaN(x) || T.IsNaN(y) ? T.NaN : y > x ? y : x,
        "Minimum" => T.IsNaN(x) || T.IsNaN(y) ? T.NaN : y < x ? y : x,
        "Clip" => Clip(x, y, z),
        "CopySign" => T.CopySign(x, y),
        "Relu" => x < T.Zero ? T.Zero : x,
        "LeakyRelu" => x > T.Zero ? x : y * x,
        "Where" => x != T.Zero ? y : z,
        "MaskToValue" => x,
        _ => throw new ArgumentException($"No reference for {op}."),
    };

    public static bool Truth<T>(string op, T x, T y) where T : INumber<T> => op switch
    {
        "Equal" => x == y,
        "NotEqual" => x != y,
        "Greater" => x > y,
        "GreaterOrEqual" => x >= y,
        "Less" => x < y,
        "LessOrEqual" => x <= y,
        "IsNaN" => T.IsNaN(x),
        "IsFinite" => T.IsFinite(x),
        "IsInfinity" => T.IsInfinity(x),
        "LogicalAnd" => x != T.Zero && y != T.Zero,
        "LogicalOr" => x != T.Zero || y != T.Zero,
        "LogicalXor" => (x != T.Zero) != (y != T.Zero),
        "LogicalNot" => x == T.Zero,
        "ValueToMask" => x != T.Zero,
        _ => throw new ArgumentException($"No reference for {op}."),
    };

    public static T Integer<T>(string op, T x, T y, T z) where T : IBinaryInteger<T> => op switch
    {
        "Add" => unchecked(x + y),
        "Subtract" => unchecked(x - y),
        "Multiply" => unchecked(x * y),
        "FloorDivide" => IntegerFloor(x, y),
        "Mod" => T.IsZero(y) ? T.Zero : unchecked(x - (IntegerFloor(x, y) * y)),
        "Negate" => unchecked(T.Zero - x),
        "Abs" => T.IsNegative(x) ? unchecked(T.Zero - x) : x,
        "Sign" => T.IsZero(x) ? T.Zero : T.IsNegative(x) ? unchecked(T.Zero - T.One) : T.One,
        "Square" => unchecked(x * x),
        "Floor" or "Ceiling" or "Round" or "Truncate" => x,
        "Maximum" => T.Max(x, y),
        "Minimum" => T.Min(x, y),
        "Clip" => T.Min(z, T.Max(y, x)),
        "Relu" => T.Max(x, T.Zero),
        "Where" => x != T.Zero ? y : z,
        "MaskToValue" => x,
        _ => throw new ArgumentException($"No reference for {op}."),
    };

    private static T Clip<T>(T x, T low, T high) where T : IFloatingPointIeee754<T>
    {
        T raised = low > x ? low : x;
        return high < raised ? high : raised;
    }

    // numpy/core/src/npymath: npy_remainder and npy_floor_divide, by way of fmod.
    private static T Mod<T>(T x, T y) where T : IFloatingPointIeee754<T>
    {
        T rest = x % y;
        if (rest == T.Zero) return T.CopySign(T.Zero, y);
        return !T.IsNaN(rest) && T.IsNegative(rest) != T.IsNegative(y) ? rest + y : rest;
    }

    private static T FloorDivide<T>(T x, T y) where T : IFloatingPointIeee754<T>
    {
        if (y == T.Zero) return x / y;
        T rest = x % y, quotient = (x - rest) / y;
        if (rest != T.Zero && (y < T.Zero) != (rest < T.Zero)) quotient -= T.One;
        if (quotient == T.Zero) return T.CopySign(T.Zero, x / y);
        T floor = T.Floor(quotient);
        return quotient - floor > T.CreateChecked(0.5) ? floor + T.One : floor;
    }

    private static T IntegerFloor<T>(T x, T y) where T : IBinaryInteger<T>
    {
        if (T.IsZero(y)) return T.Zero;
        (Int128 a, Int128 b) = (Int128.CreateChecked(x), Int128.CreateChecked(y));
        Int128 q = a / b;
        return T.CreateTruncating(q * b != a && (a < 0) != (b < 0) ? q - 1 : q);
    }
}
