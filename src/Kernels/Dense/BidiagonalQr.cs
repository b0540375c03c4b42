using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Singular values of an upper bidiagonal matrix by implicit QR steps, with shift 0 where a shift would cost accuracy, from the larger end to the smaller one
/// (Demmel and Kahan, "Accurate singular values of bidiagonal matrices", SIAM J. Sci. Stat. Comput. 11, 1990, LAPACK working note 3; LAPACK's dbdsqr).
/// </summary>
internal unsafe ref struct BidiagonalQr
{
    private const double Epsilon = 1.1102230246251565e-16;

    // LAPACK's max(10, min(100, ε^(−1/8)))·ε.
    private const double Tolerance = 98.7 * Epsilon;
    private const double SmallestNormal = 2.2250738585072014e-308;
    private const int MaxSteps = 6;

    private readonly Rows _left;
    private readonly Rows _right;
    private readonly double* _d;
    private readonly double* _e;
    private readonly double* _logs;
    private readonly int _n;

    /// <param name="d">The diagonal; becomes the values, of either sign, in no order.</param>
    /// <param name="e">The elements above it; become 0.</param>
    /// <param name="n">The size.</param>
    /// <param name="left">Uᵀ, whose rows are rotated.</param>
    /// <param name="right">Vᵀ, whose rows are rotated.</param>
    /// <param name="logs">Working memory of 4 n numbers.</param>
    public BidiagonalQr(double* d, double* e, int n, Rows left, Rows right, double* logs)
    {
        _d = d;
        _e = e;
        _logs = logs;
        (_n, _left, _right) = (n, left, right);
    }

    /// <summary>Rows of a padded matrix.</summary>
    internal struct Rows
    {
        public double* Data;
        public int Pitch;
        public int Width;
    }

    /// <summary>False: no convergence.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly bool Run()
    {
        double threshold = Threshold();
        (int oldLow, int oldHigh, bool up) = (-1, -1, false);
        long budget = (long)MaxSteps * _n * _n;
        for (int high = _n - 1; high > 0;)
        {
            if (Math.Abs(_e[high - 1]) <= threshold)
            {
                _e[--high] = 0;
                continue;
            }

            int low = high - 1;
            while (low > 0 && Math.Abs(_e[low - 1]) > threshold) low--;
            if (low > 0) _e[low - 1] = 0;
            if (low > oldHigh || high < oldLow || oldLow < 0) up = Math.Abs(_d[low]) < Math.Abs(_d[high]);
            (oldLow, oldHigh) = (low, high);
            if (budget-- == 0) return false;
            if (up) Turn(low, high);
            Step(low, high, up);
            if (up) Turn(low, high);
        }

        return true;
    }

    // Rows and columns in the opposite order: B is then the transpose of an upper bidiagonal matrix.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Turn(int low, int high)
    {
        new Span<double>(_d + low, high - low + 1).Reverse();
        new Span<double>(_e + low, high - low).Reverse();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Step(int low, int high, bool up)
    {
        if (!FindShift(low, high, out double shift)) return;
        double* c = _logs, s = c + _n, oldC = s + _n, oldS = oldC + _n;
        if (shift == 0) ZeroShift(low, high, c, s, oldC, oldS);
        else Shifted(low, high, shift, c, s, oldC, oldS);
        Rotate(up ? _left : _right, low, high, c, s, up);
        Rotate(up ? _right : _left, low, high, oldC, oldS, up);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rotate(Rows rows, int low, int high, double* c, double* s, bool up)
    {
        if (rows.Width == 0) return; // values alone
        double* first = rows.Data + ((long)low * rows.Pitch);
        if (!up)
        {
            Rotations.Forward(first, rows.Pitch, rows.Width, c + low, s + low, high - low);
            return;
        }

        // The same between rows in the opposite order.
        new Span<double>(c + low, high - low).Reverse();
        new Span<double>(s + low, high - low).Reverse();
        Rotations.Backward(first, rows.Pitch, rows.Width, c + low, s + low, high - low);
    }

    // The least singular value, from below, sets what is small (Demmel and Kahan, section 2).
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly double Threshold()
    {
        double least = Math.Abs(_d[0]), mu = least;
        for (int i = 1; i < _n && least > 0; i++)
        {
            mu = Math.Abs(_d[i]) * (mu / (mu + Math.Abs(_e[i - 1])));
            least = Math.Min(least, mu);
        }

        return Math.Max(Tolerance * (least / Math.Sqrt(_n)), (double)MaxSteps * _n * _n * SmallestNormal);
    }

    // False: an element was negligible and is 0 now.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly bool FindShift(int low, int high, out double shift)
    {
        shift = 0;
        if (Math.Abs(_e[high - 1]) <= Tolerance * Math.Abs(_d[high]))
        {
            _e[high - 1] = 0;
            return false;
        }

        double mu = Math.Abs(_d[low]), least = mu, largest = mu;
        for (int i = low; i < high; i++)
        {
            double beside = Math.Abs(_e[i]), below = Math.Abs(_d[i + 1]);
            if (beside <= Tolerance * mu)
            {
                _e[i] = 0;
                return false;
            }

            mu = below * (mu / (mu + beside));
            least = Math.Min(least, mu);
            largest = Math.Max(largest, Math.Max(beside, below));
        }

        if (_n * Tolerance * (least / largest) <= Math.Max(Epsilon, 0.01 * Tolerance)) return true;
        double start = Math.Abs(_d[low]);
        shift = Least(_d[high - 1], _e[high - 1], _d[high]);
        double part = shift / start;
        if (!(start > 0) || part * part < Epsilon) shift = 0;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void ZeroShift(int low, int high, double* c, double* s, double* oldC, double* oldS)
    {
        double cosine = 1, oldCosine = 1, sine = 0, oldSine = 0;
        for (int i = low; i < high; i++)
        {
            double r = Rotations.Make(_d[i] * cosine, _e[i], out cosine, out sine);
            if (i > low) _e[i - 1] = oldSine * r;
            _d[i] = Rotations.Make(oldCosine * r, _d[i + 1] * sine, out oldCosine, out oldSine);
            (c[i], s[i], oldC[i], oldS[i]) = (cosine, sine, oldCosine, oldSine);
        }

        double last = _d[high] * cosine;
        _d[high] = last * oldCosine;
        _e[high - 1] = last * oldSine;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Shifted(int low, int high, double shift, double* c, double* s, double* oldC, double* oldS)
    {
        double f = (Math.Abs(_d[low]) - shift) * (Math.CopySign(1, _d[low]) + (shift / _d[low])), g = _e[low];
        for (int i = low; i < high; i++)
        {
            double r = Rotations.Make(f, g, out double cosine, out double sine);
            if (i > low) _e[i - 1] = r;
            f = (cosine * _d[i]) + (sine * _e[i]);
            _e[i] = (cosine * _e[i]) - (sine * _d[i]);
            g = sine * _d[i + 1];
            _d[i + 1] *= cosine;
            _d[i] = Rotations.Make(f, g, out double oldCosine, out double oldSine);
            f = (oldCosine * _e[i]) + (oldSine * _d[i + 1]);
            _d[i + 1] = (oldCosine * _d[i + 1]) - (oldSine * _e[i]);
            if (i < high - 1)
            {
                g = oldSine * _e[i + 1];
                _e[i + 1] *= oldCosine;
            }

            (c[i], s[i], oldC[i], oldS[i]) = (cosine, sine, oldCosine, oldSine);
        }

        _e[high - 1] = f;
    }

    // The smaller singular value of (f g; 0 h), as LAPACK's dlas2 has it.
    private static double Least(double f, double g, double h)
    {
        (f, g, h) = (Math.Abs(f), Math.Abs(g), Math.Abs(h));
        (double low, double high) = (Math.Min(f, h), Math.Max(f, h));
        if (low == 0) return 0;
        double sum = 1 + (low / high), difference = (high - low) / high;
        if (g < high)
        {
            double square = g / high * (g / high);
            return low * (2 / (Math.Sqrt((sum * sum) + square) + Math.Sqrt((difference * difference) + square)));
        }

        double part = high / g;
        if (part == 0) return low * high / g;
        double c = 1 / (Math.Sqrt(1 + (sum * part * (sum * part))) + Math.Sqrt(1 + (difference * part * (difference * part))));
        return low * c * part * 2;
    }
}
