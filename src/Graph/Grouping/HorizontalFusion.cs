using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// Launches of the same kernel on different tensors, such as the updates of an optimizer, become one launch. A launch waits for a later one of its kind
/// until somebody reads what it writes.
/// </summary>
internal static class HorizontalFusion
{
    public static void Apply(List<PlanGroup> groups, List<PlanStep> steps, HashSet<GraphNode> leaves, PartPlacement parts)
    {
        Dictionary<object, Batch> open = [];
        Dictionary<GraphNode, Batch> writer = [];
        List<Batch> batches = [];
        for (int i = 0; i < steps.Count; i++)
        {
            foreach (GraphNode input in steps[i].Inputs)
                if (writer.TryGetValue(Placement.Root(input, leaves), out Batch? read) && open.TryGetValue(read.Key, out Batch? current) && ReferenceEquals(read, current)) open.Remove(read.Key);
            object? key = steps[i] switch
            {
                FusedStep { Draws: false } step when !parts.HasStridedOutput(step) && IsRowMajor(step, leaves) => step.Spec,
                NormsStep norm => norm.Types,
                _ => null,
            };
            if (key is null) continue;
            if (!open.TryGetValue(key, out Batch? batch))
            {
                open.Add(key, batch = new Batch(key, []));
                batches.Add(batch);
            }

            batch.Members.Add(steps[i]);
            foreach (OpNode output in steps[i].Outputs) writer.Add(output, batch);
        }

        foreach (Batch batch in batches)
            if (batch.Members.Count > 1) Merge(groups, steps, batch.Members);
    }

    private static void Merge(List<PlanGroup> groups, List<PlanStep> steps, List<PlanStep> members)
    {
        PlanGroup first = members[0].Group;
        PlanGroup merged = new(first.Shape, first.LaneType) { Kind = first.Kind, Reason = $"the same kernel for {members.Count} tensors" };
        merged.Members.AddRange(members.SelectMany(static m => m.Group.Members).Distinct().OrderBy(static n => n.Id));
        steps[steps.IndexOf(members[^1])] = members[0] is NormsStep
            ? new NormsStep(merged, [.. members.Cast<NormsStep>()])
            : new ManyTensorStep(merged, [.. members.Cast<FusedStep>()]);
        groups[groups.IndexOf(members[^1].Group)] = merged;
        foreach (PlanStep member in members)
        {
            steps.Remove(member);
            groups.Remove(member.Group);
        }
    }

    /// <summary>Every operand is one element, or as many as the launch has, in row-major order: the kernel can run on the memory as it lies.</summary>
    private static bool IsRowMajor(FusedStep step, HashSet<GraphNode> leaves)
    {
        for (int i = 0; i < step.Inputs.Length; i++)
            if ((step.ScalarMask >> i & 1) == 0 && (step.Inputs[i].Shape != step.Group.Shape || ViewLayout.Of(step.Inputs[i], leaves) is not null)) return false;
        return true;
    }

    private sealed record Batch(object Key, List<PlanStep> Members);
}
