using System.Runtime.InteropServices;

namespace Fusion.Kernels;

/// <summary>
/// Linux tends to wake a parked thread on the core of the thread that woke it and may leave both there for milliseconds. A worker that finds
/// itself on its caller's core forbids itself that core for a moment, which makes the scheduler move it, and then restores its mask.
/// A hint only: without it (other systems, other C libraries, no permission) everything works, sometimes on one core for a while.
/// </summary>
internal static unsafe partial class CoreAffinity
{
    private const int Words = 16; // 1 024 cores

    private static bool s_available = Probe();

    /// <summary>The core this thread runs on, or −1.</summary>
    public static int CurrentCore => s_available ? GetCore() : -1;

    /// <summary>Moves this thread to another core if it runs on <paramref name="core"/>.</summary>
    public static void LeaveCore(int core)
    {
        if (core < 0 || !s_available || GetCore() != core) return;
        ulong* allowed = stackalloc ulong[Words];
        ulong* others = stackalloc ulong[Words];
        new Span<ulong>(allowed, Words).Clear();
        if (GetAffinity(0, Words * sizeof(ulong), allowed) < 0) return;
        ulong any = 0;
        for (int i = 0; i < Words; i++)
        {
            others[i] = i == core >> 6 ? allowed[i] & ~(1UL << (core & 63)) : allowed[i];
            any |= others[i];
        }
        if (any == 0) return;
        if (SetAffinity(0, Words * sizeof(ulong), others) != 0) s_available = false;
        else _ = SetAffinity(0, Words * sizeof(ulong), allowed);
    }

    private static bool Probe()
    {
        if (!OperatingSystem.IsLinux() || Environment.ProcessorCount is < 2 or > Words * 64) return false;
        try
        {
            return GetCore() is >= 0 and < Words * 64;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "sched_getcpu")]
    private static partial int GetCore();

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    private static partial int GetAffinity(int thread, nint bytes, ulong* mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nint bytes, ulong* mask);
}
