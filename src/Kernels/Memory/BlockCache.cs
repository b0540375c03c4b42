using System.Numerics;
using System.Runtime.InteropServices;

namespace Fusion.Kernels;

/// <summary>
/// Free native blocks by size. Sizes have eight steps per power of two, so at most 12.5 % of a block is unused, and powers of two are exact.
/// Each size keeps a stack linked through the free memory itself; the most recently freed, still cached block is used first. Where a stack is empty, a block of
/// up to twice the size does, so that a program whose sizes differ every time does not gather blocks of all of them.
/// </summary>
internal static unsafe class BlockCache
{
    private const int Steps = 8;
    private const int MinLog2 = 12;
    private const int MaxLog2 = 47; // what a user address space holds

    // Blocks begin at the places of a page, large ones, which the system hands out by pages, at all of them in turn.
    private const long LeastSpread = 64 * 1024;
    private const uint Turn = 3;

    private const int LargerSizes = Steps; // up to twice as large

    // What may lie unused when a fresh block is made: twice what arrays ever held, so that functions called in turn do not take each other's blocks away, but no less than this.
    private const long LeastIdleLimit = 64L << 20;

    private static readonly Bucket[] s_buckets = CreateBuckets();
    private static readonly long s_idleLimit = Math.Max(256L << 20, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4);
    private static long s_idle;
    private static uint s_place;

    /// <summary>Bytes that lie unused in the cache.</summary>
    public static long IdleBytes => Volatile.Read(ref s_idle);

    /// <summary>The size of the block that a request gets.</summary>
    public static long RoundUp(long bytes)
    {
        if (bytes <= 1L << MinLog2) return 1L << MinLog2;
        if (bytes > 1L << MaxLog2) throw OutOfMemory(bytes, null);
        int shift = BitOperations.Log2((ulong)(bytes - 1)) - 3;
        return (((bytes - 1) >> shift) + 1) << shift;
    }

    /// <summary>A block for so many bytes.</summary>
    /// <param name="capacity">What is needed, as <see cref="RoundUp"/> gave it.</param>
    /// <param name="requested">For messages: what was asked for.</param>
    /// <param name="size">What the block has, to be named when it is returned.</param>
    public static nint Rent(long capacity, long requested, out long size)
    {
        int index = Index(size = capacity);
        Bucket bucket = s_buckets[index];
        CollectionTrigger.CollectIfDue(fresh: false);
        nint block = Pop(bucket);
        if (block == 0)
        {
            BlockOwners.Reclaim();
            block = Pop(bucket);
        }
        if (block == 0) block = PopLarger(index, ref size);
        if (block == 0)
        {
            CollectionTrigger.CollectIfDue(fresh: true);
            block = Pop(bucket);
            if (block == 0) block = PopLarger(index, ref size);
        }
        if (block == 0) block = AllocateFresh(capacity, requested);
        MemoryCounters.Add(capacity);
        return block;
    }

    /// <summary>Takes a block back that was rented with this capacity and has this size; any thread.</summary>
    public static void Return(nint block, long capacity, long size)
    {
        MemoryCounters.Remove(capacity);
        if (Interlocked.Add(ref s_idle, size) > s_idleLimit)
        {
            Interlocked.Add(ref s_idle, -size);
            Free(block, size);
            return;
        }
        Bucket bucket = s_buckets[Index(size)];
        lock (bucket)
        {
            *(nint*)block = bucket.Head;
            bucket.Head = block;
            bucket.Idle++;
        }
        CacheTrimmer.Start();
    }

    /// <summary>Gives blocks back to the system: all, or those that no one needed since the last call.</summary>
    public static void Trim(bool all)
    {
        bool gave = false;
        foreach (Bucket bucket in s_buckets)
        {
            if (Volatile.Read(ref bucket.Idle) == 0) continue;
            lock (bucket)
            {
                for (int count = all ? bucket.Idle : bucket.LeastIdle; count > 0; count--)
                {
                    nint block = Unlink(bucket);
                    Interlocked.Add(ref s_idle, -bucket.Size);
                    Free(block, bucket.Size);
                    gave = true;
                }
                bucket.LeastIdle = bucket.Idle;
            }
        }
        if (gave) CollectionTrigger.StartAgain();
    }

