using System.Globalization;

namespace Fusion;

/// <summary>A finite number in decimal: ±0.DIGITS · 10^Point, without leading or trailing zeros; zero has no digits.</summary>
internal readonly record struct DecimalDigits(bool Negative, string Digits, int Point)
{
    // Ties at any of the positions that are rounded to show within this many digits: the rest of the expansion is then zero.
    private const string ManyDigits = "E60";

    /// <summary>A boxed floating-point number, exactly.</summary>
    public static double ToDouble(object value) => value switch
    {
        float f => f,
        Half h => (double)h,
        BFloat16 b => (double)b,
        _ => (double)value,
    };

    /// <summary>The fewest digits that read back as the same number of its type.</summary>
    public static DecimalDigits Shortest(object value) => Parse(((IFormattable)value).ToString("R", CultureInfo.InvariantCulture));

    /// <summary>The shortest digits, or where these have more than <paramref name="decimals"/> after the point, the exact value rounded there, ties to even.</summary>
    public static DecimalDigits Positional(object value, int decimals)
    {
        DecimalDigits shortest = Shortest(value);
        return shortest.Digits.Length - shortest.Point <= decimals ? shortest : Exact(value).Round(shortest.Point + decimals);
    }

    /// <summary>The shortest digits, or where these have more than <paramref name="decimals"/> after the first, the exact value rounded there, ties to even.</summary>
    public static DecimalDigits Scientific(object value, int decimals)
    {
        DecimalDigits shortest = Shortest(value);
        return shortest.Digits.Length - 1 <= decimals ? shortest : Exact(value).Round(decimals + 1);
    }

    /// <summary>The shortest digits if they have so many decimals after the first, else the exact value rounded there, ties to even: one of a column of equal length.</summary>
    public static DecimalDigits ScientificOf(object value, int decimals)
    {
        DecimalDigits shortest = Shortest(value);
        return shortest.Digits.Length - 1 == decimals ? shortest : Exact(value).Round(decimals + 1);
    }

    /// <summary>The digits before and after the point; at least "0" before it.</summary>
    public (string Whole, string Fraction) Split()
    {
        string sign = Negative ? "-" : string.Empty;
        if (Point <= 0) return (sign + "0", Digits.Length == 0 ? string.Empty : new string('0', -Point) + Digits);
        return Point >= Digits.Length
            ? (sign + Digits + new string('0', Point - Digits.Length), string.Empty)
            : (sign + Digits[..Point], Digits[Point..]);
    }

    /// <summary>The parts of scientific notation: d.ddd and the power of ten.</summary>
    public (string Whole, string Fraction, int Exponent) SplitScientific()
    {
        string sign = Negative ? "-" : string.Empty;
        return Digits.Length == 0 ? (sign + "0", string.Empty, 0) : (sign + Digits[0], Digits[1..], Point - 1);
    }

    private static DecimalDigits Exact(object value) => Parse(ToDouble(value).ToString(ManyDigits, CultureInfo.InvariantCulture));

    private static DecimalDigits Parse(string text)
    {
        bool negative = text[0] == '-';
        int e = text.IndexOf('E', StringComparison.Ordinal);
        int exponent = e < 0 ? 0 : int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        string mantissa = text[(negative ? 1 : 0)..(e < 0 ? text.Length : e)];
        int dot = mantissa.IndexOf('.', StringComparison.Ordinal);
        int whole = dot < 0 ? mantissa.Length : dot;
        return Trimmed(negative, mantissa.Replace(".", string.Empty, StringComparison.Ordinal), whole + exponent);
    }

    // Keeps the first digits; digits that lie wholly behind the kept ones leave zero or one unit.
    private DecimalDigits Round(int keep)
    {
        if (keep >= Digits.Length) return this;
        if (keep < 0) return new DecimalDigits(Negative, string.Empty, 0);
        bool tie = Digits[keep] == '5' && Digits.Length == keep + 1;
        bool up = tie ? keep > 0 && (Digits[keep - 1] - '0') % 2 == 1 : Digits[keep] >= '5';
        if (!up) return Trimmed(Negative, Digits[..keep], Point);
        char[] digits = ['0', .. Digits[..keep]];
        int last = keep;
        while (digits[last] == '9') digits[last--] = '0';
        digits[last]++;
        return Trimmed(Negative, new string(digits), Point + 1);
    }

    private static DecimalDigits Trimmed(bool negative, string digits, int point)
    {
        string start = digits.TrimStart('0');
        string trimmed = start.TrimEnd('0');
        return new DecimalDigits(negative, trimmed, trimmed.Length == 0 ? 0 : point - (digits.Length - start.Length));
    }
}
