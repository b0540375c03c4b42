using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Fusion.Kernels;

/// <summary>
/// A cache of what was asked for of late. Entries are in two generations: when the young one is full it becomes the old one, whose entries are dropped unless they were
/// asked for again. So between one and two times its size are kept, and looking up takes no lock.
/// </summary>
/// <param name="size">Entries of a generation.</param>
internal sealed class RecentCache<TKey, TValue>(int size)
    where TKey : notnull
{
    private readonly Lock _lock = new();
    private ConcurrentDictionary<TKey, TValue> _young = new(), _old = new();
    private int _added;

    /// <summary>The entry, if there is one: it has been asked for.</summary>
    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        ConcurrentDictionary<TKey, TValue> young = Volatile.Read(ref _young);
        if (young.TryGetValue(key, out value)) return true;
        if (!Volatile.Read(ref _old).TryGetValue(key, out value)) return false;
        value = Add(young, key, value);
        return true;
    }

    /// <summary>The entry, made now if there is none. Threads that ask at the same time may each make one; all get the same.</summary>
    public TValue GetOrAdd(TKey key, Func<TKey, TValue> make) =>
        TryGet(key, out TValue? value) ? value : Add(Volatile.Read(ref _young), key, make(key));

    private TValue Add(ConcurrentDictionary<TKey, TValue> young, TKey key, TValue value)
    {
        value = young.GetOrAdd(key, value);
        if (Interlocked.Increment(ref _added) >= size) Age(young);
        return value;
    }

    private void Age(ConcurrentDictionary<TKey, TValue> full)
    {
        lock (_lock)
        {
            if (!ReferenceEquals(full, _young)) return;
            Volatile.Write(ref _old, full);
            Volatile.Write(ref _young, new());
            _added = 0;
        }
    }
}
