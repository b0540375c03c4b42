using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// What a launch has to do at least, by the plan: bytes of the arrays that it reads and writes, once each, and its arithmetic. An array that is read through
/// a view counts with the elements that are seen; what stays inside a launch counts nothing.
/// </summary>
/// <param name="Bytes">Read and written.</param>
/// <param name="Operations">Element-wise operations, formulas expanded, and reductions.</param>
/// <param name="Products">Multiplications with an addition, of matrix products and convolutions.</param>
internal readonly record struct LaunchCost(long Bytes, double Operations, double Products)
{
    public static LaunchCost Of(PlanStep step, HashSet<GraphNode> leaves)
    {
        Dictionary<GraphNode, long> arrays = new(ReferenceEqualityComparer.Instance);
        foreach (GraphNode input in step.Inputs)
        {
            if (input is StreamNode) continue;
            GraphNode root = Placement.Root(input, leaves);
            long bytes = Math.Min(input.Shape.Size, root.Shape.Size) * root.DType.Size;
            arrays[root] = Math.Max(bytes, arrays.GetValueOrDefault(root));
        }

        double operations = 0, products = 0;
        foreach (OpNode member in step.Group.Members)
        {
            if (member.IsView) continue;
            if (PlanGroup.Weight(member.Op) is > 0 and var weight) operations += (double)weight * member.Shape.Size;
            else if (member.Op.MultiplyAdds is { } rule) products += rule([.. member.Inputs.Select(static i => i.Type)], member.Attributes, member.Type);
            else operations += Math.Max(member.Shape.Size, member.Inputs.Length == 0 ? 0 : member.Inputs.Max(static i => i.Shape.Size));
        }

        long written = (step is FilledStep filled ? filled.Inner : step).Outputs.Sum(static o => o.Shape.Size * o.DType.Size);
        return new LaunchCost(arrays.Values.Sum() + written, operations, products);
    }

    /// <summary>Nanoseconds that this should take: as long as the slower of memory and arithmetic, which overlap.</summary>
    public double Predict() => Math.Max(Bytes / MachineLimits.CopyBandwidth(Bytes), (Operations + Products) / MachineLimits.MultiplyAdds);
}
