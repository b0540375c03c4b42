using Fusion.Kernels;

namespace Fusion;

/// <summary>A fused group as the kernel compiler sees it: inputs, scalar inputs, steps and outputs, without names or shapes.</summary>
internal sealed class LoweredKernel
{
    public required KernelSpec Spec { get; init; }

    /// <summary>The values that the kernel reads, in the order of its operands.</summary>
    public required GraphNode[] Inputs { get; init; }

    /// <summary>The values that the kernel writes, in the order of its operands.</summary>
    public required OpNode[] Outputs { get; init; }

    /// <summary>Bit i: input i has one element and is read once.</summary>
    public required int ScalarMask { get; init; }

    public static LoweredKernel Lower(PlanGroup group, Func<OpNode, bool> isOutput)
    {
        KernelSpecBuilder spec = new(group.LaneType == DType.Float64);
        HashSet<GraphNode> members = [.. group.Members];
        Dictionary<GraphNode, int> values = [];
        List<GraphNode> inputs = [];
        int scalars = 0;
        foreach (OpNode node in group.Members)
        {
            foreach (GraphNode input in node.Inputs)
            {
                if (members.Contains(input) || input is ConstantNode || values.ContainsKey(input)) continue;
                bool scalar = input.Shape.Size == 1;
                if (scalar) scalars |= 1 << inputs.Count;
                values.Add(input, spec.Input(input.DType == DType.Bool, scalar));
                inputs.Add(input);
            }
        }

        foreach (OpNode node in group.Members)
        {
            int[] arguments = new int[node.Inputs.Count];
            for (int i = 0; i < arguments.Length; i++)
            {
                GraphNode input = node.Inputs[i];
                if (input is ConstantNode constant && !values.ContainsKey(input)) values.Add(input, spec.Constant(constant.Value));
                arguments[i] = values[input];
            }

            values.Add(node, spec.Apply(node.Op.Element!, arguments));
        }

        OpNode[] outputs = [.. group.Members.Where(isOutput)];
        foreach (OpNode output in outputs) spec.Output(values[output], output.DType == DType.Bool);
        return new LoweredKernel { Spec = spec.Build(), Inputs = [.. inputs], Outputs = outputs, ScalarMask = scalars };
    }
}
