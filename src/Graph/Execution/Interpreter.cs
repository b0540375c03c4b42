namespace Fusion;

/// <summary>
/// The reference meaning of a graph: node by node, through the eager operators. It is the oracle of the tests and what runs where no code can be
/// compiled.
/// </summary>
internal static class Interpreter
{
    public static NDArray[] Run(GraphFunction function, IReadOnlyList<NDArray> arguments)
    {
        Dictionary<GraphNode, NDArray> values = Evaluate(function, arguments);
        return [.. function.Outputs.Select(o => values[o])];
    }

    /// <summary>The value of every node, given the arguments and the numbers that the host program reads. An argument that nothing reads may be null.</summary>
    public static Dictionary<GraphNode, NDArray> Evaluate(GraphFunction function, IReadOnlyList<NDArray?> arguments, double[]? numbers = null)
    {
        Dictionary<GraphNode, NDArray> values = [];
        for (int i = 0; i < arguments.Count; i++)
            if (arguments[i] is { } argument) values[function.Arguments[i]] = argument;
        foreach (GraphNode node in function.Order)
        {
            if (values.ContainsKey(node)) continue;
            values[node] = node switch
            {
                CapturedNode captured => captured.Array,
                ConstantNode constant => Elements.Scalar(constant.Value, constant.DType),
                HostNode host when numbers is not null => Elements.Scalar(numbers[host.Index], host.DType),
                OpNode call => Apply(call, values),
                _ => throw new InvalidOperationException($"{node} is not given."),
            };
        }

        return values;
    }

    /// <summary>One operator. What is made of constants alone lies with the processor, and goes to the device of the other operands.</summary>
    public static NDArray Apply(OpNode call, IReadOnlyDictionary<GraphNode, NDArray> values)
    {
        NDArray[] operands = [.. call.Inputs.Select(i => values[i])];
        return call.Op.Apply(Array.Find(operands, static o => o.IsOnGpu) is { Accelerator: { } device } ? Movement.OnDevice(operands, device) : operands, call.Attributes);
    }
}
