namespace Fusion;

/// <summary>
/// Restores the recording and training flags of the thread when disposed, also when an exception leaves the <c>using</c> block. A ref struct:
/// an <c>await</c> inside the block, which could continue on another thread, does not compile.
/// </summary>
public readonly ref struct RecordScope
{
    private readonly ExecutionState? _state;
    private readonly bool _recording;
    private readonly bool _training;

    internal RecordScope(bool? recording, bool? training)
    {
        _state = ExecutionState.Current;
        _recording = _state.Recording;
        _training = _state.Training;
        _state.Recording = recording ?? _recording;
        _state.Training = training ?? _training;
    }

    /// <summary>Restores both flags.</summary>
    public void Dispose()
    {
        if (_state is null) return;
        _state.Recording = _recording;
        _state.Training = _training;
    }
}
