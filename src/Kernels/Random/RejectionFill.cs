using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>A distribution whose elements take different numbers of words.</summary>
internal interface IRejectionSampler
{
    double Next(ref RejectionWords words);
}

/// <summary>Gamma with a shape and a scale.</summary>
internal readonly struct GammaSampler(double k, double scale) : IRejectionSampler
{
    private readonly double _k = k;
    private readonly double _scale = scale;

    public double Next(ref RejectionWords words) => Rejection.Gamma(ref words, _k) * _scale;
}

/// <summary>Poisson with a mean.</summary>
internal readonly struct PoissonSampler(double mean) : IRejectionSampler
{
    private readonly double _mean = mean;

    public double Next(ref RejectionWords words) => Rejection.Poisson(ref words, _mean);
}

/// <summary>Fills arrays by rejection, on several threads when it pays. Every element has words of its own: its block, and further counters of it.</summary>
internal static unsafe class RejectionFill
{
    private const long SplitElements = 256; // some 60 ns each

    /// <summary>Float32 or Float64.</summary>
    public static void Run<TSampler>(TSampler sampler, RandomOrigin origin, DType dtype, nint output, long count)
        where TSampler : unmanaged, IRejectionSampler
    {
        Job<TSampler> job = new() { Sampler = sampler, Origin = origin, Is64 = dtype == DType.Float64, Output = output, Count = count };
        job.Pieces = (int)Math.Clamp(count / SplitElements, 1, 8L * WorkerPool.Threads);
        WorkerPool.Run(job.Pieces, &Piece<TSampler>, &job);
    }

    /// <summary>The elements [start, end) of the draw at <paramref name="origin"/>; the first element of the draw is at <paramref name="output"/>.</summary>
    public static void Range<TSampler>(TSampler sampler, RandomOrigin origin, bool is64, nint output, long start, long end)
        where TSampler : unmanaged, IRejectionSampler
    {
        for (long i = start; i < end; i++)
        {
            RejectionWords words = new(origin with { Block = unchecked(origin.Block + (ulong)i) });
            double value = sampler.Next(ref words);
            if (is64) ((double*)output)[i] = value;
            else ((float*)output)[i] = (float)value;
        }
    }

    private static void Piece<TSampler>(void* context, int piece)
        where TSampler : unmanaged, IRejectionSampler
    {
        ref Job<TSampler> job = ref Unsafe.AsRef<Job<TSampler>>(context);
        Range(job.Sampler, job.Origin, job.Is64, job.Output, job.Count * piece / job.Pieces, job.Count * (piece + 1) / job.Pieces);
    }

    private struct Job<TSampler>
        where TSampler : unmanaged
    {
        public TSampler Sampler;
        public RandomOrigin Origin;
        public bool Is64;
        public nint Output;
        public long Count;
        public int Pieces;
    }
}
