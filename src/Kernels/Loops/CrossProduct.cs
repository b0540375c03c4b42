using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Vector products: component i is a[j]·b[k] − a[k]·b[j], each product rounded, for (i, j, k) = (0, 1, 2), (1, 2, 0), (2, 0, 1).</summary>
internal static unsafe class CrossProduct
{
    private const long SplitVectors = 4 * 1024;

    /// <summary>Float32 or Float64 arrays (outer, 3, inner), contiguous.</summary>
    public static void Run(DType dtype, nint a, nint b, nint output, long outer, long inner)
    {
        var job = new Job { A = a, B = b, Output = output, Outer = outer, Inner = inner };
        job.Pieces = outer * inner < SplitVectors ? 1 : (int)Math.Min(outer, 4L * WorkerPool.Threads);
        WorkerPool.Run(job.Pieces, dtype == DType.Float32 ? &Piece<float> : &Piece<double>, &job);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Piece<T>(void* context, int piece)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Job* job = (Job*)context;
        long first = job->Outer * piece / job->Pieces, end = job->Outer * (piece + 1) / job->Pieces, n = job->Inner;
        T* a = (T*)job->A + (first * 3 * n), b = (T*)job->B + (first * 3 * n), to = (T*)job->Output + (first * 3 * n);
        for (long o = first; o < end; o++, a += 3 * n, b += 3 * n, to += 3 * n)
        {
            long i = 0;
            for (; i + Vector<T>.Count <= n; i += Vector<T>.Count)
            {
                Vector<T> a0 = Vector.Load(a + i), a1 = Vector.Load(a + n + i), a2 = Vector.Load(a + (2 * n) + i);
                Vector<T> b0 = Vector.Load(b + i), b1 = Vector.Load(b + n + i), b2 = Vector.Load(b + (2 * n) + i);
                Vector.Store((a1 * b2) - (a2 * b1), to + i);
                Vector.Store((a2 * b0) - (a0 * b2), to + n + i);
                Vector.Store((a0 * b1) - (a1 * b0), to + (2 * n) + i);
            }

            for (; i < n; i++)
            {
                T a0 = a[i], a1 = a[n + i], a2 = a[(2 * n) + i], b0 = b[i], b1 = b[n + i], b2 = b[(2 * n) + i];
                to[i] = (a1 * b2) - (a2 * b1);
                to[n + i] = (a2 * b0) - (a0 * b2);
                to[(2 * n) + i] = (a0 * b1) - (a1 * b0);
            }
        }
    }

    private struct Job
    {
        public nint A;
        public nint B;
        public nint Output;
        public long Outer;
        public long Inner;
        public int Pieces;
    }
}
