using Fusion.Kernels;

namespace Fusion;

/// <summary>The flags of one thread. Both are off and nothing is traced on a new thread.</summary>
internal sealed class ExecutionState
{
    [ThreadStatic]
    private static ExecutionState? t_current;

    public bool Recording;
    public bool Training;

    public ScopeStack Scopes { get; } = new();

    /// <summary>The innermost running custom function and what it has saved in this call.</summary>
    public (Autograd.Function? Function, IReadOnlyList<NDArray> Saved) Call = (null, []);

    /// <summary>Set while a function is traced: operators become graph nodes and compute nothing.</summary>
    public Tracer? Tracer;

    /// <summary>Set while calls are repeated that a node stands for: their places on the tape.</summary>
    public SequenceRange? Sequences;

    /// <summary>Set while a checkpoint is computed again: what its first run has written (running statistics) is not written twice.</summary>
    public bool Repeats;

    /// <summary>Set while a plan runs a library kernel: where its temporary copies come from.</summary>
    public IScratch? Scratch;

    /// <summary>Set while a plan runs a random draw: the place in the stream that belongs to it.</summary>
    public RandomOrigin? Drawn;

    /// <summary>Where the draws of the innermost work are noted that may be done again.</summary>
    public RandomDraws? Draws;

    /// <summary>Set while work is done again: it takes the numbers that it took.</summary>
    public RandomReplay? Replay;

    /// <summary>Set while work is done again: it goes the ways that it went.</summary>
    public KnownWays? Ways;

    /// <summary>Where the ways of the innermost work are noted that may be done again.</summary>
    public List<bool>? TakenWays;

    /// <summary>See <see cref="Fusion.Temporaries"/>: open scopes, and what was made in them.</summary>
    public int TemporaryScopes;

    public List<NDArray> Temporaries { get; } = [];

    public static ExecutionState Current => t_current ??= new ExecutionState();
}
