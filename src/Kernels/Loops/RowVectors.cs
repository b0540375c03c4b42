using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Vectors that every row reads. Those of the garbage collector begin anywhere: a register that lies in two cache lines takes two accesses, in every pass over every row.
/// </summary>
internal static unsafe class RowVectors
{
    private const long Line = 64;

    // Shorter rows have other work than loads.
    private const long LeastBytes = 4 * Line;

    /// <summary>Fewer are read about as fast as the vector is copied.</summary>
    public const long ManyRows = 8;

    /// <summary>Bytes for a copy, if one may be made: kernels read whole registers.</summary>
    public static long Room<T>(long n, long rows) where T : unmanaged => IsReadOften<T>(n, rows) ? (n * sizeof(T) + 2 * Line - 1) / Line * Line : 0;

    /// <summary>The vector where it begins at a cache line, or is null or not read often, otherwise its copy.</summary>
    public static T* Aligned<T>(T* vector, long n, long rows, byte* copy)
        where T : unmanaged
    {
        if (vector == null || !IsReadOften<T>(n, rows) || IsAligned((nint)vector)) return vector;
        Copy((nint)vector, n * sizeof(T), copy);
        return (T*)copy;
    }

    public static bool IsAligned(nint vector) => vector % (nint)Line == 0;

    public static void Copy(nint vector, long bytes, byte* copy) => Buffer.MemoryCopy((void*)vector, copy, bytes, bytes);

    private static bool IsReadOften<T>(long n, long rows) where T : unmanaged => rows >= ManyRows && n * sizeof(T) >= LeastBytes;
}
