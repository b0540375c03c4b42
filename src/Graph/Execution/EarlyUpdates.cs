namespace Fusion;

/// <summary>
/// Launches that do nothing but write arrays in place, such as the product that gives the gradient of a weight and updates it, run as soon as nobody reads the old
/// values any more: what they read (activations, gradients of outputs) is dead from there on. Not before the last launch that may fail, so that they
/// may write where the arrays are.
/// </summary>
internal sealed class EarlyUpdates
{
    private readonly List<PlanStep> _steps;
    private readonly HashSet<GraphNode> _leaves;
    private readonly HashSet<GraphNode> _results;
    private readonly Dictionary<GraphNode, int> _madeBy = [];
    private readonly Dictionary<GraphNode, List<int>> _readers = [];
    private readonly ILookup<GraphNode, GraphNode?> _oldValues;
    private readonly int _lastFailure;

    private EarlyUpdates(GraphFunction function, List<PlanStep> steps)
    {
        (_steps, _leaves) = (steps, function.Leaves);
        _results = [.. function.Outputs.Take(function.ResultCount).Select(o => Placement.Root(o, _leaves))];
        _lastFailure = steps.FindLastIndex(static s => !s.CannotFail);
        Dictionary<object, GraphNode> captured = StatePlacement.Captured(function);
        _oldValues = function.States.ToLookup(s => StatePlacement.Source(s, _leaves), s => StatePlacement.OldValue(function, s, captured));
        for (int i = 0; i < steps.Count; i++)
        {
            foreach (OpNode output in steps[i].Outputs) _madeBy[output] = i;
            foreach (GraphNode input in steps[i].Inputs.Select(n => Placement.Root(n, _leaves)).Distinct())
            {
                if (!_readers.TryGetValue(input, out List<int>? readers)) _readers.Add(input, readers = []);
                readers.Add(i);
            }
        }
    }

    /// <param name="function">The function.</param>
    /// <param name="groups">Its groups; those of the launches follow them.</param>
    /// <param name="steps">Its launches in an order in which they can run.</param>
    public static void Apply(GraphFunction function, List<PlanGroup> groups, List<PlanStep> steps)
    {
        if (function.States.Count == 0 || function.Outcomes.Count > 0) return;
        EarlyUpdates updates = new(function, steps);
        ILookup<int, PlanStep> early = Enumerable.Range(0, steps.Count).Select(i => (After: updates.Earliest(i), Index: i))
            .Where(static m => m.After is { } after && after + 1 < m.Index).ToLookup(static m => m.After!.Value, m => steps[m.Index]);
        if (early.Count == 0) return;
        HashSet<PlanStep> moved = [.. early.SelectMany(static e => e)];
        List<PlanStep> order = [.. early[-1]];
        for (int i = 0; i < steps.Count; i++)
        {
            if (!moved.Contains(steps[i])) order.Add(steps[i]);
            order.AddRange(early[i]);
        }

        // The groups of what was moved follow that of the launch before; views stay where they are.
        HashSet<PlanGroup> movedGroups = [.. moved.Select(static m => m.Group)];
        Queue<PlanStep> rest = new(order);
        List<PlanGroup> newGroups = [];
        Follow();
        foreach (PlanGroup group in groups)
        {
            if (movedGroups.Contains(group)) continue;
            newGroups.Add(group);
            if (!rest.TryPeek(out PlanStep? step) || !ReferenceEquals(step.Group, group)) continue;
            rest.Dequeue();
            Follow();
        }

        groups.Clear();
        groups.AddRange(newGroups);
        steps.Clear();
        steps.AddRange(order);

        void Follow()
        {
            while (rest.TryPeek(out PlanStep? step) && moved.Contains(step)) newGroups.Add(rest.Dequeue().Group);
        }
    }

    // The launch after which one can run; null: it is none of these. Kernels of one structure wait for each other, to become one launch.
    private int? Earliest(int index)
    {
        PlanStep step = _steps[index];
        if (step is FusedStep || step.Outputs.Length == 0) return null;
        int after = _lastFailure;
        foreach (OpNode output in step.Outputs)
        {
            if (_readers.ContainsKey(output) || _results.Contains(output) || _oldValues[output].ToArray() is not [var old]) return null;
            if (old is null) continue;
            if (_results.Contains(old)) return null;
            foreach (int reader in _readers.GetValueOrDefault(old, []))
                if (reader != index) after = Math.Max(after, reader);
        }

        foreach (GraphNode input in step.Inputs)
            if (_madeBy.TryGetValue(Placement.Root(input, _leaves), out int made)) after = Math.Max(after, made);
        return after;
    }
}
