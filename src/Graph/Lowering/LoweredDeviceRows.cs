using System.Collections.Concurrent;
using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// A launch by rows as one program of an accelerator: kernels and library calls written one after the other, so that what passes between them stays in
/// registers. Work on single numbers that the rows read is done for each row.
/// </summary>
internal sealed class LoweredDeviceRows
{
    /// <summary>Expanded operations of a program: it repeats some of them in each of its passes.</summary>
    private const int MaxWeight = 3 * KernelCompiler.MaxOperators;

    private readonly List<PlanGroup> _parts;
    private readonly RowLayout _layout;
    private readonly HashSet<GraphNode> _leaves;
    private readonly List<Read> _reads = [];
    private readonly Dictionary<(GraphNode Node, RowAccess Access, bool IsLabel), int> _numbers = [];
    private readonly ConcurrentDictionary<ulong, RowSpec> _specs = new();
    private readonly DType _type;

    private LoweredDeviceRows(List<PlanGroup> parts, RowLayout layout, HashSet<GraphNode> leaves, OpNode[] outputs)
    {
        (_parts, _layout, _leaves, Outputs) = (parts, layout, leaves, outputs);
        _type = TypeOf(parts);
        for (int i = 0; i < parts.Count; i++)
            foreach (GraphNode input in parts[i].Reads) AddRead(i, input);
        Inputs = [.. _reads.Select(static r => r.Node)];
    }

    /// <summary>The arrays that are read, one for each way of reading.</summary>
    public GraphNode[] Inputs { get; }

    /// <summary>The values that are written.</summary>
    public OpNode[] Outputs { get; }

    public RowFrame Frame => _layout.Frame;

    /// <summary>Labels, how many there are, and the operator that has them.</summary>
    public IEnumerable<(int Input, long Count, string Op)> Labels =>
        _reads.Index().Where(static r => r.Item.Label is not null).Select(static r => (r.Index, r.Item.Access.Period, r.Item.Label!));

    public static LoweredDeviceRows Of(PlanGroup group, GraphFunction function, HashSet<GraphNode> written) =>
        new(group.Parts, group.Rows!, function.Leaves, [.. group.Parts.SelectMany(static p => p.Members).Where(written.Contains).OrderBy(static m => m.Id)]);

    /// <summary>Why parts do not become one program, or null.</summary>
    /// <param name="parts">The parts.</param>
    /// <param name="layout">How they fit together.</param>
    /// <param name="leaves">Given values.</param>
    /// <param name="outputs">What is needed outside.</param>
    public static string? Refusal(List<PlanGroup> parts, RowLayout layout, HashSet<GraphNode> leaves, IEnumerable<OpNode> outputs)
    {
        DType type = TypeOf(parts);
        if (layout.Frame.Columns > DeviceRows.MaxLength) return $"its rows are longer than {DeviceRows.MaxLength:N0} elements";
        foreach (PlanGroup part in parts)
        {
            if (part.Kind == GroupKind.Library && part.Members[0] is { } call && (call.Op.Formula is null || call.DType != type || call.Inputs[0].DType != type))
                return $"a kernel of an accelerator for rows has no {call.Op.Name} of {call.Inputs[0].DType}";
            if (part.Kind == GroupKind.Elementwise && part.LaneType != type && part.Members.Exists(static m => m.DType != DType.Bool))
                return $"its consumer computes in {(part.LaneType == type ? DType.Bool : part.LaneType)}";
        }

        LoweredDeviceRows lowered = new(parts, layout, leaves, [.. outputs]);
        if (lowered.Inputs.Length + lowered.Outputs.Length > DeviceElementKey.MaxOperands) return $"the kernel would have more than {DeviceElementKey.MaxOperands} operands";
        RowSpec program = lowered.Write(0);
        if (program.Weight > MaxWeight) return $"the kernel would exceed {MaxWeight} expanded operations";
        return program.MostReductions <= RowSpec.MaxReductionsPerPass ? null : $"the kernel would have more than {RowSpec.MaxReductionsPerPass} reductions in a pass";
    }

    /// <summary>The program when these inputs are numbers of the host, a bit each.</summary>
    public RowSpec Program(ulong onHost) => _specs.TryGetValue(onHost, out RowSpec? known) ? known : _specs.GetOrAdd(onHost, Write(onHost));

    /// <summary>An operand of the kernel: an input, or after the inputs an output.</summary>
    public DeviceRowOperand Operand(int k, DeviceOperand operand)
    {
        if (operand.Block is null) return new DeviceRowOperand(operand, 0);
        RowAccess access = k < _reads.Count ? _reads[k].Access : OutputAccess(Outputs[k - _reads.Count]);
        int stride = access.Period == 1 ? 0 : (int)access.Width;
        bool isMapped = stride != 0 && (access.Divisor != 1 || access.Period != Frame.Rows);
        return isMapped ? new DeviceRowOperand(operand, stride, (int)access.Divisor, (int)access.Period) : new DeviceRowOperand(operand, stride);
    }

    private RowAccess OutputAccess(OpNode node)
    {
        long size = node.Shape.Size;
        return size == Frame.Rows * Frame.Columns ? Frame.Own : size == Frame.Rows ? new RowAccess(1, 1, Frame.Rows) : new RowAccess(1, 1, 1);
    }

    // The type of the numbers: that of the library calls, of which there is at least one.
    private static DType TypeOf(List<PlanGroup> parts) => parts.Find(static p => p.Kind == GroupKind.Library)!.Members[0].Inputs[0].DType;

    private void AddRead(int part, GraphNode node)
    {
        if (_layout.PartOf(node) >= 0) return;
        string? label = node.DType.IsInteger ? _parts[part].Members[0].Op.Name : null;
        RowAccess access = _layout.Access(part, node)!.Value;
        if (_numbers.TryAdd((node, access, label is not null), _reads.Count)) _reads.Add(new Read(node, access, label));
    }

    private RowSpec Write(ulong onHost)
    {
        RowSpecBuilder p = new(_type == DType.Float64);
        RowValue[] inputs = new RowValue[_reads.Count];
        for (int i = 0; i < inputs.Length; i++)
        {
            Read read = _reads[i];
            bool isMask = read.Node.DType == DType.Bool;
            inputs[i] = read.Label is not null ? p.Label() : ((onHost >> i) & 1) != 0 ? p.Number(isMask) : read.Access.Width > 1 ? p.Elements(isMask) : p.PerRow(isMask);
        }

        Dictionary<GraphNode, RowValue> values = [];
        for (int i = 0; i < _parts.Count; i++)
        {
            int part = i;
            foreach (OpNode node in _parts[i].Members)
            {
                RowValue[] arguments = [.. node.Inputs.Select(input => Value(part, input))];
                values.Add(node, node.Op.Element is { } element ? p.Apply(element, arguments) : node.Op.Formula!.Write(p, arguments, node.Attributes));
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

    private readonly record struct Read(GraphNode Node, RowAccess Access, string? Label);
}
