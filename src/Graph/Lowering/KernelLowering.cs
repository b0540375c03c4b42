using Fusion.Kernels;

namespace Fusion;

/// <summary>A fused group as the kernel compiler sees it: inputs, scalar inputs, steps and outputs, without names or shapes.</summary>
internal sealed class LoweredKernel
{
    public required KernelSpec Spec { get; init; }

    /// <summary>The operators in it.</summary>
    public required OpNode[] Members { get; init; }

    /// <summary>The values that the kernel reads, in the order of its operands.</summary>
    public required GraphNode[] Inputs { get; init; }

    /// <summary>The values that the kernel writes, in the order of its operands.</summary>
    public required OpNode[] Outputs { get; init; }

    /// <summary>Bit i: input i has one element and is read once.</summary>
    public required int ScalarMask { get; init; }

    /// <summary>Inputs whose numbers the kernel draws; the last input is then the place in the stream.</summary>
    public DrawnOperand[] Draws { get; init; } = [];

    /// <summary>Machine code.</summary>
    /// <exception cref="KernelFailedException">It cannot be compiled.</exception>
    public ElementKernel Compile()
    {
        ElementKernel kernel = KernelCompiler.Compile(Spec);
        return Draws.Length == 0 ? kernel : new DrawingLoop(kernel, Inputs.Length + Outputs.Length, Inputs.Length - 1, Draws).Kernel;
    }

    /// <param name="group">An element-wise group.</param>
    /// <param name="isOutput">Members that are written to memory.</param>
    /// <param name="isScalar">Values of which a run of the loop reads one element; by default those that have one.</param>
    /// <param name="function">Where random draws have their places; needed for a group that has some.</param>
    public static LoweredKernel Lower(PlanGroup group, Func<OpNode, bool> isOutput, Func<GraphNode, bool>? isScalar = null, GraphFunction? function = null)
    {
        HashSet<GraphNode> members = [.. group.Members];
        Dictionary<GraphNode, int> values = [];
        List<GraphNode> inputs = [];
        List<KernelInput> kernelInputs = [];
        List<DrawnOperand> draws = [];
        int scalars = 0;
        foreach (OpNode node in group.Members)
        {
            if (node.Op.Draw is { } draw)
            {
                draws.Add(new DrawnOperand(inputs.Count, draw.Source!(node.Attributes, node.DType)!, function!.BlocksBefore(node)));
                values.Add(node, inputs.Count);
                inputs.Add(new StreamNode(node.Id, node.Type));
                kernelInputs.Add(default);
            }

            foreach (GraphNode input in node.Inputs)
            {
                if (members.Contains(input) || !ConstantNode.IsRead(input) || values.ContainsKey(input)) continue;
                bool scalar = isScalar is null ? input.Shape.Size == 1 : isScalar(input);
                if (scalar) scalars |= 1 << inputs.Count;
                values.Add(input, inputs.Count);
                inputs.Add(input);
                kernelInputs.Add(new KernelInput(input.DType == DType.Bool, scalar, HalfOf(input)));
            }
        }

        if (draws.Count > 0)
        {
            scalars |= 1 << inputs.Count;
            inputs.Add(StreamNode.Place(group.Members[0].Id));
            kernelInputs.Add(new KernelInput(IsScalar: true));
        }

        List<KernelStep> steps = [];
        foreach (OpNode node in group.Members)
        {
            if (node.Op.Draw is not null) continue;
            if (node.Op.Element is null)
            {
                // A conversion: done where its operand is read or its result is written.
                values.Add(node, values[node.Inputs[0]]);
                continue;
            }

            int[] arguments = new int[node.Inputs.Length];
            for (int i = 0; i < arguments.Length; i++)
            {
                GraphNode input = node.Inputs[i];
                if (input is ConstantNode constant && !values.ContainsKey(input)) values.Add(input, Add(KernelStep.Of(constant.Value)));
                arguments[i] = values[input];
            }

            values.Add(node, Add(KernelStep.Of(node.Op.Element, arguments)));
        }

        OpNode[] outputs = [.. group.Members.Where(isOutput)];
        int[] results = Array.ConvertAll(outputs, o => values[o]);
        KernelSpec spec = new(group.LaneType == DType.Float64, kernelInputs.ToArray(), steps.ToArray(), results, Array.ConvertAll(outputs, HalfOf));
        return new LoweredKernel { Spec = spec, Members = [.. group.Members], Inputs = [.. inputs], Outputs = outputs, ScalarMask = scalars, Draws = [.. draws] };

        static DType? HalfOf(GraphNode node) => node.DType.IsHalf ? node.DType : null;

        int Add(KernelStep step)
        {
            steps.Add(step);
            return inputs.Count + steps.Count - 1;
        }
    }
}
