using Fusion.Kernels;

namespace Fusion;

/// <summary>Settings and figures of the whole process: threads and memory.</summary>
public static class FusionRuntime
{
    /// <summary>
    /// Threads that one operation may use, the calling thread counted; at first the number of processors, or the environment variable
    /// <c>FUSION_NUM_THREADS</c>. Holds from the next operation on. Results do not depend on it.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1.</exception>
    public static int NumThreads
    {
        get => WorkerPool.Threads;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            WorkerPool.Threads = value;
        }
    }

    /// <summary>
    /// Bytes of native memory that arrays hold at present. An array nobody can reach counts until the garbage collector has found it;
    /// small arrays (16 KB and less) are ordinary objects of the garbage collector and are not counted.
    /// </summary>
    public static long LiveBytes
    {
        get
        {
            BlockOwners.Reclaim();
            return MemoryCounters.Live;
        }
    }

    /// <summary>The largest value of <see cref="LiveBytes"/> since the start or since <see cref="ResetPeak"/>.</summary>
    public static long PeakBytes => MemoryCounters.Peak;

    /// <summary>Sets <see cref="PeakBytes"/> to <see cref="LiveBytes"/>.</summary>
    public static void ResetPeak()
    {
        BlockOwners.Reclaim();
        MemoryCounters.ResetPeak();
    }
}
