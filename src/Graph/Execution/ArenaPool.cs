using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// The arenas of a function: nothing in them outlives a call, so that plans for different shapes, and forward and backward, take turns with one. A plan that finds its
/// arena in use, by a call on another thread, takes another.
/// </summary>
internal sealed class ArenaPool
{
    // A larger one than the largest so far is larger by so much: sizes that grow from call to call make few.
    private const double Growth = 1.5;

    // What no plan has any more is forgotten.
    private readonly List<WeakReference<Arena>> _arenas = [];

    /// <summary>What all arenas take that a plan has.</summary>
    public long Bytes
    {
        get
        {
            lock (_arenas) return _arenas.Sum(static a => a.TryGetTarget(out Arena? arena) ? arena.Bytes : 0);
        }
    }

    /// <summary>An arena that nobody uses now. Smaller ones that nobody uses are given back when a larger one is made: their plans find that one.</summary>
    /// <param name="bytes">Its least size.</param>
    public Arena Find(long bytes)
    {
        lock (_arenas)
        {
            long largest = 0;
            foreach (WeakReference<Arena> reference in _arenas)
            {
                if (!reference.TryGetTarget(out Arena? arena)) continue;
                if (arena.Bytes >= bytes && !arena.IsTaken) return arena;
                largest = Math.Max(largest, arena.Bytes);
            }

            Arena made = new(bytes > largest ? Math.Max(bytes, (long)(Growth * largest)) : bytes);
            _arenas.RemoveAll(a => !a.TryGetTarget(out Arena? arena) || (arena.Bytes < made.Bytes && arena.TryRetire()));
            _arenas.Add(new WeakReference<Arena>(made));
            return made;
        }
    }
}

/// <summary>Memory for what lives during a call.</summary>
/// <param name="bytes">Its size.</param>
internal sealed class Arena(long bytes)
{
    private const int Free = 0;
    private const int Taken = 1;
    private const int Retired = 2;

    private int _use;

    public object Storage { get; } = MemoryPool.Allocate(bytes);

    public long Bytes => bytes;

    /// <summary>A call is using it, or it has been given back.</summary>
    public bool IsTaken => Volatile.Read(ref _use) != Free;

    /// <summary>Takes it for a call; false: it is in use, or has been given back.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref _use, Taken, Free) == Free;

    /// <summary>The call is over.</summary>
    public void Leave() => Volatile.Write(ref _use, Free);

    /// <summary>Gives its memory back for good; false: a call is using it.</summary>
    public bool TryRetire()
    {
        if (Interlocked.CompareExchange(ref _use, Retired, Free) != Free) return false;
        MemoryPool.Release(Storage);
        return true;
    }
}
