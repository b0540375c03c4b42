using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Fusion.Kernels;

/// <summary>
/// Results that are too large to stay in a near cache: their registers are stored past all caches. An ordinary store first reads the line that it overwrites.
/// </summary>
internal static unsafe class StreamedResults
{
    private const int Line = 64;

    /// <summary>Bytes of every result, for each thread, from which they are streamed.</summary>
    /// <remarks>
    /// Measured on Emerald Rapids with second levels of 2 MB, against ordinary stores in turn: an eager addition or relu of 1 to 4 million floats takes 0.5 to 0.75 of the time, a
    /// compiled kernel of two to ten cheap operators 0.7 to 0.9, chains of four eager operators, each of which reads what the one before has written, 0.9 to 1.1. On Zen 4,
    /// whose cores have their third level near, such stores had not paid.
    /// </remarks>
    internal static long Least { get; set; } = HasFarCache() ? 1 << 20 : long.MaxValue;

    /// <summary>The results are worth it: large, apart from what is read, and whole lines.</summary>
    /// <param name="table">Where the operands of a kernel are, inputs first.</param>
    /// <param name="inputs">How many are read.</param>
    /// <param name="sizes">Bytes of an element of each result.</param>
    /// <param name="size">Elements.</param>
    public static bool Fit(nint* table, int inputs, ReadOnlySpan<int> sizes, long size)
    {
        foreach (int bytes in sizes)
            if (size * bytes / WorkerPool.Threads < Least) return false;
        for (int r = inputs; r < inputs + sizes.Length; r++)
        {
            if (table[r] % Line != 0) return false;
            for (int k = 0; k < inputs; k++)
                if (table[k] == table[r]) return false;
        }

        return true;
    }

    // Intel's cores with registers of 512 bits reach the third level over a mesh, and have second levels of a megabyte or two.
    private static bool HasFarCache()
    {
        if (!Avx512F.IsSupported) return false;
        (int _, int first, int third, int second) = X86Base.CpuId(0, 0);
        Span<int> name = [first, second, third];
        return MemoryMarshal.AsBytes(name).SequenceEqual("GenuineIntel"u8);
    }
}
