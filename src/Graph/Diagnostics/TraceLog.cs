namespace Fusion;

/// <summary>
/// The operator calls of a trace in order, before merging and simplification, with the user's source lines. Kept only where calls are verified, or for all
/// functions with <c>FUSION_TRACE_LINES=1</c> or <c>FUSION_DUMP</c>: a stack trace per operator makes tracing slow.
/// </summary>
internal sealed class TraceLog
{
    private static readonly bool s_always = Environment.GetEnvironmentVariable("FUSION_TRACE_LINES") == "1";

    private readonly List<TracedCall> _calls = [];

    public IReadOnlyList<TracedCall> Calls => _calls;

    /// <summary>A log for a function with these options, or null.</summary>
    public static TraceLog? For(HybridOptions options) => s_always || IrDump.IsOn || options.Verify != HybridVerify.Off ? new TraceLog() : null;

    public void Add(Op op, GraphNode[] inputs, object? attributes, GraphNode result) =>
        _calls.Add(new TracedCall(op, inputs, attributes, result, UserCode.Place()));

    /// <summary>The first call that became <paramref name="node"/>, as text.</summary>
    public string Describe(GraphNode node) => Find(node)?.ToString() ?? (node is OpNode op ? op.Op.Name : node.ToString());

    /// <summary>The first call that became <paramref name="node"/>.</summary>
    public TracedCall? Find(GraphNode node) => _calls.Find(call => ReferenceEquals(call.Result, node));
}

/// <summary>One operator call of the traced function.</summary>
internal sealed record TracedCall(Op Op, GraphNode[] Inputs, object? Attributes, GraphNode Result, string? Line)
{
    public override string ToString() => Line is null ? Op.Name : $"{Op.Name} {Line}";
}
