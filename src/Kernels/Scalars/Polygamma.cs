namespace Fusion.Kernels;

/// <summary>Derivatives of the digamma function, in scalar code.</summary>
internal static unsafe class Polygamma
{
    private const long SplitElements = 256; // some 60 ns each

    // B₂ₖ/(2k)! for k = 1, 2, ….
    private static readonly double[] s_bernoulli =
    [
        1.0 / 12, -1.0 / 720, 1.0 / 30240, -1.0 / 1209600, 1.0 / 47900160, -691.0 / 1307674368000, 1.0 / 74724249600, -3617.0 / 10670622842880000,
        43867.0 / 5109094217170944000, -174611.0 / 802857662698291200000.0,
    ];

    /// <summary>ψ⁽ⁿ⁾ of Float32 or Float64 elements, shared among threads.</summary>
    public static void Run(int order, DType dtype, nint from, nint to, long count)
    {
        Job job = new() { Order = order, Is64 = dtype == DType.Float64, From = from, To = to, Count = count, Pieces = (int)Math.Clamp(count / SplitElements, 1, 8L * WorkerPool.Threads) };
        WorkerPool.Run(job.Pieces, &Piece, &job);
    }

    private static void Piece(void* context, int piece)
    {
        Job* job = (Job*)context;
        for (long i = job->Count * piece / job->Pieces, end = job->Count * (piece + 1) / job->Pieces; i < end; i++)
        {
            if (job->Is64) ((double*)job->To)[i] = Evaluate(job->Order, ((double*)job->From)[i]);
            else ((float*)job->To)[i] = (float)Evaluate(job->Order, ((float*)job->From)[i]);
        }
    }

    /// <summary>ψ⁽ⁿ⁾(x) for n ≥ 1.</summary>
    public static double Evaluate(int n, double x)
    {
        if (double.IsNaN(x) || x == double.NegativeInfinity) return double.NaN;
        double factorial = 1;
        for (int i = 2; i <= n; i++) factorial *= i;
        double sign = n % 2 == 0 ? -1 : 1;
        if (x > 0) return sign * factorial * HurwitzZeta(n + 1, x);
        if (x == 0) return sign / Math.Pow(x, n + 1);
        if (x == Math.Floor(x)) return n % 2 == 1 ? double.PositiveInfinity : double.NaN;

        // (−1)ⁿ·ψ⁽ⁿ⁾(1 − x) − ψ⁽ⁿ⁾(x) = π·dⁿ/dxⁿ cot πx (NIST DLMF 5.15.6).
        return factorial * -HurwitzZeta(n + 1, 1 - x) - CotangentDerivative(n, x);
    }

    // ζ(s, x) = Σ (x + i)⁻ˢ by the Euler–Maclaurin formula from x + 12 on (NIST DLMF 25.11.5).
    private static double HurwitzZeta(int s, double x)
    {
        double sum = 0;
        for (int i = 0; i < 12; i++) sum += Reciprocal(x + i, s);
        double a = x + 12, square = 1 / (a * a);
        double power = Reciprocal(a, s);
        // a¹⁻ˢ is a number where a⁻ˢ is none.
        sum += (power > 1e-290 ? power * a : Reciprocal(a, s - 1)) / (s - 1) + 0.5 * power;
        double term = s * power / a;
        for (int k = 1; k <= s_bernoulli.Length; k++)
        {
            sum += s_bernoulli[k - 1] * term;
            term *= (s + 2.0 * k - 1) * (s + 2.0 * k) * square;
        }

        return sum;
    }

    // x⁻ˢ. Small powers of numbers whose power is a number, too, are products.
    private static double Reciprocal(double x, int s)
    {
        if (s > 8 || x > 1e30) return Math.Pow(x, -s);
        double power = x;
        for (int i = 1; i < s; i++) power *= x;
        return 1 / power;
    }

    // The derivatives of the cotangent are polynomials in it: P₀ = c, Pₙ₊₁ = −(1 + c²)·Pₙ′.
    private static double CotangentDerivative(int n, double x)
    {
        double[] p = [0, 1];
        for (int order = 0; order < n; order++)
        {
            double[] next = new double[p.Length + 1];
            for (int i = 1; i < p.Length; i++)
            {
                next[i - 1] -= i * p[i];
                next[i + 1] -= i * p[i];
            }

            p = next;
        }

        double cotangent = Math.Cos(Math.PI * (x - Math.Round(x))) / Math.Sin(Math.PI * (x - Math.Round(x)));
        double value = 0;
        for (int i = p.Length - 1; i >= 0; i--) value = value * cotangent + p[i];
        return Math.Pow(Math.PI, n + 1) * value;
    }

    private struct Job
    {
        public int Order;
        public bool Is64;
        public nint From;
        public nint To;
        public long Count;
        public int Pieces;
    }
}
