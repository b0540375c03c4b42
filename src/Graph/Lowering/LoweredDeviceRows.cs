using System.Collections.Concurrent;
using Fusion.Kernels;

namespace Fusion;

/// <summary>A launch by rows as one program of an accelerator. Work on single numbers that the rows read is done for each row.</summary>
internal sealed class LoweredDeviceRows
{
    /// <summary>Expanded operations of a program: it repeats some of them in each of its passes.</summary>
    private const int MaxWeight = 3 * KernelCompiler.MaxOperators;

    private readonly RowLayout _layout;
    private readonly RowProgram _program;
    private readonly ConcurrentDictionary<ulong, RowSpec> _specs = new();

    private LoweredDeviceRows(List<PlanGroup> parts, RowLayout layout, HashSet<GraphNode> leaves, IEnumerable<OpNode> outputs)
    {
        _layout = layout;
        _program = new RowProgram(parts, Enumerable.Range(0, parts.Count), layout, leaves, outputs);
        Inputs = [.. _program.Reads.Select(static r => r.Node)];
    }

    /// <summary>The arrays that are read, one for each way of reading.</summary>
    public GraphNode[] Inputs { get; }

    /// <summary>The values that are written.</summary>
    public OpNode[] Outputs => _program.Outputs;

    public RowFrame Frame => _layout.Frame;

    /// <summary>Labels, how many there are, and the operator that has them.</summary>
    public IEnumerable<(int Input, long Count, string Op)> Labels =>
        _program.Reads.Index().Where(static r => r.Item.Label is not null).Select(static r => (r.Index, r.Item.Access.Period, r.Item.Label!));

    public static LoweredDeviceRows Of(PlanGroup group, GraphFunction function, HashSet<GraphNode> written) =>
        new(group.Parts, group.Rows!, function.Leaves, group.Parts.SelectMany(static p => p.Members).Where(written.Contains).OrderBy(static m => m.Id));

    /// <summary>Why parts do not become one program, or null.</summary>
    /// <param name="parts">The parts.</param>
    /// <param name="layout">How they fit together.</param>
    /// <param name="leaves">Given values.</param>
    /// <param name="outputs">What is needed outside.</param>
    public static string? Refusal(List<PlanGroup> parts, RowLayout layout, HashSet<GraphNode> leaves, IEnumerable<OpNode> outputs)
    {
        DType type = RowProgram.TypeOf(parts);
        if (layout.Frame.Columns > DeviceRows.MaxLength) return $"its rows are longer than {DeviceRows.MaxLength:N0} elements";
        foreach (PlanGroup part in parts)
        {
            if (part.Kind == GroupKind.Library && part.Members[0] is { } call && (call.Op.Formula is null || call.DType != type || call.Inputs[0].DType != type))
                return $"a kernel of an accelerator for rows has no {call.Op.Name} of {call.Inputs[0].DType}";

            // Masks go with numbers of any type if they are made of masks.
            if (part.Kind == GroupKind.Elementwise && part.LaneType != type && (part.Members.Exists(static m => m.DType != DType.Bool) || part.Reads.Any(static r => r.DType != DType.Bool)))
                return $"its consumer computes in {(part.LaneType == type ? DType.Bool : part.LaneType)}";
        }

        LoweredDeviceRows lowered = new(parts, layout, leaves, outputs);
        if (lowered.Inputs.Length + lowered.Outputs.Length > DeviceElementKey.MaxOperands) return $"the kernel would have more than {DeviceElementKey.MaxOperands} operands";
        RowSpec program = lowered._program.Spec;
        if (program.Weight > MaxWeight) return $"the kernel would exceed {MaxWeight} expanded operations";
        return program.MostReductions <= RowSpec.MaxReductionsPerPass ? null : $"the kernel would have more than {RowSpec.MaxReductionsPerPass} reductions in a pass";
    }

    /// <summary>The program when these inputs are numbers of the host, a bit each.</summary>
    public RowSpec Program(ulong onHost) => _specs.TryGetValue(onHost, out RowSpec? known) ? known : _specs.GetOrAdd(onHost, _program.Write(onHost));

    /// <summary>An operand of the kernel: an input, or after the inputs an output.</summary>
    public DeviceRowOperand Operand(int k, DeviceOperand operand)
    {
        if (operand.Block is null) return new DeviceRowOperand(operand, 0);
        RowAccess access = k < Inputs.Length ? _program.Reads[k].Access : _program.OutputAccess(Outputs[k - Inputs.Length]);
        int stride = access.Period == 1 ? 0 : (int)access.Width;
        bool isMapped = stride != 0 && (access.Divisor != 1 || access.Period != Frame.Rows);
        return isMapped ? new DeviceRowOperand(operand, stride, (int)access.Divisor, (int)access.Period) : new DeviceRowOperand(operand, stride);
    }
}
