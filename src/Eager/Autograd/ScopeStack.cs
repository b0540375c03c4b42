namespace Fusion;

/// <summary>The scopes of a thread that are open, outermost first, by numbers that are never given twice. Nothing is allocated once it is as deep as the program's scopes.</summary>
internal sealed class ScopeStack
{
    private long[] _open = new long[8];
    private int _depth;
    private long _last;

    public (int Depth, long Number) Open()
    {
        if (_depth == _open.Length) Array.Resize(ref _open, _depth * 2);
        _open[_depth] = ++_last;
        return (_depth++, _last);
    }

    /// <summary>Ends the scope and those that were opened in it; false if it has ended already.</summary>
    public bool End(int depth, long number)
    {
        if (depth >= _depth || _open[depth] != number) return false;
        _depth = depth;
        return true;
    }
}
