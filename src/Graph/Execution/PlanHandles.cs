namespace Fusion;

/// <summary>
/// The arrays that stand for the values of a plan in one of its states, and what its launches have for operands: handles, which a call points to memory, or arrays of the
/// program themselves.
/// </summary>
internal sealed class PlanHandles
{
    private readonly Plan _plan;
    private readonly HashSet<GraphNode> _leaves;
    private readonly Dictionary<GraphNode, NDArray> _handles = [];
    private readonly Dictionary<GraphNode, List<NDArray>> _views = [];
    private readonly Dictionary<GraphNode, List<(int Step, NDArray[] Operands, int Index)>> _uses = [];
    private readonly HashSet<GraphNode> _readThroughHandles;

    /// <param name="plan">The plan.</param>
    /// <param name="arena">Where values live that are in no other place.</param>
    /// <param name="stream">The place in the stream of random numbers.</param>
    public PlanHandles(Plan plan, object arena, byte[] stream)
    {
        (_plan, _leaves) = (plan, plan.Function.Leaves);
        Place[] numbers = [.. plan.Placement.Places.Where(static p => p.Kind == Residence.Host)];
        Numbers = new PlanNumbers(numbers);
        for (int i = 0; i < numbers.Length; i++) Add(numbers[i].Node, Numbers.Handles[i]);
        foreach (Place place in plan.Placement.Places)
        {
            switch (place.Kind)
            {
                case Residence.Host:
                    break;
                case Residence.Part:
                    AddPart(place.Node, plan.Placement.Parts.Parts[place.Node]);
                    break;
                case Residence.View:
                    OpNode view = (OpNode)place.Node;
                    _handles.Add(view, ViewLayout.View(view, _handles[view.Inputs[0]]));
                    _views[Placement.Root(view, _leaves)].Add(_handles[view]);
                    break;
                case Residence.Constant:
                    ConstantNode constant = (ConstantNode)place.Node;
                    Add(constant, Elements.Scalar(constant.Value, constant.DType));
                    break;
                case Residence.Arena:
                    Add(place.Node, new NDArray(arena, place.Node.DType, place.Node.Shape, place.Index / place.Node.DType.Size));
                    break;
                default:
                    Add(place.Node, new NDArray(place.Kind == Residence.Stream ? stream : BoundHandle.Nothing, place.Node.DType, place.Node.Shape));
                    break;
            }
        }

        Operands = [.. plan.Steps.Select((s, i) => (Uses(i, s.Inputs), Uses(i, s.Outputs)))];
        IEnumerable<GraphNode> read = plan.Function.Outputs.Take(plan.Function.ResultCount).Concat(plan.Placement.States.Where(static s => s.Owned is null).Select(static s => s.Write.Value));
        _readThroughHandles = [.. read.Select(n => Placement.Root(n, _leaves))];
    }

    /// <summary>The numbers that a call reads from the host.</summary>
    public PlanNumbers Numbers { get; }

    /// <summary>What the launches read and write.</summary>
    public (NDArray[] Inputs, NDArray[] Outputs)[] Operands { get; }

    public NDArray this[GraphNode node] => _handles[node];

    public BoundHandle Bound(GraphNode node) => new(_handles[node], _views[node]);

    /// <summary>Makes an array of the program the operand of the launches that read or write a value; empty where they keep its handle.</summary>
    public OperandPlaces Replace(GraphNode node, NDArray? array)
    {
        if (array is null || node.Shape != array.Shape || _views[node].Count > 0 || _readThroughHandles.Contains(node) || !_uses.TryGetValue(node, out var uses)) return new OperandPlaces([]);
        if (!uses.TrueForAll(u => _plan.Steps[u.Step].TakesArrays)) return new OperandPlaces([]);
        OperandPlaces places = new([.. uses.Select(static u => (u.Operands, u.Index))]);
        places.Set(array);
        return places;
    }

    private void Add(GraphNode node, NDArray root)
    {
        _handles.Add(node, root);
        _views.Add(node, []);
    }

    private void AddPart(GraphNode node, Part part)
    {
        NDArray seen = Views.Slice(_handles[part.Whole], part.Where);
        seen = seen.View(node.Shape, seen.Offset, part.Strides);
        _handles.Add(node, seen);
        _views.Add(node, _views[part.Whole]);
        _views[part.Whole].Add(seen);
    }

    private NDArray[] Uses(int step, IReadOnlyList<GraphNode> nodes)
    {
        NDArray[] operands = [.. nodes.Select(n => _handles[n])];
        for (int i = 0; i < operands.Length; i++)
        {
            if (!_uses.TryGetValue(nodes[i], out var uses)) _uses.Add(nodes[i], uses = []);
            uses.Add((step, operands, i));
        }

        return operands;
    }
}
