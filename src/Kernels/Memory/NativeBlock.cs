namespace Fusion.Kernels;

/// <summary>
/// The owner of one piece of pooled native memory, 64-byte aligned. The memory goes back to the pool exactly once: by <see cref="Release"/>,
/// or by the finalizer when nobody can reach the owner.
/// </summary>
internal sealed class NativeBlock
{
    private nint _pointer;

    public NativeBlock(long bytes)
    {
        Capacity = BlockCache.RoundUp(bytes);
        _pointer = BlockCache.Rent(Capacity, bytes);
    }

    ~NativeBlock() => Return();

    /// <summary>The first byte; 0 once released.</summary>
    public nint Pointer => _pointer;

    /// <summary>Usable bytes; <see cref="MemoryPool.Slack"/> more follow.</summary>
    public long Capacity { get; private set; }

    /// <summary>Gives the memory back now; false if that has happened before.</summary>
    public bool Release()
    {
        if (!Return()) return false;
#pragma warning disable CA1816 // early release is not Dispose: owners need not call it
        GC.SuppressFinalize(this);
#pragma warning restore CA1816
        return true;
    }

    private bool Return()
    {
        nint pointer = Interlocked.Exchange(ref _pointer, 0);
        if (pointer == 0) return false; // also when the constructor threw
        BlockCache.Return(pointer, Capacity);
        Capacity = 0;
        return true;
    }
}
