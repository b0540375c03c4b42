using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// What operators make on the way to one result of the library's own, such as a gradient or a loss: when the result is there, nobody can reach them, and
/// their memory goes back at once, still in the cache, instead of when the garbage collector finds it. Only arrays in native memory are worth it.
/// </summary>
/// <remarks>
/// What the tape has saved stays, and so does what shares its storage with another array. While recording, what has no history stays, too: it may be the
/// constant operand of a node, which holds it. No code of users may run inside: it could keep what it sees.
/// Scopes nest; the result of an inner one is a temporary of the outer one.
/// </remarks>
internal readonly ref struct Temporaries
{
    private readonly ExecutionState _state;
    private readonly int _start;

    private Temporaries(ExecutionState state)
    {
        _state = state;
        _start = state.Temporaries.Count;
        state.TemporaryScopes++;
    }

    /// <summary>From here on results of operators on this thread are remembered; while a function is traced there are none.</summary>
    public static Temporaries Collect() => new(ExecutionState.Current);

    /// <summary>Called for every new array by the dispatcher. A trace may keep what is computed while it is made.</summary>
    public static void Add(ExecutionState state, NDArray made)
    {
        if (state.Tracer is null && made.Storage is (NativeBlock or DeviceBlock)) state.Temporaries.Add(made);
    }

    /// <summary>Gives back all but the result, and but what its caller will give back.</summary>
    public NDArray Keep(NDArray result, NDArray? also = null)
    {
        List<NDArray> made = _state.Temporaries;
        bool isOurs = false;
        for (int i = _start; i < made.Count; i++)
        {
            if (ReferenceEquals(made[i], result)) isOurs = true;
            else if (!ReferenceEquals(made[i], also) && (!_state.Recording || made[i].Source is not null)) made[i].ReleaseIfUnshared();
        }

        made.RemoveRange(_start, made.Count - _start);
        if (isOurs && _state.TemporaryScopes > 1) made.Add(result);
        return result;
    }

    /// <summary>The end of the scope; what was not given back by then is left to the garbage collector.</summary>
    public void Dispose()
    {
        if (--_state.TemporaryScopes == 0) _state.Temporaries.Clear();
    }
}
