namespace Fusion;

/// <summary>A kernel of the library that computes an operator and the one that makes an input of it.</summary>
internal sealed class CompanionStep : PlanStep
{
    private readonly OpNode _node;
    private readonly CompanionRule _rule;

    public CompanionStep(PlanGroup group)
        : base(group, [.. group.Members[1].Inputs.Where(i => !ReferenceEquals(i, group.Members[0]))], [group.Members[1], group.Members[0]])
    {
        _node = group.Members[1];
        _rule = _node.Op.Companion!;
    }

    public override bool CannotFail => Group.Members.TrueForAll(static m => m.Op.IsTotal);

    public override bool CanOverwrite(GraphNode old, OpNode output, HashSet<GraphNode> leaves) =>
        CannotFail && Array.TrueForAll(Inputs, i => !ReferenceEquals(Placement.Root(i, leaves), old));

    public override void Run(ReadOnlySpan<NDArray> inputs, Span<NDArray> outputs) => _rule.Run(inputs, _node.Attributes, outputs);
}
