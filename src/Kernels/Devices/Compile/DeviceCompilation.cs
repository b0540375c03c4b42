using System.Diagnostics;

namespace Fusion.Kernels;

/// <summary>Counts the kernels that are written and compiled for accelerators, at their first launch; those of the library are not among them.</summary>
internal static class DeviceCompilation
{
    [ThreadStatic]
    private static int s_count;

    [ThreadStatic]
    private static long s_ticks;

    /// <summary>Kernels that this thread has compiled, and how long that took in ticks of the <see cref="Stopwatch"/>.</summary>
    public static (int Count, long Ticks) OfThread => (s_count, s_ticks);

    /// <summary>Compiles one.</summary>
    public static T Run<T>(Func<T> compile)
    {
        long start = Stopwatch.GetTimestamp();
        T kernel = compile();
        Add(start);
        return kernel;
    }

    /// <summary>One has been compiled since a time stamp of the <see cref="Stopwatch"/>.</summary>
    public static void Add(long start)
    {
        s_ticks += Stopwatch.GetTimestamp() - start;
        s_count++;
    }
}
