namespace Fusion;

/// <summary>
/// Restores the recording and training flags of the thread when disposed, also when an exception leaves the <c>using</c> block. A ref struct:
/// an <c>await</c> inside the block, which could continue on another thread, does not compile.
/// </summary>
/// <remarks>
/// Scopes are nested. Ending one ends all that were opened in it and not ended: the flags are those from before the outer one, and an inner one that
/// is disposed afterwards, or a second time, changes nothing.
/// </remarks>
public readonly ref struct RecordScope
{
    private readonly ExecutionState? _state;
    private readonly bool _recording;
    private readonly bool _training;
    private readonly int _depth;
    private readonly long _number;

    internal RecordScope(bool? recording, bool? training)
    {
        _state = ExecutionState.Current;
        _recording = _state.Recording;
        _training = _state.Training;
        (_depth, _number) = _state.Scopes.Open();
        _state.Recording = recording ?? _recording;
        _state.Training = training ?? _training;
    }

    /// <summary>Restores both flags, unless this scope or one around it has ended.</summary>
    public void Dispose()
    {
        if (_state is null || !_state.Scopes.End(_depth, _number)) return;
        _state.Recording = _recording;
        _state.Training = _training;
    }
}
