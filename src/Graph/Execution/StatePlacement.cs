namespace Fusion;

/// <summary>How a plan writes an array in place.</summary>
/// <param name="Write">The array and its value.</param>
/// <param name="Owned">The launch output that lies in the array's new memory from the start; null: the value is copied there after the last launch.</param>
/// <param name="Direct">The new memory is the array's own.</param>
internal readonly record struct StatePlace(StateWrite Write, OpNode? Owned, bool Direct);

/// <summary>
/// Decides where the new value of an array that a function writes is computed. In the array's own memory when nobody reads the old value later and
/// nothing can fail any more, not even a condition turn out otherwise; else in spare memory that changes places with the array's when all launches have succeeded.
/// </summary>
internal static class StatePlacement
{
    /// <param name="function">The function.</param>
    /// <param name="steps">The launches in order.</param>
    /// <param name="results">Values that leave with the results: they have memory of their own.</param>
    /// <param name="leaves">The function's arguments.</param>
    public static StatePlace[] Plan(GraphFunction function, IReadOnlyList<PlanStep> steps, HashSet<GraphNode> results, HashSet<GraphNode> leaves)
    {
        if (function.States.Count == 0) return [];
        Dictionary<GraphNode, int> madeBy = [];
        Dictionary<GraphNode, int> lastReader = [];
        for (int i = 0; i < steps.Count; i++)
        {
            foreach (OpNode output in steps[i].Outputs) madeBy[output] = i;
            foreach (GraphNode input in steps[i].Inputs) lastReader[Placement.Root(input, leaves)] = i;
        }

        int lastFailure = -1;
        for (int i = 0; i < steps.Count; i++)
            if (!steps[i].CannotFail || function.Outcomes.Count > 0) lastFailure = i;

        Dictionary<object, GraphNode> captured = Captured(function);
        StatePlace[] places = new StatePlace[function.States.Count];
        HashSet<GraphNode> claimed = [];
        HashSet<GraphNode> readAtEnd = [.. results];
        for (int k = 0; k < places.Length; k++)
        {
            StateWrite write = function.States[k];
            GraphNode source = Source(write, leaves);
            bool owned = source is OpNode && madeBy.ContainsKey(source) && !results.Contains(source) && claimed.Add(source);
            places[k] = new StatePlace(write, owned ? (OpNode)source : null, false);
            if (!owned) readAtEnd.Add(Placement.Root(write.Value, leaves));
        }

        for (int k = 0; k < places.Length; k++)
        {
            if (places[k] is not { Owned: { } owned, Write: var write }) continue;
            int at = madeBy[owned];
            GraphNode? old = OldValue(function, write, captured);
            places[k] = places[k] with { Direct = at > lastFailure && (old is null || !(readAtEnd.Contains(old) || IsReadLater(old, owned, at))) };
        }

        return places;

        // The launch that writes may itself read the old value, element by element.
        bool IsReadLater(GraphNode old, OpNode owned, int at) => !steps[at].CanOverwrite(old, owned, leaves) || lastReader.GetValueOrDefault(old, -1) > at;
    }

    /// <summary>The captured values by their arrays.</summary>
    public static Dictionary<object, GraphNode> Captured(GraphFunction function)
    {
        Dictionary<object, GraphNode> values = new(ReferenceEqualityComparer.Instance);
        foreach (CapturedNode captured in function.Captured) values.Add(captured.Array, captured);
        return values;
    }

    /// <summary>What is in the array before; null: nobody reads it.</summary>
    public static GraphNode? OldValue(GraphFunction function, StateWrite write, Dictionary<object, GraphNode> captured) =>
        write.Array is { } array ? captured.GetValueOrDefault(array) : function.Arguments[write.Argument];

    /// <summary>The value that is written, or the one whose elements lie in the same order: reshaping moves nothing.</summary>
    public static GraphNode Source(StateWrite write, HashSet<GraphNode> leaves)
    {
        GraphNode node = write.Value;
        while (node is OpNode { Op.Name: "Reshape", IsView: true } view && !leaves.Contains(node)) node = view.Inputs[0];
        return node;
    }
}
