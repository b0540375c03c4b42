using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Differences of neighbours along contiguous rows, taken several times: y = Δᵏ x with (Δx)ᵢ = xᵢ₊₁ − xᵢ, and the transpose, (Δᵀx)ᵢ = xᵢ₋₁ − xᵢ with 0
/// outside. All steps are done on a tile of a row while it is in the first-level cache.
/// </summary>
internal static unsafe class Differences
{
    private const long Tile = 2048; // elements of a result
    private const long SplitElements = 32 * 1024;

    /// <summary>Rows of n elements become rows of n − order, by the transpose of n + order; neither is negative.</summary>
    public static void Run(DType dtype, nint x, nint y, long rows, long n, int order, bool transposed)
    {
        long length = transposed ? n + order : n - order;
        if (rows == 0 || length <= 0) return;
        var job = new Job { Input = x, Output = y, Columns = n, Length = length, Order = order, Transposed = transposed };
        job.Tiles = (length + Tile - 1) / Tile;
        job.Units = rows * job.Tiles;
        job.Body = dtype == DType.Float32
            ? SimdWidth.Current switch
            {
                512 => &Units<Lane512<float>, float>,
                256 => &Units<Lane256<float>, float>,
                _ => &Units<Lane128<float>, float>,
            }
            : SimdWidth.Current switch
            {
                512 => &Units<Lane512<double>, double>,
                256 => &Units<Lane256<double>, double>,
                _ => &Units<Lane128<double>, double>,
            };
        job.Pieces = rows * length < SplitElements ? 1 : (int)Math.Min(job.Units, 4L * WorkerPool.Threads);
        WorkerPool.Run(job.Pieces, &RunPiece, &job);
    }

    private static void RunPiece(void* context, int piece)
    {
        var job = (Job*)context;
        job->Body(job, job->Units * piece / job->Pieces, job->Units * (piece + 1) / job->Pieces);
    }

    private static void Units<L, T>(Job* job, long begin, long end)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var memory = new NativeScratch((Tile + job->Order) * sizeof(T));
        T* scratch = (T*)memory.Pointer;
        for (long unit = begin; unit < end; unit++)
        {
            (long row, long tile) = Math.DivRem(unit, job->Tiles);
            long first = tile * Tile, count = Math.Min(Tile, job->Length - first), taken = count + job->Order;
            T* x = (T*)job->Input + row * job->Columns, y = (T*)job->Output + row * job->Length + first;
            T* from = x + first;
            if (job->Transposed)
            {
                // The row has as many zeros at both ends as there are steps.
                from -= job->Order;
                if (first < job->Order || first + count > job->Columns)
                {
                    for (long i = 0; i < taken; i++)
                    {
                        long at = first - job->Order + i;
                        scratch[i] = at >= 0 && at < job->Columns ? x[at] : T.Zero;
                    }

                    from = scratch;
                }
            }

            for (int step = job->Order; step > 0; step--)
            {
                T* to = step == 1 ? y : scratch;
                Step<L, T>(from, to, --taken, job->Transposed);
                from = to;
            }
        }
    }

    // In place, too: a register is read before its place is written, and the one after it is not written yet.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Step<L, T>(T* x, T* y, long n, bool transposed)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        long i = 0;
        if (transposed)
        {
            for (; i + L.Count <= n; i += L.Count) L.Store(L.Load(x + i) - L.Load(x + i + 1), y + i);
            if (i < n) LaneTail.Store<L, T>(L.Load(x + i) - L.Load(x + i + 1), y + i, n - i);
            return;
        }

        for (; i + L.Count <= n; i += L.Count) L.Store(L.Load(x + i + 1) - L.Load(x + i), y + i);
        if (i < n) LaneTail.Store<L, T>(L.Load(x + i + 1) - L.Load(x + i), y + i, n - i);
    }

    private struct Job
    {
        public nint Input;
        public nint Output;
        public long Columns; // of a row of the input
        public long Length; // of a row of the result
        public int Order;
        public bool Transposed;
        public long Tiles; // of a row
        public long Units;
        public int Pieces;
        public delegate*<Job*, long, long, void> Body;
    }
}
