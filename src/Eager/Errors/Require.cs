using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion;

/// <summary>Checks of numbers, whose messages name the function that was called and the argument.</summary>
internal static class Require
{
    /// <exception cref="ArgumentOutOfRangeException">The number is 0, negative or NaN.</exception>
    public static void Positive<T>(T value, [CallerMemberName] string function = "", [CallerArgumentExpression(nameof(value))] string? argument = null)
        where T : INumber<T>
    {
        if (!(value > T.Zero)) throw OutOfRange(function, argument, value, "must be positive");
    }

    /// <exception cref="ArgumentOutOfRangeException">The number is negative or NaN.</exception>
    public static void NotNegative<T>(T value, [CallerMemberName] string function = "", [CallerArgumentExpression(nameof(value))] string? argument = null)
        where T : INumber<T>
    {
        if (!(value >= T.Zero)) throw OutOfRange(function, argument, value, "must be 0 or more");
    }

    /// <exception cref="ArgumentOutOfRangeException">The number is not in [0, 1].</exception>
    public static void Fraction(double value, [CallerMemberName] string function = "", [CallerArgumentExpression(nameof(value))] string? argument = null)
    {
        if (!(value is >= 0 and <= 1)) throw OutOfRange(function, argument, value, "must be between 0 and 1");
    }

    /// <exception cref="ArgumentOutOfRangeException">The number is not in [least, most].</exception>
    public static void Between(int value, int least, int most, [CallerMemberName] string function = "", [CallerArgumentExpression(nameof(value))] string? argument = null)
    {
        if (value < least || value > most) throw OutOfRange(function, argument, value, $"must be between {least} and {most}");
    }

    /// <exception cref="ArgumentOutOfRangeException">The number is 0.</exception>
    public static void NotZero(int value, [CallerMemberName] string function = "", [CallerArgumentExpression(nameof(value))] string? argument = null)
    {
        if (value == 0) throw OutOfRange(function, argument, value, "must not be 0");
    }

    /// <exception cref="ArgumentOutOfRangeException">A number that no member of the enumeration has.</exception>
    public static void Member<T>(T value, [CallerMemberName] string function = "", [CallerArgumentExpression(nameof(value))] string? argument = null)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value)) throw OutOfRange(function, argument, value, $"must be one of {string.Join(", ", Enum.GetNames<T>())}");
    }

    /// <exception cref="DTypeException">Parameters of the layer are not floating point.</exception>
    public static void Trainable(DType dtype, string layer)
    {
        if (!dtype.IsFloat) throw new DTypeException($"{layer}: {dtype} is not floating point, and only such parameters have gradients. Use Float32 or Float64.");
    }

    private static ArgumentOutOfRangeException OutOfRange<T>(string function, string? argument, T value, string rule) =>
        new(argument, value, $"{function}: {argument} is {value}; it {rule}.");
}
