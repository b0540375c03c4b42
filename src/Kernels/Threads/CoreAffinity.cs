using System.Runtime.InteropServices;

namespace Fusion.Kernels;

/// <summary>
/// Linux may wake a parked thread on the core of the thread that woke it, though others are idle, and leave it waiting there for milliseconds, again and again. So
/// workers are forbidden the core that their caller runs on, before they are woken and where it moves to theirs.
/// A hint only: without it (other systems, other C libraries, no permission) everything works, sometimes on one core for a while.
/// </summary>
internal static unsafe partial class CoreAffinity
{
    private const int Words = 16; // 1 024 cores

    private static bool s_available = Probe();

    /// <summary>The core this thread runs on, or −1.</summary>
    public static int CurrentCore => s_available ? GetCore() : -1;

    /// <summary>This thread, for <see cref="Forbid"/>, and the cores it may run on now.</summary>
    public static CoreMask Current
    {
        get
        {
            CoreMask mask = default;
            if (s_available && GetAffinity(0, Words * sizeof(ulong), (ulong*)&mask.Allowed) >= 0) mask.Thread = GetThread();
            return mask;
        }
    }

    /// <summary>Lets a thread run on all of its cores but one, if that leaves any.</summary>
    public static void Forbid(CoreMask mask, int core)
    {
        if (mask.Thread == 0 || !s_available) return;
        mask.Allowed[core >> 6] &= ~(1UL << (core & 63));
        if (((ReadOnlySpan<ulong>)mask.Allowed).ContainsAnyExcept(0UL) && SetAffinity(mask.Thread, Words * sizeof(ulong), (ulong*)&mask.Allowed) != 0) s_available = false;
    }

    private static bool Probe()
    {
        if (!OperatingSystem.IsLinux() || Environment.ProcessorCount is < 2 or > Words * 64) return false;
        try
        {
            return GetCore() is >= 0 and < Words * 64 && GetThread() > 0;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int GetThread();

    [SuppressGCTransition] // some nanoseconds
    [LibraryImport("libc", EntryPoint = "sched_getcpu")]
    private static partial int GetCore();

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    private static partial int GetAffinity(int thread, nint bytes, ulong* mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nint bytes, ulong* mask);

    /// <summary>A thread and the cores it may run on, a bit each.</summary>
    internal struct CoreMask
    {
        /// <summary>0: unknown.</summary>
        public int Thread;

        public Bits Allowed;

        [System.Runtime.CompilerServices.InlineArray(Words)]
        internal struct Bits
        {
            private ulong _word;
        }
    }
}
