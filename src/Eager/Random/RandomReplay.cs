using Fusion.Kernels;

namespace Fusion;

/// <summary>Where a thread stands that takes the draws of earlier work again. Beyond them it draws from the stream of the process.</summary>
internal sealed class RandomReplay
{
    private readonly RandomDraws _draws;
    private (int Part, ulong Used) _at;
    private (int Part, ulong Used) _before;
    private RandomDraws? _moved;

    private RandomReplay(RandomDraws draws, (int, ulong) at) => (_draws, _at) = (draws, at);

    private IReadOnlyList<(RandomOrigin First, ulong Blocks)> Parts => (_moved ?? _draws).Taken;

    /// <summary>The next draw; null beyond the last one.</summary>
    public RandomState? Place
    {
        get
        {
            if (_at.Part >= Parts.Count) return null;
            RandomOrigin first = Parts[_at.Part].First;
            return new RandomState(first.Key, unchecked(first.Block + _at.Used));
        }
    }

    /// <summary>From the beginning.</summary>
    public static RandomReplay Of(RandomDraws draws) => new(draws, default);

    /// <summary>What this thread would draw next, and nobody takes: of an earlier work first, then of the stream of the process as it stands now.</summary>
    public static RandomReplay Ahead(ExecutionState state) =>
        state.Replay is { Place: not null } replay ? new RandomReplay(replay._draws, replay._at) { _moved = replay._moved } : Of(RandomDraws.From(Nd.Random.Place));

    /// <summary>Takes the next blocks; null beyond the last one.</summary>
    public RandomOrigin? Take(ulong blocks)
    {
        _before = _at;
        if (Place is not { } place) return null;

        // What is one draw here may have been several: it ends in the part where the last of them did.
        _at.Used += blocks;
        while (_at.Part < Parts.Count && _at.Used >= Parts[_at.Part].Blocks) _at = (_at.Part + 1, _at.Used - Parts[_at.Part].Blocks);
        if (_at.Part == Parts.Count) _at.Used = 0;
        return new RandomOrigin(place.Seed, place.Block);
    }

    /// <summary>Takes the last <see cref="Take"/> back.</summary>
    public void Return() => _at = _before;

    /// <summary>The work sets the place itself.</summary>
    public void MoveTo(RandomState place) => (_moved, _at) = (RandomDraws.From(place), default);

    /// <summary>Draws of this thread take from here, and are noted nowhere, until the scope ends.</summary>
    public Scope Enter(ExecutionState state) => new(state, this);

    /// <summary>See <see cref="Enter"/>.</summary>
    public readonly ref struct Scope
    {
        private readonly ExecutionState _state;
        private readonly RandomReplay? _replay;
        private readonly RandomDraws? _draws;

        public Scope(ExecutionState state, RandomReplay replay)
        {
            (_state, _replay, _draws) = (state, state.Replay, state.Draws);
            (state.Replay, state.Draws) = (replay, null);
        }

        public void Dispose() => (_state.Replay, _state.Draws) = (_replay, _draws);
    }
}
