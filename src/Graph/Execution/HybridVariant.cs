using Fusion.Kernels;

namespace Fusion;

/// <summary>A function compiled for one combination of types and flags.</summary>
internal sealed class HybridVariant
{
    private readonly Lock _lock = new();
    private readonly bool[]? _capturedVariable;
    private Plan? _backward;
    private List<GraphNode> _saved = [];

    public HybridVariant(HybridSignature signature, FunctionTrace trace, TraceLog? log = null)
    {
        Signature = signature;
        Trace = trace;
        Log = log;
        Captured = [.. trace.Graph.Captured];
        if (signature.Recording) _capturedVariable = [.. Captured.Select(static c => c.Array.Source is not null)];
    }

    public HybridSignature Signature { get; }

    public FunctionTrace Trace { get; }

    /// <summary>The traced calls; kept for diagnostics.</summary>
    public TraceLog? Log { get; }

    public CapturedNode[] Captured { get; }

    public Plan? Forward { get; private set; }

    public Plan? Backward => _backward;

    public bool BackwardHasRun { get; set; }

    public bool HasGradients => Trace.HasGradients && Trace.Heads.Any(static h => h is not null);

    /// <summary>The eager run that verifies has been made.</summary>
    public bool Verified { get; set; }

    /// <summary>The compiled gradients have been checked.</summary>
    public bool GradientsVerified { get; set; }

    public long LastUsed { get; set; }

    /// <summary>Vector-Jacobian products by the outputs that have a gradient: for higher orders.</summary>
    public System.Collections.Concurrent.ConcurrentDictionary<string, HybridEngine> Products { get; } = new();

    /// <summary>Compilation that goes on in the background.</summary>
    public Task? Building { get; set; }

    /// <summary>Which captured arrays carry gradients is part of the guard, since nobody passes them in.</summary>
    public bool CapturedUnchanged()
    {
        if (_capturedVariable is null) return true;
        for (int i = 0; i < Captured.Length; i++)
            if ((Captured[i].Array.Source is not null) != _capturedVariable[i]) return false;
        return true;
    }

    /// <summary>Plans and compiles forward; with gradients also decides what backward will read.</summary>
    public void Build()
    {
        lock (_lock)
        {
            if (Forward is not null) return;
            GraphFunction forward = new(Trace.Inputs, Trace.Outputs, Trace.Effects);
            GraphVerifier.Verify(forward);
            if (HasGradients)
            {
                HashSet<GraphNode> materialised = Plan.Materialised(forward, Grouper.Group(forward, KernelCompiler.IsAvailable));
                BackwardFunction = BackwardCut.Backward(Trace, materialised, out _saved);
                GraphVerifier.Verify(BackwardFunction);
                HashSet<GraphNode> read = [.. BackwardFunction.Order];
                HashSet<GraphNode> needed = [.. GraphOrder.Sort(Trace.Gradients.OfType<GraphNode>())];
                IEnumerable<GraphNode> operands = [.. Trace.Inputs, .. Captured.Where(needed.Contains)];
                Operands = [.. operands.Select(n => new BackwardOperand(n, read.Contains(n), needed.Contains(n)))];
                forward = new GraphFunction(Trace.Inputs, [.. Trace.Outputs, .. _saved], Trace.Effects);
            }

            Forward = Plan.Build(forward);
        }
    }

    public GraphFunction? BackwardFunction { get; private set; }

    /// <summary>The inputs, then the captured arrays that gradients depend on.</summary>
    public BackwardOperand[] Operands { get; private set; } = [];

    public Plan GetBackward()
    {
        lock (_lock) return _backward ??= Plan.Build(BackwardFunction!);
    }
}

/// <summary>An input or captured array of a function with gradients.</summary>
/// <param name="Node">The array in the graph.</param>
/// <param name="Read">The compiled backward reads it.</param>
/// <param name="Needed">Gradients depend on its value: what computes forward again reads it.</param>
internal readonly record struct BackwardOperand(GraphNode Node, bool Read, bool Needed);
