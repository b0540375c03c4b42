using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// The exponentials of rows of a few elements, as many rows at a time as a register has elements: a register for each column. What a row alone would spend on folding one register
/// is then spent once for all of them; the tree of the sums is the same (<see cref="ReduceTree"/>), and so are the bits.
/// </summary>
internal static unsafe class ShortRows<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The longest rows.</summary>
    public const int Most = 16;

    // For fewer rows than this they are taken one by one.
    private const int Least = 4;

    /// <summary>Elements of memory for the columns of <see cref="Exp"/>.</summary>
    public static int Elements => Most * L.Count;

    /// <summary>How many of these rows are taken together; 0: one is taken by itself.</summary>
    public static long Take(long rows, long n) => n > Most || rows < Math.Max(Least, L.Count / 2) ? 0 : Math.Min(rows, L.Count);

    /// <summary>Writes exp(x − max x) of every column, and gives the maxima and the sums of the rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static L Exp(T* x, long n, long rows, T* columns, out L max)
    {
        max = Load(x, n, rows, columns);
        return Sums(columns, n, max);
    }

    /// <summary>Writes the columns back as rows.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Store(T* columns, long n, long rows, T* y)
    {
        for (long r = 0; r < rows; r++, columns++, y += n)
            for (long c = 0; c < n; c++) y[c] = columns[c * L.Count];
    }

    // The columns, and the largest number of every row.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static L Load(T* x, long n, long rows, T* columns)
    {
        if (rows < L.Count) new Span<T>(columns, (int)n * L.Count).Clear();
        for (long r = 0; r < rows; r++, x += n)
            for (long c = 0; c < n; c++) columns[c * L.Count + r] = x[c];
        var max = L.Const(double.NegativeInfinity);
        for (long c = 0; c < n; c++) max = L.MaxNative(L.Load(columns + c * L.Count), max);
        return max;
    }

    // The columns become exponentials; their sums.
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static L Sums(T* columns, long n, L max)
    {
        T* sums = stackalloc T[Elements];
        for (long i = 0; i < n * L.Count; i += L.Count)
        {
            var e = Formulas.ExpOfNegative(L.Load(columns + i) - max);
            L.Store(e, columns + i);
            L.Store(e, sums + i);
        }

        for (long half = Most / 2, count = n; half > 0; half /= 2)
        {
            for (long c = half; c < count; c++) L.Store(L.Load(sums + (c - half) * L.Count) + L.Load(sums + c * L.Count), sums + (c - half) * L.Count);
            count = Math.Min(count, half);
        }

        return L.Load(sums);
    }
}
