using System.Buffers;
using Fusion.Kernels;

namespace Fusion;

/// <summary>Sums of squares of any number of arrays of an accelerator, in two launches.</summary>
internal sealed class NormsStep : PlanStep
{
    /// <summary>One of them.</summary>
    public NormsStep(PlanGroup group)
        : base(group, [group.Members[0].Inputs[0]], [group.Members[^1]])
    {
    }

    /// <summary>Many, of one type.</summary>
    public NormsStep(PlanGroup group, IReadOnlyList<NormsStep> members)
        : base(group, [.. members.SelectMany(static m => m.Inputs)], [.. members.SelectMany(static m => m.Outputs)])
    {
    }

    /// <summary>What can be one launch.</summary>
    public (DType, DType) Types => (Inputs[0].DType, Outputs[0].DType);

    public override void Run(ReadOnlySpan<NDArray> inputs, Span<NDArray> outputs)
    {
        int count = inputs.Length;
        DeviceOperand[] operands = ArrayPool<DeviceOperand>.Shared.Rent(2 * count);
        long[] sizes = ArrayPool<long>.Shared.Rent(count);
        GpuDevice device = outputs[0].Accelerator!;
        inputs = Movement.OnDevice(inputs, device);
        for (int i = 0; i < count; i++)
        {
            operands[i] = DeviceElementExecution.Operand(inputs[i].Contiguous(), device);
            operands[count + i] = DeviceElementExecution.Operand(outputs[i], device);
            sizes[i] = inputs[i].Size;
        }

        DeviceNorms.Run(device, operands.AsSpan(0, count), sizes.AsSpan(0, count), operands.AsSpan(count, count));
        ArrayPool<DeviceOperand>.Shared.Return(operands, clearArray: true);
        ArrayPool<long>.Shared.Return(sizes);
    }
}