    // Largest first: the fewest blocks make the room.
    private static void TrimFor(long bytes)
    {
        long limit = Math.Max(LeastIdleLimit, 2 * MemoryCounters.Peak);
        for (int i = s_buckets.Length - 1; i >= 0 && IdleBytes + bytes > limit; i--)
            while (IdleBytes + bytes > limit && Pop(s_buckets[i]) is not 0 and var block) Free(block, s_buckets[i].Size);
    }

    private static nint Pop(Bucket bucket)
    {
        if (Volatile.Read(ref bucket.Idle) == 0) return 0;
        nint block;
        lock (bucket) block = Unlink(bucket);
        if (block != 0) Interlocked.Add(ref s_idle, -bucket.Size);
        return block;
    }

    // The closest of the larger sizes.
    private static nint PopLarger(int index, ref long size)
    {
        nint block = 0;
        for (int i = index + 1; block == 0 && i <= index + LargerSizes && i < s_buckets.Length; i++)
        {
            block = Pop(s_buckets[i]);
            if (block != 0) size = s_buckets[i].Size;
        }
        return block;
    }

    private static nint Unlink(Bucket bucket)
    {
        nint block = bucket.Head;
        if (block == 0) return 0;
        bucket.Head = *(nint*)block;
        bucket.LeastIdle = Math.Min(bucket.LeastIdle, --bucket.Idle);
        return block;
    }

    private static nint AllocateFresh(long capacity, long requested)
    {
        TrimFor(capacity);
        CacheTrimmer.Start();
        try
        {
            return Take(capacity);
        }
        catch (OutOfMemoryException)
        {
            CollectionTrigger.CollectEverything();
            Trim(all: true);
        }
        try
        {
            return Take(capacity);
        }
        catch (OutOfMemoryException e)
        {
            throw OutOfMemory(requested, e);
        }
    }

    private static nint Take(long capacity)
    {
        nuint size = checked((nuint)capacity + MemoryPool.Slack);
        if (capacity < LeastSpread) return (nint)NativeMemory.AlignedAlloc(size, PagePlaces.Distance);
        nint place = (nint)(Interlocked.Increment(ref s_place) * Turn % PagePlaces.Count * PagePlaces.Distance);
        return (nint)NativeMemory.AlignedAlloc(size + PagePlaces.Page, PagePlaces.Page) + place;
    }

    private static void Free(nint block, long capacity) => NativeMemory.AlignedFree((void*)(capacity < LeastSpread ? block : block & ~(PagePlaces.Page - 1)));

    private static InsufficientMemoryException OutOfMemory(long bytes, Exception? cause) => new(
        $"An array of {bytes:N0} bytes does not fit into memory; arrays hold {MemoryCounters.Live:N0} bytes at present. "
        + "Use a smaller batch, another element type, or drop references to arrays that are not needed.", cause);

    private static int Index(long capacity)
    {
        int log2 = BitOperations.Log2((ulong)capacity);
        return ((log2 - MinLog2) * Steps) + (int)((capacity >> (log2 - 3)) & (Steps - 1));
    }

    private static Bucket[] CreateBuckets()
    {
        var buckets = new Bucket[((MaxLog2 - MinLog2) * Steps) + 1];
        for (int i = 0; i < buckets.Length; i++) buckets[i] = new Bucket((long)(Steps + (i % Steps)) << (MinLog2 - 3 + (i / Steps)));
        return buckets;
    }

    /// <summary>The free blocks of one size; also their lock.</summary>
    private sealed class Bucket(long size)
    {
        public readonly long Size = size;
        public nint Head;
        public int Idle;

        /// <summary>The smallest <see cref="Idle"/> since the last trim: so many blocks nobody needed.</summary>
        public int LeastIdle;
    }
}
