namespace Fusion;

/// <summary>What must hold of a graph after every pass. Run in tests and in debug builds.</summary>
internal static class GraphVerifier
{
    public static void Verify(GraphFunction function)
    {
        foreach (OpNode call in function.Operators)
        {
            TensorType[] types = new TensorType[call.Inputs.Length];
            for (int i = 0; i < types.Length; i++)
            {
                if (call.Inputs[i].Id >= call.Id) throw Broken(call, $"its input {call.Inputs[i]} comes after it");
                types[i] = call.Inputs[i].Type;
            }

            if (call.Op.Arity >= 0 && call.Op.Arity != types.Length) throw Broken(call, $"it has {types.Length} inputs, its row says {call.Op.Arity}");
            TensorType[] result = new TensorType[1];
            call.Op.Infer(types, call.Attributes, result);
            if (result[0] != call.Type) throw Broken(call, $"its type is {call.Type}, its inputs give {result[0]}");
        }
    }

    private static InvalidOperationException Broken(OpNode node, string what) => new($"The graph is broken at {node} = {node.Op.Name}: {what}.");
}
