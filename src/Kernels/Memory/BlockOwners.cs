using System.Runtime.InteropServices;

namespace Fusion.Kernels;

/// <summary>
/// The owners of pooled blocks, held weakly. A collection clears the references to those it finds dead; the next look at the list gives their
/// memory back to the pool it came from. Finalizers would do the same, but on another thread, some ten microseconds a block later, and every dead
/// owner would survive one collection.
/// </summary>
/// <remarks>
/// Owners are listed by their generation: after a collection of generation 0 only young ones can have died. The references follow an owner through
/// resurrection, so that an array that a finalizer of the program still reaches keeps its memory.
/// </remarks>
internal static class BlockOwners
{
    private static readonly Lock s_lock = new();
    private static readonly BlockLease[] s_lists = [new(), new(), new()]; // rings, each with a head that is no lease; the newest follows the head
    private static readonly BlockLease s_unused = new();
    private static int s_seen;      // collections of any generation, when the lists were last looked through
    private static int s_seenOlder; // and those of generation 1 and 2

    /// <summary>From now on the memory goes back when the owner is dead.</summary>
    /// <param name="owner">What has to be reachable for the memory to be in use.</param>
    /// <param name="home">Where it goes back to.</param>
    /// <param name="memory">Memory of a device, or null.</param>
    /// <param name="pointer">Memory of the processor, or 0.</param>
    /// <param name="capacity">The bytes that the owner holds.</param>
    /// <param name="size">Those of the block.</param>
    public static BlockLease Add(object owner, IBlockHome home, object? memory, nint pointer, long capacity, long size)
    {
        lock (s_lock)
        {
            BlockLease lease = TakeUnused() ?? new BlockLease();
            lease.Owner.SetTarget(owner);
            (lease.Home, lease.Memory, lease.Pointer, lease.Capacity, lease.Size) = (home, memory, pointer, capacity, size);
            lease.LinkAfter(s_lists[0]);
            return lease;
        }
    }

    /// <summary>The owner gives its memory back itself.</summary>
    public static void Remove(BlockLease lease)
    {
        lock (s_lock)
        {
            lease.Owner.SetTarget(null!);
            Forget(lease);
        }
    }

    /// <summary>If there was a collection since the last call: gives back the memory of the dead.</summary>
    public static void Reclaim()
    {
        if (GC.CollectionCount(0) == Volatile.Read(ref s_seen)) return;
        lock (s_lock)
        {
            int seen = GC.CollectionCount(0), older = GC.CollectionCount(1);
            Volatile.Write(ref s_seen, seen);
            // A collection of generation 2 in the background counts before it has ended: any later one is reason enough to look again.
            for (int g = older != s_seenOlder ? 2 : 0; g >= 0; g--) Reclaim(s_lists[g], g);
            s_seenOlder = older;
        }
    }

    // From the oldest on: the newest, still in the cache, comes to lie on top of the free blocks.
    private static void Reclaim(BlockLease head, int generation)
    {
        for (BlockLease lease = head.Previous, next; lease != head; lease = next)
        {
            next = lease.Previous;
            if (lease.Owner.TryGetTarget(out object? owner))
            {
                int now = GC.GetGeneration(owner);
                if (now == generation) continue;
                lease.Unlink();
                lease.LinkAfter(s_lists[now]);
                continue;
            }

            lease.Home!.Return(lease);
            Forget(lease);
        }
    }

    private static void Forget(BlockLease lease)
    {
        lease.Memory = null;
        lease.Unlink();
        lease.LinkAfter(s_unused);
    }

    private static BlockLease? TakeUnused()
    {
        BlockLease lease = s_unused.Next;
        if (lease == s_unused) return null;
        lease.Unlink();
        return lease;
    }
}

/// <summary>A pool that blocks come from.</summary>
internal interface IBlockHome
{
    /// <summary>Takes back the block of a dead owner. <see cref="BlockOwners"/> is locked meanwhile.</summary>
    void Return(BlockLease lease);
}

/// <summary>What <see cref="BlockOwners"/> knows of one block. Used again and again, together with its weak reference.</summary>
internal sealed class BlockLease
{
    public readonly WeakGCHandle<object> Owner = new(null!, trackResurrection: true);
    public IBlockHome? Home;
    public object? Memory;
    public nint Pointer;
    public long Capacity, Size;
    public BlockLease Next, Previous;

    public BlockLease() => Next = Previous = this;

    public void LinkAfter(BlockLease place)
    {
        (Previous, Next) = (place, place.Next);
        Next.Previous = place.Next = this;
    }

    public void Unlink()
    {
        Previous.Next = Next;
        Next.Previous = Previous;
    }
}
