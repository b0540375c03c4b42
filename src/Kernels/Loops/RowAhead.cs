using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Fusion.Kernels;

/// <summary>
/// Asks for the next row while this one is computed. A kernel's first pass over a row would wait for memory and its later passes do not touch it; the
/// hardware's own streams end at every page, which is a row of 1 024 numbers.
/// </summary>
internal static unsafe class RowAhead
{
    private const long LongestBytes = 16 * 1024;

    /// <summary>How far behind an element its successor in the next row lies: a row; 0, which asks for what is there, where a row is so long that it would not last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Distance<T>(long n)
        where T : unmanaged
        => n * sizeof(T) <= LongestBytes ? n : 0;

    /// <summary>A hint; any address will do.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fetch(void* address)
    {
        if (Sse.IsSupported) Sse.Prefetch0(address);
    }

    /// <summary>The same into the second-level cache, for kernels whose rows fill the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FetchFar(void* address)
    {
        if (Sse.IsSupported) Sse.Prefetch1(address);
    }
}
