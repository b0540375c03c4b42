using System.Collections.Concurrent;
using System.Diagnostics;
using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// What the processor can do at most with the threads it may use, measured where it is asked for: bytes copied and fused multiply-adds a nanosecond. The
/// best of some rounds, since a limit is what the machine does undisturbed; some milliseconds each, once per process.
/// </summary>
internal static unsafe class MachineLimits
{
    private const int Rounds = 7;
    private const long ProductSize = 256;

    // A copy is split among threads from this size on, as the library splits its work.
    private const long ParallelBytes = 256 * 1024;

    private static readonly long s_roundTicks = Stopwatch.Frequency / 2000;
    private static readonly ConcurrentDictionary<(int Exponent, int Threads), double> s_copies = new();
    private static readonly ConcurrentDictionary<(int Threads, int Width), double> s_products = new();

    /// <summary>GB/s, read and written, of a copy that touches so many bytes, rounded up to a power of two: small ones stay in a cache.</summary>
    public static double CopyBandwidth(long bytes)
    {
        int exponent = Math.Clamp(64 - System.Numerics.BitOperations.LeadingZeroCount((ulong)Math.Max(1, bytes - 1)), 10, 27);
        return s_copies.GetOrAdd((exponent, WorkerPool.Threads), static key => MeasureCopy(1L << (key.Exponent - 1)));
    }

    /// <summary>Fused multiply-adds a nanosecond of a matrix product in single precision.</summary>
    public static double MultiplyAdds => s_products.GetOrAdd((WorkerPool.Threads, SimdWidth.Current), static _ => MeasureProduct());

    private static double MeasureCopy(long half)
    {
        using NativeScratch scratch = new(2 * half);
        new Span<byte>(scratch.Pointer, (int)(2 * half)).Clear();
        Copy job = new() { Source = scratch.Pointer, Target = scratch.Pointer + half, Bytes = half, Chunks = half < ParallelBytes ? 1 : 4 * WorkerPool.Threads };
        return 2 * half / Best(&RunCopy, &job);
    }

    private static double MeasureProduct()
    {
        const long Elements = ProductSize * ProductSize;
        using NativeScratch scratch = new(3 * Elements * sizeof(float));
        new Span<byte>(scratch.Pointer, (int)(3 * Elements * sizeof(float))).Clear();
        return ProductSize * Elements / Best(&RunProduct, scratch.Pointer);
    }

    // Nanoseconds of a call. Some rounds of half a millisecond or one call each; the first one warms up.
    private static double Best(delegate*<void*, void> run, void* context)
    {
        run(context);
        double best = double.MaxValue;
        for (int round = 0; round < Rounds; round++)
        {
            long start = Stopwatch.GetTimestamp();
            long calls = 0, ticks;
            do
            {
                run(context);
                calls++;
                ticks = Stopwatch.GetTimestamp() - start;
            }
            while (ticks < s_roundTicks);
            best = Math.Min(best, ticks * (1e9 / Stopwatch.Frequency) / calls);
        }

        return best;
    }

    private static void RunCopy(void* context)
    {
        Copy* job = (Copy*)context;
        if (job->Chunks == 1) CopyChunk(job, 0);
        else WorkerPool.Run(job->Chunks, &CopyChunk, job);
    }

    private static void CopyChunk(void* context, int chunk)
    {
        Copy* job = (Copy*)context;
        long start = job->Bytes * chunk / job->Chunks, end = job->Bytes * (chunk + 1) / job->Chunks;
        Buffer.MemoryCopy(job->Source + start, job->Target + start, end - start, end - start);
    }

    private static void RunProduct(void* context)
    {
        float* a = (float*)context;
        float* b = a + ProductSize * ProductSize;
        Gemm.Run(false, false, ProductSize, ProductSize, ProductSize, 1f, a, ProductSize, b, ProductSize, 0f, b + ProductSize * ProductSize, ProductSize);
    }

    private struct Copy
    {
        public byte* Source;
        public byte* Target;
        public long Bytes;
        public int Chunks;
    }
}
