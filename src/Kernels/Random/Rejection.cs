namespace Fusion.Kernels;

/// <summary>
/// As many uniform words as one element needs: the block of the element with the counters 1, 2, … in the third word, which the stream itself leaves at 0. Draws
/// that take different numbers of words so stay independent of each other and of their order.
/// </summary>
internal struct RejectionWords(RandomOrigin origin)
{
    private readonly RandomOrigin _origin = origin;
    private uint _counter;
    private (uint W0, uint W1, uint W2, uint W3) _words;
    private bool _second;

    /// <summary>Uniform on (0, 1), in steps of 2⁻⁵³.</summary>
    public double Next()
    {
        if (!_second)
            _words = Philox.Block(((uint)_origin.Block, (uint)(_origin.Block >> 32), ++_counter, 0), ((uint)_origin.Key, (uint)(_origin.Key >> 32)));
        ulong bits = _second ? ((ulong)_words.W2 << 32) | _words.W3 : ((ulong)_words.W0 << 32) | _words.W1;
        _second = !_second;
        return ((bits >> 11) + 0.5) / (1L << 53);
    }

    /// <summary>Standard normal (Box and Muller, one of the pair).</summary>
    public double NextNormal()
    {
        double radius = Math.Sqrt(-2 * Math.Log(Next()));
        return radius * Math.Cos(2 * Math.PI * Next());
    }
}

/// <summary>Distributions by rejection, in scalar code.</summary>
internal static class Rejection
{
    /// <summary>Gamma with the shape k and scale 1; k below 1 by the power of a uniform number (Marsaglia and Tsang 2000, sections 4 and 6).</summary>
    public static double Gamma(ref RejectionWords words, double k)
    {
        double boost = k < 1 ? Math.Pow(words.Next(), 1 / k) : 1;
        double d = (k < 1 ? k + 1 : k) - 1.0 / 3, c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            double x = words.NextNormal(), v = 1 + c * x;
            if (v <= 0) continue;
            v = v * v * v;
            if (Math.Log(words.Next()) < 0.5 * x * x + d * (1 - v + Math.Log(v))) return boost * d * v;
        }
    }

    /// <summary>The number of events with a mean.</summary>
    public static double Poisson(ref RejectionWords words, double mean)
    {
        if (mean < 10)
        {
            double limit = Math.Exp(-mean), product = words.Next();
            int events = 0;
            for (; product > limit; events++) product *= words.Next();
            return events;
        }

        // Hörmann 1993, algorithm PTRS.
        double b = 0.931 + 2.53 * Math.Sqrt(mean), a = -0.059 + 0.02483 * b;
        double inverseAlpha = 1.1239 + 1.1328 / (b - 3.4), accept = 0.9277 - 3.6224 / (b - 2);
        while (true)
        {
            double u = words.Next() - 0.5, v = words.Next(), us = 0.5 - Math.Abs(u);
            double k = Math.Floor((2 * a / us + b) * u + mean + 0.43);
            if (us >= 0.07 && v <= accept) return k;
            if (k < 0 || (us < 0.013 && v > us)) continue;
            if (Math.Log(v * inverseAlpha / (a / (us * us) + b)) <= k * Math.Log(mean) - mean - LogFactorial(k)) return k;
        }
    }

    // Stirling's series beyond a small table's reach.
    private static double LogFactorial(double k)
    {
        if (k < 20)
        {
            double product = 1;
            for (int i = 2; i <= k; i++) product *= i;
            return Math.Log(product);
        }

        double x = k + 1, square = x * x;
        return (x - 0.5) * Math.Log(x) - x + 0.91893853320467274178 + (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / x;
    }
}
