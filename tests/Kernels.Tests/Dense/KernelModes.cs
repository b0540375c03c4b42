using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>Tests that set the vector width or the number of threads share this collection, so that they do not run beside each other.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class KernelModes
{
    public const string Name = "Vector widths and threads";

    /// <summary>Runs the body once for every vector width of this machine and for one and two threads; the modes are restored.</summary>
    internal static void ForEach(Action body)
    {
        var (width, threads) = (SimdWidth.Current, WorkerPool.Threads);
        try
        {
            foreach (var w in new[] { 512, 256, 128 }.Where(w => w <= SimdWidth.Hardware))
            {
                foreach (var t in new[] { 1, 2 })
                {
                    SimdWidth.Current = w;
                    WorkerPool.Threads = t;
                    body();
                }
            }
        }
        finally
        {
            SimdWidth.Current = width;
            WorkerPool.Threads = threads;
        }
    }
}
