namespace Fusion.Tests;

/// <summary>Functions that .NET does not have, by textbook series in double precision: slow, and nothing like the library's formulas.</summary>
internal static class ReferenceFunctions
{
    private const double SqrtPi = 1.7724538509055160273;

    // B₂ₖ for k = 1, 2, …
    private static readonly double[] s_bernoulli = [1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730, 7.0 / 6, -3617.0 / 510];

    public static double Erf(double x) => Math.Abs(x) < 1 ? ErfSeries(x) : double.IsNaN(x) ? x : Math.Sign(x) * (1 - Erfc(Math.Abs(x)));

    /// <summary>1 − erf x: a continued fraction for large x (NIST DLMF 7.9.1).</summary>
    public static double Erfc(double x)
    {
        if (double.IsNaN(x)) return x;
        if (x < 1) return x < -6 ? 2 : x < -1 ? 2 - Erfc(-x) : 1 - ErfSeries(x);
        if (x > 30) return 0;
        double fraction = 0;
        for (int k = 200; k > 0; k--) fraction = k / 2.0 / (x + fraction);
        return Math.Exp(-x * x) / SqrtPi / (x + fraction);
    }

    /// <summary>The root of erf by Newton's method.</summary>
    public static double ErfInv(double y)
    {
        if (!(Math.Abs(y) < 1)) return Math.Abs(y) == 1 ? y / 0.0 : double.NaN;
        if (Math.Abs(y) < 1e-10) return y * (SqrtPi / 2);
        double tail = Math.Log((1 - y) * (1 + y));
        double a = (2 / (Math.PI * 0.147)) + (tail / 2);
        double x = Math.CopySign(Math.Sqrt(Math.Sqrt((a * a) - (tail / 0.147)) - a), y);
        for (int i = 0; i < 5; i++)
        {
            double error = Math.Abs(y) < 0.5 ? Erf(x) - y : Math.Sign(y) * (1 - Math.Abs(y) - Erfc(Math.Abs(x)));
            x -= error / (2 / SqrtPi * Math.Exp(-x * x));
        }

        return x;
    }

    public static double Gamma(double x)
    {
        if (double.IsNaN(x) || double.IsNegativeInfinity(x)) return double.NaN;
        if (x == 0) return 1 / x;
        if (x < 0 && x == Math.Floor(x)) return double.NaN;
        if (x < 0.5) return Math.Abs(x) < 1e-300 ? 1 / x : Math.PI / (SinPi(x) * Gamma(1 - x));
        if (x > 180) return double.PositiveInfinity;
        double product = 1;
        while (x > 2) product *= --x;
        while (x < 1) product /= x++;
        return product * Math.Exp(LogGamma(x));
    }

    /// <summary>ln |Γ(x)|: Stirling's series far out (NIST DLMF 5.11.1), recurrence and reflection towards it.</summary>
    public static double LogGamma(double x)
    {
        if (double.IsNaN(x)) return x;
        if (double.IsInfinity(x)) return double.PositiveInfinity;
        if (x <= 0 && x == Math.Floor(x)) return double.PositiveInfinity;
        if (x == 1 || x == 2) return 0;
        if (Math.Abs(x) < 1e-300) return -Math.Log(Math.Abs(x));
        if (x < 0.5) return Math.Log(Math.PI / Math.Abs(SinPi(x))) - LogGamma(1 - x);
        double product = 1;
        while (x < 16) product *= x++;
        double series = 0;
        for (int k = s_bernoulli.Length; k > 0; k--) series = (series / (x * x)) + (s_bernoulli[k - 1] / (2 * k * ((2 * k) - 1)));
        return ((x - 0.5) * Math.Log(x)) - x + (0.5 * Math.Log(2 * Math.PI)) + (series / x) - Math.Log(product);
    }

    /// <summary>ψ(x) (NIST DLMF 5.11.2), with recurrence and reflection.</summary>
    public static double Digamma(double x)
    {
        if (x == 0) return -1 / x;
        if (double.IsNegativeInfinity(x) || (x < 0 && x == Math.Floor(x))) return double.NaN;
        if (double.IsNaN(x) || double.IsPositiveInfinity(x)) return x;
        if (x < 0) return Digamma(1 - x) - (Math.PI / TanPi(x));
        double sum = 0;
        while (x < 16) sum -= 1 / x++;
        double series = 0;
        for (int k = s_bernoulli.Length; k > 0; k--) series = (series + (s_bernoulli[k - 1] / (2 * k))) / (x * x);
        return sum + Math.Log(x) - (0.5 / x) - series;
    }

    /// <summary>ψ⁽ⁿ⁾(x) = (−1)ⁿ⁺¹ n! Σ 1/(x + k)ⁿ⁺¹, the tail by Euler and Maclaurin's formula.</summary>
    public static double Polygamma(int n, double x)
    {
        double sum = 0;
        while (x < 40) sum += Math.Pow(x++, -n - 1);
        double factorial = 1;
        for (int i = 2; i <= n; i++) factorial *= i;
        sum += (Math.Pow(x, -n) / n) + (0.5 * Math.Pow(x, -n - 1)) + ((n + 1) * Math.Pow(x, -n - 2) / 12)
            - ((n + 1) * (n + 2.0) * (n + 3) * Math.Pow(x, -n - 4) / 720)
            + ((n + 1) * (n + 2.0) * (n + 3) * (n + 4) * (n + 5) * Math.Pow(x, -n - 6) / 30240);
        return n % 2 == 0 ? -factorial * sum : factorial * sum;
    }

    // e^−x² Σ 2ⁿ x²ⁿ⁺¹/(1·3·…·(2n + 1)): all terms have one sign (NIST DLMF 7.6.2).
    private static double ErfSeries(double x)
    {
        double term = x;
        double sum = x;
        for (int n = 1; n < 120; n++) sum += term *= 2 * x * x / ((2 * n) + 1);
        return 2 / SqrtPi * Math.Exp(-x * x) * sum;
    }

    private static double SinPi(double x)
    {
        double turn = x - (2 * Math.Round(x / 2));
        return Math.Abs(turn) > 0.5 ? Math.Sin(Math.PI * (Math.CopySign(1, turn) - turn)) : Math.Sin(Math.PI * turn);
    }

    private static double TanPi(double x) => Math.Tan(Math.PI * (x - Math.Round(x)));
}
