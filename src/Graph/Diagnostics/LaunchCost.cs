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
            GraphNode root = Placement.Root(input, leaves);
            long bytes = Math.Min(input.Shape.Size, root.Shape.Size) * root.DType.Size;
            arrays[root] = Math.Max(bytes, arrays.GetValueOrDefault(root));
        }

        double operations = 0, products = 0;
        foreach (OpNode member in step.Group.Members)
        {
            if (member.Op.View is not null && Placement.IsTrueView(member)) continue;
            if (member.Op.Element is { } element) operations += (double)KernelCompiler.Weight(element) * member.Shape.Size;
            else if (PerElement(member) is > 0 and var each) products += (double)each * member.Shape.Size;
            else operations += Math.Max(member.Shape.Size, member.Inputs.Count == 0 ? 0 : member.Inputs.Max(static i => i.Shape.Size));
        }

        long written = step.Outputs.Sum(static o => o.Shape.Size * o.DType.Size);
        return new LaunchCost(arrays.Values.Sum() + written, operations, products);
    }

    /// <summary>Nanoseconds that this should take: as long as the slower of memory and arithmetic, which overlap.</summary>
    public double Predict() => Math.Max(Bytes / MachineLimits.CopyBandwidth(Bytes), (Operations + Products) / MachineLimits.MultiplyAdds);

    // Multiplications for one element of the result; 0: no product.
    private static long PerElement(OpNode node) => (node.Op.Name, node.Inputs) switch
    {
        ("MatMul", [var a, _]) => a.Shape[((MatMulAttributes)node.Attributes!).TransposeA ? -2 : -1],
        ("FullyConnected", [var a, ..]) => a.Shape[-1],
        ("Conv" or "ConvBias", [_, var w, ..]) => w.Shape.Size / Math.Max(1, w.Shape[0]),
        ("ConvInputGradient", [var g, var w]) => g.Shape.Size * (w.Shape.Size / Math.Max(1, w.Shape[0])) / Math.Max(1, node.Shape.Size),
        ("ConvWeightGradient", [_, var g]) => g.Shape.Size / Math.Max(1, node.Shape[0]),
        _ => 0,
    };
}
