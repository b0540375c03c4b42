using ILGPU.Runtime;

using Memory = ILGPU.Runtime.MemoryBuffer1D<byte, ILGPU.Stride1D.Dense>;

namespace Fusion.Kernels;

/// <summary>
/// Free memory of a device by size, the sizes of <see cref="BlockCache"/>. Blocks are reused in the order of the device's only stream, so nobody waits.
/// The garbage collector sees none of it, so the pool asks for collections: before it takes fresh memory from the driver, when arrays hold more than the least
/// since the last collection plus a budget: so many blocks of the size that is asked for that a collection (some 150 µs, in which nothing is
/// queued) costs about a microsecond a block, at most a sixteenth of the device's memory. Larger budgets would mean more memory taken from the driver, which
/// costs 60 µs a block and milliseconds where it is large.
/// </summary>
/// <remarks>Why collections are of generation 1 at least is written at <see cref="CollectionTrigger"/>.</remarks>
internal sealed class DevicePool(GpuDevice device) : IBlockHome
{
    private const long MinBudget = 64L << 20, MaxBudget = 8L << 30, BlocksPerCollection = 128;

    private readonly Dictionary<long, Stack<Memory>> _idle = [];

    // A buffer of ILGPU has a finalizer that frees it: without a reference from here it would run when its owner dies.
    private readonly HashSet<Memory> _all = [];
    private readonly long _mostBudget = Math.Clamp(device.Accelerator.MemorySize / 16, MinBudget, MaxBudget);
    private long _least; // the least that arrays held since the last collection
    private long _idleBytes;
    private long _liveBytes;

    /// <summary>Bytes that lie unused.</summary>
    public long IdleBytes => Volatile.Read(ref _idleBytes);

    /// <summary>Bytes that arrays hold.</summary>
    public long LiveBytes => Volatile.Read(ref _liveBytes);

    /// <summary>Memory for so many bytes and a little more, with undefined contents.</summary>
    /// <exception cref="OutOfMemoryException">The device has no more: it says how much arrays hold.</exception>
    /// <exception cref="DeviceException">The device has failed.</exception>
    public Memory Rent(long bytes)
    {
        long capacity = BlockCache.RoundUp(bytes);
        Memory? buffer = Pop(capacity);
        if (buffer is null)
        {
            BlockOwners.Reclaim(); // the program's own collections find dead arrays, too
            buffer = Pop(capacity);
        }

        if (buffer is null)
        {
            CollectIfDue(capacity);
            buffer = Pop(capacity);
        }

        buffer ??= AllocateFresh(capacity, bytes);
        Interlocked.Add(ref _liveBytes, capacity);
        return buffer;
    }

    /// <summary>Takes memory back; any thread. Does not talk to the driver.</summary>
    public void Return(Memory buffer)
    {
        lock (_idle)
        {
            long live = Interlocked.Add(ref _liveBytes, -buffer.Length);
            if (live < _least) Volatile.Write(ref _least, live);
            if (!_idle.TryGetValue(buffer.Length, out Stack<Memory>? stack)) _idle.Add(buffer.Length, stack = new());
            stack.Push(buffer);
            _idleBytes += buffer.Length;
        }
    }

    void IBlockHome.Return(BlockLease lease) => Return((Memory)lease.Memory!);

    /// <summary>Gives all idle memory back to the driver.</summary>
    public void Trim()
    {
        List<Memory> free = [];
        lock (_idle)
        {
            foreach (Stack<Memory> stack in _idle.Values) free.AddRange(stack);
            _idle.Clear();
            _all.ExceptWith(free);
            _idleBytes = 0;
        }

        if (free.Count == 0) return;
        using (device.Enter())
        {
            device.Stream.Synchronize();
            foreach (Memory buffer in free) buffer.Dispose();
        }
    }

    // The oldest generation is collected only when the younger ones did not give enough.
    private void CollectIfDue(long capacity)
    {
        long budget = Math.Clamp(BlocksPerCollection * capacity, Math.Min(_mostBudget, 256L << 20), _mostBudget), least = Volatile.Read(ref _least);
        if (LiveBytes + capacity <= least + budget) return;
        for (int generation = 1; generation <= 2; generation++)
        {
            Collect(generation);
            if (HasIdle(capacity) || LiveBytes + capacity <= least + (budget / 2)) break;
        }

        lock (_idle) Volatile.Write(ref _least, LiveBytes);
    }

    private static void Collect(int generation)
    {
        GC.Collect(generation, GCCollectionMode.Forced, blocking: true, compacting: false);
        BlockOwners.Reclaim();
    }

    private bool HasIdle(long capacity)
    {
        lock (_idle) return _idle.TryGetValue(capacity, out Stack<Memory>? stack) && stack.Count > 0;
    }

    private Memory? Pop(long capacity)
    {
        lock (_idle)
        {
            if (!_idle.TryGetValue(capacity, out Stack<Memory>? stack) || !stack.TryPop(out Memory? buffer)) return null;
            _idleBytes -= capacity;
            return buffer;
        }
    }

    private Memory AllocateFresh(long capacity, long requested)
    {
        try
        {
            return Allocate(capacity);
        }
        catch (Exception e) when (DeviceFailures.KindOf(e) == DeviceFailureKind.Memory)
        {
            Collect(2);
            Trim();
        }

        try
        {
            return Allocate(capacity);
        }
        catch (Exception e) when (DeviceFailures.KindOf(e) == DeviceFailureKind.Memory)
        {
            throw new InsufficientMemoryException(
                $"An array of {requested:N0} bytes does not fit into the memory of {device.Name}, which has {device.Accelerator.MemorySize:N0} bytes; arrays hold {LiveBytes:N0} of them. "
                + "Use a smaller batch, another element type, or drop references to arrays that are not needed.", e);
        }
    }

    private Memory Allocate(long capacity)
    {
        try
        {
            Memory buffer;
            using (device.Enter()) buffer = device.Accelerator.Allocate1D<byte>(capacity);
            lock (_idle) _all.Add(buffer);
            return buffer;
        }
        catch (Exception e) when (DeviceFailures.KindOf(e) != DeviceFailureKind.Memory && DeviceFailures.Of(e, device) is { } failure)
        {
            throw failure;
        }
    }
}
