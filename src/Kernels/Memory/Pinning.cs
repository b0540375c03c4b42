using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>What runs while storages are held in place.</summary>
internal interface IPinnedAction
{
    void Invoke();
}

/// <summary>Holds any number of storages of <see cref="MemoryPool"/> in place and alive for the length of a kernel.</summary>
internal static unsafe class Pinning
{
    /// <summary>
    /// Writes the address of each storage's first byte to <paramref name="pointers"/> and invokes <paramref name="action"/>, which sees them
    /// valid; they are not valid afterwards. No storage is finalized meanwhile.
    /// </summary>
    public static void Run<TAction>(ReadOnlySpan<object> storages, Span<nint> pointers, ref TAction action)
        where TAction : struct, IPinnedAction, allows ref struct
    {
        Debug.Assert(pointers.Length >= storages.Length);
        Pin(storages, pointers[..storages.Length], ref action);
        // A pinned pointer into native memory keeps nothing alive; its owner has to be named.
        foreach (object storage in storages) GC.KeepAlive(storage);
    }

    // A pinned local holds one object, so recursion makes as many as there are; four a level.
    private static void Pin<TAction>(ReadOnlySpan<object> storages, Span<nint> pointers, ref TAction action)
        where TAction : struct, IPinnedAction, allows ref struct
    {
        switch (storages.Length)
        {
            case 0:
                action.Invoke();
                return;
            case 1:
                fixed (byte* a = &MemoryPool.Reference(storages[0]))
                {
                    pointers[0] = (nint)a;
                    action.Invoke();
                }
                return;
            case 2:
                fixed (byte* a = &MemoryPool.Reference(storages[0]), b = &MemoryPool.Reference(storages[1]))
                {
                    pointers[0] = (nint)a;
                    pointers[1] = (nint)b;
                    action.Invoke();
                }
                return;
            case 3:
                fixed (byte* a = &MemoryPool.Reference(storages[0]), b = &MemoryPool.Reference(storages[1]), c = &MemoryPool.Reference(storages[2]))
                {
                    pointers[0] = (nint)a;
                    pointers[1] = (nint)b;
                    pointers[2] = (nint)c;
                    action.Invoke();
                }
                return;
            default:
                PinFour(storages, pointers, ref action);
                return;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void PinFour<TAction>(ReadOnlySpan<object> storages, Span<nint> pointers, ref TAction action)
        where TAction : struct, IPinnedAction, allows ref struct
    {
        fixed (byte* a = &MemoryPool.Reference(storages[0]), b = &MemoryPool.Reference(storages[1]),
            c = &MemoryPool.Reference(storages[2]), d = &MemoryPool.Reference(storages[3]))
        {
            pointers[0] = (nint)a;
            pointers[1] = (nint)b;
            pointers[2] = (nint)c;
            pointers[3] = (nint)d;
            Pin(storages[4..], pointers[4..], ref action);
        }
    }
}
