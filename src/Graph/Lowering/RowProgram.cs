using Fusion.Kernels;

namespace Fusion;

/// <summary>An array that a row program reads, and how.</summary>
/// <param name="Node">The array.</param>
/// <param name="Access">Its rows.</param>
/// <param name="Label">The operator that reads labels there.</param>
internal readonly record struct RowRead(GraphNode Node, RowAccess Access, string? Label);

/// <summary>
/// Parts of a launch by rows as one program: kernels and library calls written one after the other, so that what passes between them stays in registers or near.
/// </summary>
internal sealed class RowProgram
{
    private readonly List<PlanGroup> _parts;
    private readonly SortedSet<int> _indices;
    private readonly RowLayout _layout;
    private readonly HashSet<GraphNode> _leaves;
    private readonly List<RowRead> _reads = [];
    private readonly Dictionary<(GraphNode Node, RowAccess Access, bool IsLabel), int> _numbers = [];
    private readonly DType _type;
    private RowSpec? _spec;

    /// <param name="parts">All parts of the launch.</param>
    /// <param name="indices">Those of the program.</param>
    /// <param name="layout">How they fit together.</param>
    /// <param name="leaves">Given values.</param>
    /// <param name="outputs">The values that are written.</param>
    public RowProgram(List<PlanGroup> parts, IEnumerable<int> indices, RowLayout layout, HashSet<GraphNode> leaves, IEnumerable<OpNode> outputs)
    {
        (_parts, _indices, _layout, _leaves) = (parts, [.. indices], layout, leaves);
        Outputs = [.. outputs];
        Sums = [.. _indices.Where(layout.IsSum).Select(i => parts[i].Members[0])];
        _type = TypeOf(_indices.Select(i => parts[i]));
        foreach (int i in _indices)
            foreach (GraphNode input in parts[i].Reads) AddRead(i, input);
    }

    /// <summary>The arrays that are read, one for each way of reading.</summary>
    public IReadOnlyList<RowRead> Reads => _reads;

    /// <summary>The values that are written.</summary>
    public OpNode[] Outputs { get; }

    /// <summary>The operators in it.</summary>
    public OpNode[] Members => [.. _indices.SelectMany(i => _parts[i].Members)];

    /// <summary>Operators that sum over the rows.</summary>
    public OpNode[] Sums { get; }

    /// <summary>The type of the numbers: that of the library calls, of which there is at least one.</summary>
    public static DType TypeOf(IEnumerable<PlanGroup> parts) => parts.First(static p => p.Kind == GroupKind.Library).Members[0].Inputs[0].DType;

    /// <summary>How an output is written.</summary>
    public RowAccess OutputAccess(OpNode node)
    {
        RowFrame frame = _layout.Frame;
        long size = node.Shape.Size;
        return size == frame.Rows * frame.Columns ? frame.Own : size == frame.Rows ? new RowAccess(1, 1, frame.Rows) : new RowAccess(1, 1, 1);
    }

    /// <summary>The program when all inputs are arrays.</summary>
    public RowSpec Spec => _spec ??= Write(0);

    /// <summary>The program.</summary>
    /// <param name="onHost">Inputs that are numbers of the host, a bit each.</param>
    public RowSpec Write(ulong onHost)
    {
        RowSpecBuilder p = new(_type == DType.Float64);
        RowValue[] inputs = new RowValue[_reads.Count];
        for (int i = 0; i < inputs.Length; i++)
        {
            RowRead read = _reads[i];
            bool isMask = read.Node.DType == DType.Bool;
            inputs[i] = read.Label is not null ? p.Label()
                : ((onHost >> i) & 1) != 0 ? p.Number(isMask)
                : read.Access.Width > 1 ? p.Elements(isMask, shared: read.Access.Period == 1 && _layout.Frame.Rows > 1)
                : p.PerRow(isMask);
        }

        Dictionary<GraphNode, RowValue> values = [];
        foreach (int part in _indices)
        {
            foreach (OpNode node in _parts[part].Members)
            {
                RowValue[] arguments = [.. node.Inputs.Select(input => Value(part, input))];
                if (node.Op.Element is { } element) values.Add(node, p.Apply(element, arguments));
                else if (!_layout.IsSum(part)) values.Add(node, node.Op.Formula!.Write(p, arguments, node.Attributes));
                else
                    foreach (RowValue term in node.Op.Sums!.Terms(p, arguments, node.Attributes)) p.Sum(p.Repeat(term));
            }
        }

        foreach (OpNode output in Outputs) p.Output(OutputAccess(output).Width > 1 ? p.Repeat(values[output]) : values[output]);
        return p.Build();

        RowValue Value(int part, GraphNode input)
        {
            if (values.TryGetValue(input, out RowValue own) || values.TryGetValue(Placement.Root(input, _leaves), out own)) return own;
            if (input is ConstantNode constant && !ConstantNode.IsRead(input)) return p.Constant(constant.Value);
            return inputs[_numbers[(input, _layout.Access(part, input)!.Value, input.DType.IsInteger)]];
        }
    }

    private void AddRead(int part, GraphNode node)
    {
        if (_indices.Contains(_layout.PartOf(node))) return;
        string? label = node.DType.IsInteger ? _parts[part].Members[0].Op.Name : null;
        RowAccess access = _layout.Access(part, node)!.Value;
        if (_numbers.TryAdd((node, access, label is not null), _reads.Count)) _reads.Add(new RowRead(node, access, label));
    }
}
