using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Fusion.Kernels;

namespace Fusion;

/// <summary>Element-wise kernels on the arrays of an accelerator: any strides, and numbers of the processor among the inputs.</summary>
internal static class DeviceElementExecution
{
    private static readonly ConcurrentDictionary<(ElementOp Element, bool Is64), KernelSpec> s_specs = new();

    /// <summary>One operator.</summary>
    public static void Run(ElementOp element, ReadOnlySpan<NDArray> inputs, NDArray output)
    {
        DType lane = element.IsMask ? DType.Bool : output.DType;
        for (int i = 0; i < inputs.Length; i++)
            if (!element.IsMaskInput(i)) lane = inputs[i].DType;
        Operands buffer = default;
        Span<DeviceOperand> operands = ((Span<DeviceOperand>)buffer)[..(inputs.Length + 1)];
        Span<long> strides = stackalloc long[operands.Length * output.Rank];
        Describe(inputs, new ReadOnlySpan<NDArray>(in output), output.Shape, operands, strides);
        DeviceElements.Run(output.Accelerator!, Spec(element, lane), lane, operands, strides, output.Shape.Dimensions);
        GC.KeepAlive(output);
    }

    /// <summary>A kernel of several.</summary>
    public static void Run(KernelSpec spec, ReadOnlySpan<NDArray> inputs, ReadOnlySpan<NDArray> outputs, Shape shape)
    {
        Operands buffer = default;
        Span<DeviceOperand> operands = ((Span<DeviceOperand>)buffer)[..(inputs.Length + outputs.Length)];
        Span<long> strides = stackalloc long[operands.Length * shape.Rank];
        Describe(inputs, outputs, shape, operands, strides);
        DeviceElements.Run(outputs[0].Accelerator!, spec, operands, strides, shape.Dimensions);
    }

    /// <summary>One kernel over many tensors.</summary>
    /// <param name="spec">The kernel.</param>
    /// <param name="arrays">For each tensor the inputs, then the outputs.</param>
    /// <param name="sizes">Elements of each.</param>
    public static void Run(KernelSpec spec, ReadOnlySpan<NDArray> arrays, ReadOnlySpan<long> sizes)
    {
        GpuDevice device = arrays[^1].Accelerator!;
        DeviceOperand[] operands = ArrayPool<DeviceOperand>.Shared.Rent(arrays.Length);
        for (int i = 0; i < arrays.Length; i++) operands[i] = Operand(arrays[i], device);
        DeviceManyElements.Run(device, spec, operands.AsSpan(0, arrays.Length), sizes);
        ArrayPool<DeviceOperand>.Shared.Return(operands, clearArray: true);
    }

    /// <summary>An array as kernels take it: those of the processor are numbers, passed as double but for integers that it cannot hold or that are indices.</summary>
    public static DeviceOperand Operand(NDArray array, GpuDevice device)
    {
        if (!array.IsOnGpu && array.DType == DType.Int64) array = Movement.CopyToDevice(array, device);
        return array.IsOnGpu ? new DeviceOperand((DeviceBlock)array.Storage, array.Offset, array.DType) : DeviceOperand.Number(array.SingleNumber(), array.DType);
    }

    private static KernelSpec Spec(ElementOp element, DType lane) => s_specs.GetOrAdd((element, lane == DType.Float64), static key => KernelSpec.Of(key.Element, key.Is64));

    private static void Describe(ReadOnlySpan<NDArray> inputs, ReadOnlySpan<NDArray> outputs, Shape shape, Span<DeviceOperand> operands, Span<long> strides)
    {
        int rank = shape.Rank;
        Span<long> own = stackalloc long[rank];
        for (int i = 0; i < operands.Length; i++)
        {
            NDArray array = i < inputs.Length ? inputs[i] : outputs[i - inputs.Length];
            operands[i] = Operand(array, outputs[0].Accelerator!);
            array.CopyStrides(own);
            Broadcasting.Strides(own, array.Shape, shape, strides.Slice(i * rank, rank));
        }
    }

    [InlineArray(ArrayPins.MaxArrays)]
    private struct Operands
    {
        private DeviceOperand _first;
    }
}
