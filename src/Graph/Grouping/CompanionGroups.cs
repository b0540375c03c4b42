namespace Fusion;

/// <summary>Launches of the processor that compute an operator and the one that makes an input of it: see <see cref="Op.Companion"/>.</summary>
internal static class CompanionGroups
{
    public static void Place(GraphFunction function, GroupGraph graph)
    {
        foreach (OpNode node in function.Operators)
        {
            if (MakerOf(node, function.Leaves) is not { } maker || graph.TryGetHome(maker, out _)) continue;
            PlanGroup group = new(node.Shape, node.DType) { Kind = GroupKind.Library, Reason = "computed by the library, in one pass over memory" };
            group.Members.AddRange([maker, node]);
            graph.Place(group);
        }
    }

    private static OpNode? MakerOf(OpNode node, HashSet<GraphNode> leaves)
    {
        if (node.Op.Companion is not { } rule || node.Inputs[rule.Input] is not OpNode maker || leaves.Contains(maker)) return null;
        if (!ReferenceEquals(maker.Op, rule.Maker()) || !(maker.Attributes is null || maker.Attributes.Equals(node.Attributes))) return null;
        if (!node.DType.IsFloat || node.DType.IsHalf) return null;
        for (int i = 0; i < rule.Operands.Length; i++)
            if (!ReferenceEquals(maker.Inputs[i], node.Inputs[rule.Operands[i]])) return null;

        // No operand comes later than what is made: there is no way from that through somebody else.
        for (int i = 0; i < node.Inputs.Length; i++)
            if (i != rule.Input && Placement.Root(node.Inputs[i], leaves) is OpNode root && !leaves.Contains(root) && root.Id >= maker.Id) return null;
        return maker;
    }
}
