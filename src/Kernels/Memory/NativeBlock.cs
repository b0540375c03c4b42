namespace Fusion.Kernels;

/// <summary>
/// The owner of one piece of pooled native memory, 512-byte aligned. The memory goes back to the pool exactly once: by <see cref="Release"/>,
/// or when nobody can reach the owner (see <see cref="BlockOwners"/>).
/// </summary>
internal sealed class NativeBlock
{
    private BlockLease? _lease;
    private nint _pointer;

    public NativeBlock(long bytes)
    {
        Capacity = BlockCache.RoundUp(bytes);
        _pointer = BlockCache.Rent(Capacity, bytes, out long size);
        _lease = BlockOwners.Add(this, NativeHome.Instance, null, _pointer, Capacity, size);
    }

    /// <summary>The first byte; 0 once released.</summary>
    public nint Pointer => _pointer;

    /// <summary>Usable bytes; <see cref="MemoryPool.Slack"/> more follow.</summary>
    public long Capacity { get; private set; }

    /// <summary>Gives the memory back now; false if that has happened before.</summary>
    public bool Release()
    {
        if (Interlocked.Exchange(ref _lease, null) is not { } lease) return false;
        (nint pointer, long capacity, long size) = (_pointer, Capacity, lease.Size);
        (_pointer, Capacity) = (0, 0);
        BlockOwners.Remove(lease);
        BlockCache.Return(pointer, capacity, size);
        GC.KeepAlive(this); // until its memory cannot be taken for that of a dead owner
        return true;
    }

    private sealed class NativeHome : IBlockHome
    {
        public static readonly NativeHome Instance = new();

        public void Return(BlockLease lease) => BlockCache.Return(lease.Pointer, lease.Capacity, lease.Size);
    }
}
