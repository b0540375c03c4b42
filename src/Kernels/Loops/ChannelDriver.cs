using System.Numerics;

namespace Fusion.Kernels;

/// <summary>A kernel that sees some channels of a (batch, channels, size) array at a time.</summary>
internal unsafe interface IChannelKernel
{
    static abstract void Channels<L, T>(ChannelJob* job, long start, long count)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;
}

/// <summary>The operands of a channel kernel; each kernel says which it uses and what for.</summary>
internal unsafe struct ChannelJob
{
    public nint Input;
    public nint Gradient;

    /// <summary>One value per channel, or one per segment, of which there are <see cref="Scales"/>, and again.</summary>
    public nint Gamma;

    /// <summary>As many as of gamma.</summary>
    public nint Beta;

    /// <summary>The means of the channels, then their variances.</summary>
    public nint Moments;

    /// <summary>Σ g of the channels, or of their segments, then Σ g·x̂.</summary>
    public nint Sums;

    public nint Output;
    public long Batch;
    public long Channels;

    /// <summary>Contiguous elements of one channel of one sample.</summary>
    public long Size;

    /// <summary>Where a channel consists of several ones, each with a gamma and beta of its own: how many.</summary>
    public long Segments;

    /// <summary>With segments: how many values gamma and beta have.</summary>
    public long Scales;

    public double Epsilon;
    public delegate*<ChannelJob*, long, long, void> Body;

    public readonly long Count => Batch * Size;

    /// <summary>Elements from one sample to the next.</summary>
    public readonly long Stride => Channels * Size;
}

/// <summary>Chooses the instance of a channel kernel and spreads the channels over the worker pool.</summary>
internal static unsafe class ChannelDriver
{
    private const long ParallelElements = 32 * 1024;

    private const long ChunkElements = 4 * 1024;

    // A page: nothing asks for memory beyond its end.
    private const long RunBytes = 4096;

    public static void Run<TKernel>(DType dtype, ChannelJob job)
        where TKernel : IChannelKernel
    {
        if (job.Channels == 0) return;
        job.Body = dtype == DType.Float32
            ? SimdWidth.Current switch
            {
                512 => &TKernel.Channels<Lane512<float>, float>,
                256 => &TKernel.Channels<Lane256<float>, float>,
                _ => &TKernel.Channels<Lane128<float>, float>,
            }
            : SimdWidth.Current switch
            {
                512 => &TKernel.Channels<Lane512<double>, double>,
                256 => &TKernel.Channels<Lane256<double>, double>,
                _ => &TKernel.Channels<Lane128<double>, double>,
            };

        // Short planes of a sample are passed over together: their channels alone would be read from places that are whole samples apart, which are often
        // the same sets of a cache.
        // Without samples everything is contiguous, and a run is long enough to be worth what is done once for it.
        var run = Math.Max(1, (job.Batch == 1 ? 4 : 1) * RunBytes / Math.Max(1, job.Size * dtype.Size));
        if (WorkerPool.Threads == 1 || job.Channels * job.Count < ParallelElements)
        {
            Runs(&job, 0, job.Channels, run);
            return;
        }

        // Chunks are claimed one by one: a channel each, or some when there are very many or they are short.
        var least = Math.Max(run, ChunkElements / Math.Max(1, job.Count));
        var perChunk = Math.Max((job.Channels + 1023) / 1024, Math.Min(least, job.Channels / (4L * WorkerPool.Threads)));
        var shared = (Job: job, PerChunk: perChunk, Run: run);
        WorkerPool.Run((int)((job.Channels + perChunk - 1) / perChunk), &Chunk, &shared);
    }

    private static void Chunk(void* context, int chunk)
    {
        var shared = ((ChannelJob Job, long PerChunk, long Run)*)context;
        Runs(&shared->Job, chunk * shared->PerChunk, Math.Min(shared->Job.Channels, (chunk + 1) * shared->PerChunk), shared->Run);
    }

    private static void Runs(ChannelJob* job, long start, long end, long run)
    {
        for (; start < end; start += run) job->Body(job, start, Math.Min(run, end - start));
    }
}
