using System.Globalization;

namespace Fusion;

/// <summary>Writes the elements of one array so that they line up, as NumPy does (numpy/_core/arrayprint.py).</summary>
internal abstract class ElementText
{
    /// <summary>The text of one element, as wide as that of the others.</summary>
    public abstract string Format(object element);

    /// <summary>The style that fits the elements which will be printed.</summary>
    public static ElementText For(DType dtype, IReadOnlyCollection<object> elements) => dtype switch
    {
        DType.Float32 or DType.Float64 or DType.Float16 or DType.BFloat16 => new FloatText(elements),
        DType.Bool => new BoolText(),
        _ => new IntegerText(elements),
    };

    /// <summary>A number that stands alone: shortest digits, scientific below 1e-4 and from 1e16 on.</summary>
    public static string Scalar(object element)
    {
        if (element is not (float or double or Half or BFloat16)) return Convert.ToString(element, CultureInfo.InvariantCulture)!;
        double value = DecimalDigits.ToDouble(element);
        if (!double.IsFinite(value)) return NotFinite(value);
        DecimalDigits digits = DecimalDigits.Shortest(element);
        bool positional = element is double
            ? value == 0 || (Math.Abs(value) >= 1e-4 && Math.Abs(value) < 1e16)
            : value == 0 || ((float)Math.Abs(value) >= 1e-4f && (float)Math.Abs(value) < 1e16f);
        if (positional)
        {
            (string whole, string fraction) = digits.Split();
            return $"{whole}.{(fraction.Length == 0 ? "0" : fraction)}";
        }

        (string first, string rest, int exponent) = digits.SplitScientific();
        return $"{first}{(rest.Length == 0 ? string.Empty : "." + rest)}e{Exponent(exponent, 2)}";
    }

    protected static string NotFinite(double value) => double.IsNaN(value) ? "nan" : value < 0 ? "-inf" : "inf";

    protected static string Exponent(int exponent, int digits) =>
        (exponent < 0 ? "-" : "+") + Math.Abs(exponent).ToString(CultureInfo.InvariantCulture).PadLeft(digits, '0');

    private sealed class BoolText : ElementText
    {
        public override string Format(object element) => (bool)element ? " True" : "False";
    }

    private sealed class IntegerText : ElementText
    {
        private readonly int _width;

        public IntegerText(IReadOnlyCollection<object> elements)
        {
            foreach (object element in elements) _width = Math.Max(_width, Scalar(element).Length);
        }

        public override string Format(object element) => Scalar(element).PadLeft(_width);
    }
}
