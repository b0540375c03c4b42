using System.Runtime.CompilerServices;
using Fusion.Kernels;

namespace Fusion;

/// <summary>Kernels and library calls on the same rows as one launch of an accelerator. Labels are looked at by a small launch before it.</summary>
internal sealed class DeviceRowsStep : PlanStep
{
    private readonly LoweredDeviceRows _rows;
    private readonly (int Input, long Count, string Op)[] _labels;

    private DeviceRowsStep(PlanGroup group, LoweredDeviceRows rows)
        : base(group, rows.Inputs, rows.Outputs)
    {
        _rows = rows;
        _labels = [.. rows.Labels];
    }

    public override bool CannotFail => _labels.Length == 0;

    public static DeviceRowsStep Create(PlanGroup group, GraphFunction function, HashSet<GraphNode> written) => new(group, LoweredDeviceRows.Of(group, function, written));

    public override IEnumerable<string> Ptx(int capability = 80) => [DeviceKernelText.ToPtx(_rows.Program(0), (int)_rows.Frame.Columns, capability)];

    public override void Run(ReadOnlySpan<NDArray> inputs, Span<NDArray> outputs)
    {
        GpuDevice device = outputs[0].Accelerator!;
        (int rows, int columns) = ((int)_rows.Frame.Rows, (int)_rows.Frame.Columns);
        ulong onHost = 0;
        Buffer buffer = default;
        Span<DeviceRowOperand> operands = ((Span<DeviceRowOperand>)buffer)[..(inputs.Length + outputs.Length)];
        for (int k = 0; k < operands.Length; k++)
        {
            DeviceOperand operand = DeviceElementExecution.Operand(k < inputs.Length ? inputs[k] : outputs[k - inputs.Length], device);
            if (operand.Block is null) onHost |= 1UL << k;
            operands[k] = _rows.Operand(k, operand);
        }

        foreach ((int input, long count, string op) in _labels)
        {
            DeviceOperand labels = operands[input].Operand;
            DeviceIndexFaults.Of(device).Queue(op, labels.Block!, labels.Offset, labels.Type, count, columns, allowNegative: false);
        }

        DeviceRows.Run(device, _rows.Program(onHost), operands, rows, columns);
    }

    [InlineArray(DeviceElementKey.MaxOperands)]
    private struct Buffer
    {
        private DeviceRowOperand _first;
    }
}
