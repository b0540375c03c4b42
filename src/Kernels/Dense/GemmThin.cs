using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Products with so few rows or columns that a register tile would stand empty. Which path a product takes depends on its shape and transpositions alone.
/// By C^T = B^T · A^T few columns are treated as few rows.
/// </summary>
internal static unsafe class GemmThin
{
    private const nint MaxRows = 4;
    private const nint MinDepth = 64;

    // Up to twice as many rows with so much more of k for each: packing the other operand costs more than folding the lanes of that many products.
    private const nint MoreDepth = 128;
    private const nint MinColumns = 64;

    /// <summary>
    /// The product is a set of dot products over contiguous k, by the 64-lane tree. With few elements along k, or with k across the rows, lanes stay on
    /// different elements of the result.
    /// </summary>
    public static bool IsDots<T>(in GemmProblem<T> p)
        where T : unmanaged
        => IsDots(p.M, p.N, p.K, p.TransA, p.TransB);

    /// <summary>The same of a product's shape and transpositions.</summary>
    public static bool IsDots(nint m, nint n, nint k, bool transA, bool transB) => (transB && IsFew(m, k)) || (!transA && IsFew(n, k));

    private static bool IsFew(nint count, nint k)
        => k >= MinDepth && (count <= MaxRows || (count <= 2 * MaxRows && k >= MoreDepth * (count - MaxRows + 1) && k <= ReduceTree.Block));

    /// <summary>Runs the product if it is thin.</summary>
    public static bool TryRun<T>(in GemmProblem<T> p, bool parallel)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (p.M > 2 * MaxRows && p.N > 2 * MaxRows) return false;
        if (IsDots(p))
        {
            if (p.TransB && IsFew(p.M, p.K)) Dots(p, p.A, p.Lda, p.TransA, p.M, p.B, p.Ldb, p.N, false, parallel);
            else Dots(p, p.B, p.Ldb, !p.TransB, p.N, p.A, p.Lda, p.M, true, parallel);
            return true;
        }

        // The rest gives the bits of the general path.
        if (p.M == 1 && !p.TransB && p.N >= MinColumns && p.K > 0)
        {
            Axpy(p, p.TransA ? p.Lda : 1, parallel);
            return true;
        }

        if (p.N == 1 && p.TransA && p.M >= MinColumns && p.K > 0 && p.Ldc == 1 && p.Bias == null)
        {
            Axpy(p with { M = 1, N = p.M, A = p.B, B = p.A, Ldb = p.Lda }, p.TransB ? 1 : p.Ldb, parallel);
            return true;
        }

        return false;
    }

    private static void Axpy<T>(GemmProblem<T> p, nint strideOfA, bool parallel)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var scratch = new NativeScratch(strideOfA == 1 ? 0 : p.K * sizeof(T));
        if (strideOfA != 1)
        {
            var x = (T*)scratch.Pointer;
            Gather(p.A, strideOfA, 1, p.K, x);
            p.A = x;
        }

        switch (SimdWidth.Current)
        {
            case 512:
                GemmAxpy<Lane512<T>, T>.Run(p, parallel);
                break;
            case 256:
                GemmAxpy<Lane256<T>, T>.Run(p, parallel);
                break;
            default:
                GemmAxpy<Lane128<T>, T>.Run(p, parallel);
                break;
        }
    }

    /// <summary>Dot products of the few vectors of one operand with the many contiguous rows of the other.</summary>
    private static void Dots<T>(
        in GemmProblem<T> p, T* few, nint fewStride, bool gather, nint fewCount, T* rows, nint rowStride, nint rowCount, bool swapped, bool parallel)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var scratch = new NativeScratch(gather ? fewCount * p.K * sizeof(T) : 0);
        if (gather)
        {
            var x = (T*)scratch.Pointer;
            Gather(few, fewStride, fewCount, p.K, x);
            few = x;
            fewStride = p.K;
        }

        var job = new DotsJob<T>
        {
            Problem = p,
            Few = few,
            FewStride = fewStride,
            FewCount = fewCount,
            Rows = rows,
            RowStride = rowStride,
            RowCount = rowCount,
            Swapped = swapped,
        };
        switch (SimdWidth.Current)
        {
            case 512:
                GemmDots<Lane512<T>, T>.Run(job, parallel);
                break;
            case 256:
                GemmDots<Lane256<T>, T>.Run(job, parallel);
                break;
            default:
                GemmDots<Lane128<T>, T>.Run(job, parallel);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gather<T>(T* source, nint stride, nint count, nint k, T* destination)
        where T : unmanaged
    {
        for (nint j = 0; j < k; j++)
        {
            for (nint i = 0; i < count; i++) destination[i * k + j] = source[j * stride + i];
        }
    }
}

/// <summary>Dot products of few vectors with many rows, both contiguous along k.</summary>
internal unsafe struct DotsJob<T>
    where T : unmanaged
{
    public GemmProblem<T> Problem;
    public T* Few;
    public nint FewStride;
    public nint FewCount;
    public T* Rows;
    public nint RowStride;
    public nint RowCount;

    /// <summary>The few are columns of C, the many its rows.</summary>
    public bool Swapped;

    public nint PerChunk;
}
