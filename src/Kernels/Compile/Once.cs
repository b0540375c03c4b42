namespace Fusion.Kernels;

/// <summary>
/// Makes a value when it is asked for the first time, once for all threads. Unlike <see cref="Lazy{T}"/> it keeps no failure: what there was no memory or no stack for may
/// be made the next time.
/// </summary>
internal sealed class Once<T>(Func<T> make)
{
    private readonly Lock _lock = new();
    private T _value = default!;
    private volatile bool _isMade;

    public bool IsMade => _isMade;

    public T Value => _isMade ? _value : Make();

    private T Make()
    {
        lock (_lock)
        {
            if (_isMade) return _value;
            _value = make();
            _isMade = true;
            return _value;
        }
    }
}
