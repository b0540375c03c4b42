using System.Numerics;

namespace Fusion.Kernels;

/// <summary>Sums, along the rows of contiguous (rows, n) arrays, of terms that are in memory nowhere: the bits of <see cref="Reduce"/> over the terms.</summary>
internal static unsafe class ReduceTerms
{
    /// <summary>Σ x·y, each product rounded.</summary>
    public static void Products(DType dtype, nint x, nint y, nint output, long rows, long n)
    {
        if (dtype == DType.Float32) Terms<Product, float>((float*)x, (float*)y, (float*)output, rows, n);
        else Terms<Product, double>((double*)x, (double*)y, (double*)output, rows, n);
    }

    /// <summary>Σ (x − y)², differences and squares rounded.</summary>
    public static void SquaredDifferences(DType dtype, nint x, nint y, nint output, long rows, long n)
    {
        if (dtype == DType.Float32) Terms<PairSquaredDifference, float>((float*)x, (float*)y, (float*)output, rows, n);
        else Terms<PairSquaredDifference, double>((double*)x, (double*)y, (double*)output, rows, n);
    }

    /// <summary>Σ |x − y|, differences rounded.</summary>
    public static void AbsoluteDifferences(DType dtype, nint x, nint y, nint output, long rows, long n)
    {
        if (dtype == DType.Float32) Terms<PairTerm<AbsoluteDifferenceOp>, float>((float*)x, (float*)y, (float*)output, rows, n);
        else Terms<PairTerm<AbsoluteDifferenceOp>, double>((double*)x, (double*)y, (double*)output, rows, n);
    }

    /// <summary>Σ of <see cref="HuberOp"/> of x, y and the δ of their row, which the output holds before.</summary>
    public static void Huber(DType dtype, nint x, nint y, nint output, long rows, long n)
    {
        if (dtype == DType.Float32) Terms<ShiftedTerm<HuberOp>, float>((float*)x, (float*)y, (float*)output, rows, n, (float*)output);
        else Terms<ShiftedTerm<HuberOp>, double>((double*)x, (double*)y, (double*)output, rows, n, (double*)output);
    }

    /// <summary>Σ (x − μ)² with the mean μ = Σ x / n of the row.</summary>
    public static void SquaredDeviations(DType dtype, nint x, nint output, long rows, long n)
    {
        if (dtype == DType.Float32) SquaredDeviations((float*)x, (float*)output, rows, n);
        else SquaredDeviations((double*)x, (double*)output, rows, n);
    }

    private static void Terms<TTerm, T>(T* x, T* y, T* output, long rows, long n, T* shifts = null)
        where TTerm : IRowTerm
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        switch (SimdWidth.Current)
        {
            case 512:
                ReduceRows<TermFold<TTerm, Lane512<T>, T>, Lane512<T>, T>.Run(x, y, shifts, output, rows, n);
                break;
            case 256:
                ReduceRows<TermFold<TTerm, Lane256<T>, T>, Lane256<T>, T>.Run(x, y, shifts, output, rows, n);
                break;
            default:
                ReduceRows<TermFold<TTerm, Lane128<T>, T>, Lane128<T>, T>.Run(x, y, shifts, output, rows, n);
                break;
        }
    }

    private static void SquaredDeviations<T>(T* x, T* output, long rows, long n)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        switch (SimdWidth.Current)
        {
            case 512:
                SquaredDeviations<Lane512<T>, T>(x, output, rows, n);
                break;
            case 256:
                SquaredDeviations<Lane256<T>, T>(x, output, rows, n);
                break;
            default:
                SquaredDeviations<Lane128<T>, T>(x, output, rows, n);
                break;
        }
    }

    private static void SquaredDeviations<L, T>(T* x, T* output, long rows, long n)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (ReduceTree.BlockCount(n) == 1)
        {
            ReduceRows<DeviationFold<L, T>, L, T>.Run(x, output, rows, n);
            return;
        }

        ReduceRows<ElementFold<SumReduction, L, T>, L, T>.Run(x, output, rows, n);
        for (long r = 0; r < rows; r++) output[r] /= T.CreateTruncating(n);
        ReduceRows<TermFold<SquaredDifference, L, T>, L, T>.Run(x, x, output, output, rows, n);
    }
}

/// <summary>Σ (x − μ)² of a row that is one block: when the terms are added up it is in the cache.</summary>
internal readonly unsafe struct DeviationFold<L, T> : IRowFold<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Block(T* x, T* second, T shift, long n)
    {
        var mean = ReduceTree.ReduceBlock<SumReduction, L, T>(x, n) / T.CreateTruncating(n);
        return RowSum<SquaredDifference, L, T>.Sum(x, x, L.Broadcast(mean), n);
    }

    public static T Join(T* partials, long n) => throw new InvalidOperationException("The row is one block.");
}
