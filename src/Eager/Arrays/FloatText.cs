namespace Fusion;

/// <summary>
/// Floating-point elements in one style: positional or scientific, at most eight digits after the point, points aligned
/// (the class FloatingFormat of numpy/_core/arrayprint.py with NumPy's default print options).
/// </summary>
internal sealed class FloatText : ElementText
{
    private const int Precision = 8;

    private readonly bool _scientific;
    private readonly int _left;
    private readonly int _right;
    private readonly int _decimals;
    private readonly int _exponentDigits;

    public FloatText(IReadOnlyCollection<object> elements)
    {
        List<object> finite = [];
        int notFinite = 0;
        foreach (object element in elements)
        {
            double value = DecimalDigits.ToDouble(element);
            if (double.IsFinite(value)) finite.Add(element);
            else notFinite = Math.Max(notFinite, NotFinite(value).Length);
        }

        _scientific = NeedsExponent(finite);
        foreach (object element in finite)
        {
            if (_scientific)
            {
                (string whole, string fraction, int exponent) = DecimalDigits.Scientific(element, Precision).SplitScientific();
                _left = Math.Max(_left, whole.Length);
                _decimals = Math.Max(_decimals, fraction.Length);
                _exponentDigits = Math.Max(_exponentDigits, Exponent(exponent, 2).Length - 1);
            }
            else
            {
                (string whole, string fraction) = DecimalDigits.Positional(element, Precision).Split();
                _left = Math.Max(_left, whole.Length);
                _right = Math.Max(_right, fraction.Length);
            }
        }

        // Behind the point stand the decimals, "e", the sign and the exponent.
        if (_scientific) _right = _decimals + 2 + _exponentDigits;
        _left = Math.Max(_left, notFinite - _right - 1);
    }

    public override string Format(object element)
    {
        double value = DecimalDigits.ToDouble(element);
        if (!double.IsFinite(value)) return NotFinite(value).PadLeft(_left + _right + 1);
        if (_scientific)
        {
            (string first, string rest, int exponent) = DecimalDigits.ScientificOf(element, _decimals).SplitScientific();
            return $"{first.PadLeft(_left)}.{rest.PadRight(_decimals, '0')}e{Exponent(exponent, _exponentDigits)}";
        }

        (string whole, string fraction) = DecimalDigits.Positional(element, Precision).Split();
        return $"{whole.PadLeft(_left)}.{fraction.PadRight(_right)}";
    }

    // Compared in the element's own type: the float 1e-4 lies just below the double 1e-4.
    private static bool NeedsExponent(List<object> finite)
    {
        double max = 0, min = double.PositiveInfinity;
        foreach (object element in finite)
        {
            double magnitude = Math.Abs(DecimalDigits.ToDouble(element));
            if (magnitude == 0) continue;
            max = Math.Max(max, magnitude);
            min = Math.Min(min, magnitude);
        }

        if (max == 0) return false;
        return finite[0] switch
        {
            float => max >= 1e8 || (float)min < 1e-4f || (float)max / (float)min > 1000f,
            Half => (Half)min < (Half)1e-4 || (Half)((float)max / (float)min) > (Half)1000,
            BFloat16 => (BFloat16)max >= (BFloat16)1e8 || (BFloat16)min < (BFloat16)1e-4 || (BFloat16)((float)max / (float)min) > (BFloat16)1000.0,
            _ => max >= 1e8 || min < 1e-4 || max / min > 1000,
        };
    }
}
