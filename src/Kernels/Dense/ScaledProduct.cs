using System.Numerics;

namespace Fusion.Kernels;

/// <summary>Products of many factors, of which the result may be a number although one on the way is not: 10²⁵⁰·10²⁵⁰·10⁻²⁵⁰.</summary>
internal static class ScaledProduct
{
    /// <summary>
    /// The product of start and the first <paramref name="count"/> of the factors, <paramref name="stride"/> apart, is the result times 2^exponent. The exponent is 0,
    /// and the result the plain product, unless that leaves the normal numbers on its way. Two of the factors may be left out.
    /// </summary>
    public static T Of<T>(T start, ReadOnlySpan<T> factors, int stride, int count, out int exponent, int without = -1, int or = -1)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        exponent = 0;
        T product = start;
        bool isNormal = true, hasZero = false;
        for (int k = 0; k < count; k++)
        {
            if (k == without || k == or) continue;
            product *= factors[k * stride];
            isNormal &= T.IsNormal(product);
            hasZero |= factors[k * stride] == T.Zero;
        }

        if (isNormal || (hasZero && product == T.Zero)) return product;
        product = start;
        for (int k = 0; k < count; k++)
        {
            if (k == without || k == or) continue;
            T factor = factors[k * stride];
            if (factor != T.Zero && T.IsFinite(factor))
            {
                int power = T.ILogB(factor);
                exponent += power;
                factor = T.ScaleB(factor, -power);
            }

            product *= factor;
            if (!(T.Abs(product) >= T.CreateChecked(2)) || !T.IsFinite(product)) continue;
            product *= T.CreateChecked(0.5);
            exponent++;
        }

        if (product == T.Zero || !T.IsFinite(product)) exponent = 0;
        return product;
    }
}
