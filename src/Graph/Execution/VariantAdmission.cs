namespace Fusion;

/// <summary>
/// Which calls deserve a variant. A plan costs as much as some eager calls, and pays only if calls follow that use it before others take its place. A function that
/// is called for many more shapes than it may keep drops most plans unused: from then on a shape gets one when it comes again soon; its first call runs eagerly.
/// (Caches that admit at the second sight: Einziger, Friedman and Manes, "TinyLFU: A Highly Efficient Cache Admission Policy", ACM Transactions on Storage 13, 2017.)
/// </summary>
/// <param name="capacity">Variants that are kept.</param>
internal sealed class VariantAdmission(int capacity)
{
    // A plan of a small training step costs what four or five eager calls cost, and each call that uses it saves about half of one.
    private const int Worth = 8;

    private readonly Lock _lock = new();
    private readonly HybridSignature?[] _recent = new HybridSignature?[Math.Max(capacity, 16)];
    private int _next;
    private int _dropped;
    private long _hitsBefore;
    private volatile bool _isSelective;
    private long _refused;

    /// <summary>Dropped variants after which is decided anew.</summary>
    private int Window => 2 * _recent.Length;

    /// <summary>Calls that ran eagerly.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>A variant makes room for that of another shape (or mode; not for that of another way through the function, which no shape decides).</summary>
    /// <param name="hits">Calls so far that found their variant.</param>
    /// <returns>Whether plans are made for fewer calls from now on, for the first time.</returns>
    public bool Drop(long hits)
    {
        lock (_lock)
        {
            if (++_dropped < Window) return false;
            bool first = !_isSelective && Refused == 0;
            _isSelective = hits - _hitsBefore < Worth * Window;
            (_dropped, _hitsBefore) = (0, hits);
            return first && _isSelective;
        }
    }

    /// <summary>Whether a call without a variant shall have one.</summary>
    public bool Admits(ReadOnlySpan<NDArray> inputs, ExecutionState state)
    {
        if (!_isSelective) return true;
        lock (_lock)
        {
            foreach (HybridSignature? signature in _recent)
                if (signature?.Matches(inputs, state) == true) return true;
            _recent[_next] = HybridSignature.Of(inputs, state);
            _next = (_next + 1) % _recent.Length;
        }

        Interlocked.Increment(ref _refused);
        return false;
    }

    /// <summary>As in the beginning.</summary>
    /// <param name="hits">Calls so far that found their variant.</param>
    public void Clear(long hits)
    {
        lock (_lock)
        {
            Array.Clear(_recent);
            (_dropped, _hitsBefore, _isSelective) = (0, hits, false);
        }
    }
}
