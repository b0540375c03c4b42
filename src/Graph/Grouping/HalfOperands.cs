namespace Fusion;

/// <summary>
/// Conversions between half precision and Float32 at the border of kernels. A kernel reads and writes numbers of two bytes as well as of four, so a
/// conversion that only kernels read, or that stores what a kernel computes, is no launch: memory is passed over once, and half as many bytes of it.
/// </summary>
internal static class HalfOperands
{
    /// <param name="order">The launches in order; those that become part of others are taken out.</param>
    /// <param name="function">The function.</param>
    public static void Absorb(List<PlanGroup> order, GraphFunction function)
    {
        if (!order.Exists(IsConversion)) return;
        Dictionary<GraphNode, PlanGroup> home = [];
        foreach (PlanGroup group in order)
            foreach (OpNode member in group.Members) home.Add(member, group);
        ILookup<GraphNode, OpNode> users = function.Operators.SelectMany(static n => n.Inputs, static (n, input) => (n, input)).ToLookup(static p => p.input, static p => p.n);
        HashSet<GraphNode> required = [.. function.Outputs];
        order.RemoveAll(group => IsConversion(group) && (Stores(group.Members[0]) || IsOnlyRead(group.Members[0])));

        // The result of a kernel, rounded as it is written.
        bool Stores(OpNode conversion)
        {
            if (!conversion.DType.IsHalf || !home.TryGetValue(conversion.Inputs[0], out PlanGroup? kernel) || !IsKernel(kernel)) return false;
            if (kernel.Members.Count(m => required.Contains(m) || users[m].Any(u => !kernel.Members.Contains(u))) >= Grouper.MaxOutputs) return false;
            kernel.Absorb(conversion);
            return true;
        }

        // An operand of kernels, widened as it is read: by each of them anew.
        bool IsOnlyRead(OpNode conversion)
        {
            if (conversion.DType.IsHalf || required.Contains(conversion) || !users[conversion].All(u => IsKernel(home[u]))) return false;
            foreach (PlanGroup kernel in users[conversion].Select(u => home[u]).Distinct()) kernel.Absorb(conversion);
            return true;
        }
    }

    private static bool IsKernel(PlanGroup group) => group is { Kind: GroupKind.Elementwise, Parts.Count: 0, LaneType: DType.Float32 };

    private static bool IsConversion(PlanGroup group) =>
        group is { Kind: GroupKind.Library, Members: [{ Op.Name: "Cast" } cast] } &&
        (cast.DType.IsHalf ? cast.Inputs[0].DType == DType.Float32 : cast.DType == DType.Float32 && cast.Inputs[0].DType.IsHalf);
}
