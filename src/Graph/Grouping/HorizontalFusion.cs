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

        Dictionary<PlanStep, PlanStep?> merged = [];
        foreach (Batch batch in batches)
        {
            if (batch.Members.Count == 1) continue;
            foreach (PlanStep member in batch.Members) merged.Add(member, null);
            merged[batch.Members[^1]] = Merge(batch.Members);
        }

        if (merged.Count == 0) return;
        Dictionary<PlanGroup, PlanGroup?> mergedGroups = merged.ToDictionary(static m => m.Key.Group, static m => m.Value?.Group);
        Replace(steps, merged);
        Replace(groups, mergedGroups);
    }

    private static void Replace<T>(List<T> items, Dictionary<T, T?> replacements)
        where T : class
    {
        T[] kept = [.. items.Select(i => replacements.GetValueOrDefault(i, i)).OfType<T>()];
        items.Clear();
        items.AddRange(kept);
    }

    private static PlanStep Merge(List<PlanStep> members)
    {
        PlanGroup first = members[0].Group;
        PlanGroup merged = new(first.Shape, first.LaneType) { Kind = first.Kind, Reason = $"the same kernel for {members.Count} tensors" };
        merged.Members.AddRange(members.SelectMany(static m => m.Group.Members).Distinct().OrderBy(static n => n.Id));
        return members[0] is NormsStep ? new NormsStep(merged, [.. members.Cast<NormsStep>()]) : new ManyTensorStep(merged, [.. members.Cast<FusedStep>()]);
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
