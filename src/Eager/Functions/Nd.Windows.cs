namespace Fusion;

// Arrays of sizes and numbers alone: spacings, windows of signals, positions of triangles.
public static partial class Nd
{
    /// <summary><paramref name="count"/> powers of a base whose exponents go evenly from start to stop, both included.</summary>
    /// <remarks><c>mx.np.logspace</c>, <c>np.logspace</c>, <c>torch.logspace</c>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative.</exception>
    public static NDArray LogSpace(double start, double stop, int count, double numberBase = 10, DType dtype = DType.Float32, Device? device = null)
    {
        Require.NotNegative(count);
        double step = count > 1 ? (stop - start) / (count - 1) : 0;
        return Sequence(count, i => Math.Pow(numberBase, i == count - 1 && count > 1 ? stop : start + i * step), dtype, device);
    }

    /// <summary><paramref name="count"/> numbers from start to stop, both included, of which each is the one before times a constant.</summary>
    /// <remarks><c>np.geomspace</c>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative, or start or stop is 0 or they have different signs.</exception>
    public static NDArray GeomSpace(double start, double stop, int count, DType dtype = DType.Float32, Device? device = null)
    {
        Require.NotNegative(count);
        if (!(start != 0 && stop / start > 0))
            throw new ArgumentOutOfRangeException(nameof(stop), stop, $"GeomSpace: from {start} to {stop} no factor leads; both must be positive or both negative.");
        double ratio = stop / start;
        return Sequence(count, i => i == count - 1 && count > 1 ? stop : i == 0 ? start : start * Math.Pow(ratio, (double)i / (count - 1)), dtype, device);
    }

    /// <summary>1 − |2k/(n − 1) − 1| for k = 0, …, n − 1: a triangle. Of one point it is 1.</summary>
    /// <remarks><c>np.bartlett</c>; <c>torch.bartlett_window(periodic=False)</c>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">n is negative.</exception>
    public static NDArray Bartlett(int n, DType dtype = DType.Float32, Device? device = null) => Window(n, static t => 1 - Math.Abs(2 * t - 1), dtype, device);

    /// <summary>0.5 − 0.5·cos(2πk/(n − 1)) for k = 0, …, n − 1. Of one point it is 1.</summary>
    /// <remarks><c>mx.np.hanning</c>, <c>np.hanning</c>; <c>torch.hann_window(periodic=False)</c>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">n is negative.</exception>
    public static NDArray Hanning(int n, DType dtype = DType.Float32, Device? device = null) => Window(n, static t => 0.5 - 0.5 * Math.Cos(2 * Math.PI * t), dtype, device);

    /// <summary>0.54 − 0.46·cos(2πk/(n − 1)) for k = 0, …, n − 1. Of one point it is 1.</summary>
    /// <remarks><c>mx.np.hamming</c>, <c>np.hamming</c>; <c>torch.hamming_window(periodic=False)</c>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">n is negative.</exception>
    public static NDArray Hamming(int n, DType dtype = DType.Float32, Device? device = null) => Window(n, static t => 0.54 - 0.46 * Math.Cos(2 * Math.PI * t), dtype, device);

    /// <summary>0.42 − 0.5·cos(2πk/(n − 1)) + 0.08·cos(4πk/(n − 1)) for k = 0, …, n − 1. Of one point it is 1.</summary>
    /// <remarks><c>mx.np.blackman</c>, <c>np.blackman</c>; <c>torch.blackman_window(periodic=False)</c>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">n is negative.</exception>
    public static NDArray Blackman(int n, DType dtype = DType.Float32, Device? device = null) =>
        Window(n, static t => 0.42 - 0.5 * Math.Cos(2 * Math.PI * t) + 0.08 * Math.Cos(4 * Math.PI * t), dtype, device);

    /// <summary>The positions of a matrix (rows, columns) where column − row ≥ k, row by row: two arrays, Int64. The matrix is square by default.</summary>
    /// <remarks><c>mx.np.triu_indices</c>, <c>np.triu_indices</c>, <c>torch.triu_indices</c>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">A size is negative.</exception>
    public static (NDArray Rows, NDArray Columns) TriuIndices(int rows, int k = 0, int? columns = null, Device? device = null) =>
        Triangle("TriuIndices", rows, columns, (row, n) => (Math.Clamp((long)row + k, 0, n), n), device);

    /// <summary>The positions of a matrix (rows, columns) where column − row ≤ k, row by row: two arrays, Int64. The matrix is square by default.</summary>
    /// <remarks><c>mx.np.tril_indices</c>, <c>np.tril_indices</c>, <c>torch.tril_indices</c>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">A size is negative.</exception>
    public static (NDArray Rows, NDArray Columns) TrilIndices(int rows, int k = 0, int? columns = null, Device? device = null) =>
        Triangle("TrilIndices", rows, columns, (row, n) => (0, Math.Clamp((long)row + k + 1, 0, n)), device);

    // A symmetric window of places from 0 to 1; both halves are the same numbers.
    private static NDArray Window(int n, Func<double, double> value, DType dtype, Device? device, [System.Runtime.CompilerServices.CallerMemberName] string function = "")
    {
        Require.NotNegative(n, function);
        return Sequence(n, k => n == 1 ? 1 : value((double)Math.Min(k, n - 1 - k) / (n - 1)), dtype, device);
    }

    private static (NDArray Rows, NDArray Columns) Triangle(string op, int rows, int? columns, Func<int, int, (long Start, long End)> range, Device? device)
    {
        Require.NotNegative(rows, op);
        int width = columns ?? rows;
        Require.NotNegative(width, op, nameof(columns));
        long total = 0;
        for (int i = 0; i < rows; i++) total += Math.Max(0, range(i, width).End - range(i, width).Start);
        int size = Errors.Extent(op, total), at = 0;
        long[] y = Errors.Numbers<long>(size), x = Errors.Numbers<long>(size);
        for (int i = 0; i < rows; i++)
        {
            (long start, long end) = range(i, width);
            for (long j = start; j < end; j++) (y[at], x[at++]) = (i, j);
        }

        return (Table(y, size, device ?? Device.Cpu), Table(x, size, device ?? Device.Cpu));
    }
}
