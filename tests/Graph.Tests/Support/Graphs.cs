namespace Fusion.Tests;

/// <summary>Graphs for the unit tests of passes, grouping and lowering.</summary>
internal static class Graphs
{
    /// <summary>The graph of a function of inputs of these types, without gradients.</summary>
    public static GraphFunction Of(ListFunction f, params NDArray[] inputs)
    {
        FunctionTrace trace = Trace(f, inputs);
        return new GraphFunction(trace.Inputs, trace.Outputs, trace.Effects);
    }

    /// <summary>As it is with the training flag.</summary>
    public static GraphFunction Of(ListFunction f, bool training, params NDArray[] inputs)
    {
        FunctionTrace trace = FunctionTrace.Run(f, [.. inputs.Select(static x => x.Type)], null, training);
        return new GraphFunction(trace.Inputs, trace.Outputs, trace.Effects);
    }

    public static FunctionTrace Trace(ListFunction f, params NDArray[] inputs) =>
        FunctionTrace.Run(f, [.. inputs.Select(static x => x.Type)], null, training: false);

    /// <summary>The names of a graph's operators, in order.</summary>
    public static string[] Names(GraphFunction function) => [.. function.Operators.Select(static n => n.Op.Name)];

    /// <summary>Groups as text: operators joined by a dot, groups by a bar.</summary>
    public static string Text(IEnumerable<PlanGroup> groups) => string.Join(" | ", groups.Select(static g => string.Join("·", g.Members.Select(static m => m.Op.Name))));
}
