using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Fusion.Kernels;

/// <summary>
/// The memory of arrays. Small data are ordinary <c>byte[]</c> of the garbage collector; large data are a <see cref="NativeBlock"/>, pooled native
/// memory that comes back when the block's owner is found dead or releases it early. Nobody has to dispose of anything.
/// </summary>
/// <remarks>
/// At least <see cref="Slack"/> bytes after the requested ones, rounded up to 64, belong to the block: kernels read and write whole registers.
/// Contents are undefined. A <c>byte[]</c> may move: hold it with <c>fixed</c> while a pointer is in use; a native block
/// has to be kept reachable for as long.
/// </remarks>
internal static unsafe class MemoryPool
{
    /// <summary>
    /// The largest request that becomes a <c>byte[]</c>. Above it a native block's finalizer and its share of a collection cost less than what
    /// the array adds to the collector's budget and to copying of survivors (docs/memory.md has the measurement).
    /// </summary>
    public const int SmallLimit = 16 * 1024;

    /// <summary>Bytes after the rounded-up request that kernels may touch.</summary>
    public const int Slack = 64;

    /// <summary>Storage for <paramref name="bytes"/> bytes: a <c>byte[]</c> or a <see cref="NativeBlock"/>.</summary>
    /// <exception cref="OutOfMemoryException">The memory is not to be had; the message says how many bytes were asked for.</exception>
    public static object Allocate(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (bytes <= SmallLimit)
        {
            NurseryTrigger.Count((int)bytes);
            return GC.AllocateUninitializedArray<byte>((((int)bytes + 63) & ~63) + Slack);
        }
        return new NativeBlock(bytes);
    }

    /// <summary>The first byte of a storage.</summary>
    /// <exception cref="InvalidOperationException">It is the memory of an accelerator, which has no address here.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref byte Reference(object storage)
    {
        if (storage.GetType() == typeof(byte[])) return ref MemoryMarshal.GetArrayDataReference(Unsafe.As<byte[]>(storage));
        if (storage.GetType() != typeof(NativeBlock)) ThrowNoAddress(storage);
        return ref *(byte*)Unsafe.As<NativeBlock>(storage).Pointer;
    }

    /// <summary>Bytes that may be used for data; the slack is not counted. 0 after <see cref="Release"/> of a native block.</summary>
    public static long Capacity(object storage) => storage is byte[] array ? array.Length - Slack : ((NativeBlock)storage).Capacity;

    /// <summary>
    /// Gives a native block back at once; the caller is its only user. False, and nothing happens, for a small array (it is the garbage
    /// collector's) and for a block that was already given back.
    /// </summary>
    public static bool Release(object storage) => storage is NativeBlock block && block.Release();

    [DoesNotReturn]
    private static void ThrowNoAddress(object storage) =>
        throw new InvalidOperationException($"A kernel of the processor was given {storage.GetType().Name}, memory that it cannot reach.");
}
