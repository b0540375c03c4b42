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
                OpNode call => call.Op.Apply(call.Inputs.Select(i => values[i]).ToArray(), call.Attributes),
                _ => throw new InvalidOperationException($"{node} is not given."),
            };
        }

        return values;
    }
}
