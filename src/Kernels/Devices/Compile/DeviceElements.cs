using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>
/// Element-wise kernels on devices: what <see cref="KernelCompiler"/> and the loops of <see cref="ElementDriver"/> are on the processor, with the same
/// bits. A kernel is compiled at its first use for a body, a type and the operands' <see cref="DeviceAccess"/>; sizes, strides and numbers of the host
/// are arguments.
/// </summary>
internal static class DeviceElements
{
    private static readonly DeviceKernelCache<DeviceElementKey, DeviceElementKernel> s_kernels = new(static (accelerator, key) => new DeviceElementKernel(accelerator, key));

    /// <summary>Kernels compiled so far in this process.</summary>
    public static int CompileCount => s_kernels.CompileCount;

    /// <summary>Runs a body on numbers of its own type, float or double.</summary>
    public static void Run(GpuDevice device, KernelSpec spec, ReadOnlySpan<DeviceOperand> operands, ReadOnlySpan<long> strides, ReadOnlySpan<int> shape) =>
        Run(device, spec, spec.Is64 ? DType.Float64 : DType.Float32, operands, strides, shape);

    /// <summary>Queues the kernel over <paramref name="shape"/>; nothing where it is empty.</summary>
    /// <param name="device">Where the arrays are.</param>
    /// <param name="spec">What is computed.</param>
    /// <param name="type">The type of its numbers: also integers, if all steps have <see cref="ElementOp.SupportsInteger"/>.</param>
    /// <param name="operands">The inputs, then the outputs.</param>
    /// <param name="strides">For each operand, for each axis of the shape, elements from one index to the next: 0 repeats, negative runs backwards.</param>
    /// <param name="shape">The indices.</param>
    /// <exception cref="ArgumentException">An operand's type is not the description's.</exception>
    /// <exception cref="DeviceException">There are more than 2³¹ − 1 elements.</exception>
    public static void Run(
        GpuDevice device, KernelSpec spec, DType type, ReadOnlySpan<DeviceOperand> operands, ReadOnlySpan<long> strides, ReadOnlySpan<int> shape)
    {
        Check(spec, type, operands, strides.Length, shape.Length);
        Span<long> merged = stackalloc long[operands.Length * shape.Length];
        Span<int> sizes = stackalloc int[shape.Length];
        DeviceElementPlan plan = new(spec, operands, strides, shape, merged, sizes);
        if (plan.Size == 0) return;
        DeviceElementKernel kernel = Kernel(device, plan.Key(spec, type, operands));
        using (device.Enter())
        {
            plan.Fill(kernel.Arguments, operands);
            kernel.Launch(device, plan.Size);
        }

        foreach (DeviceOperand operand in operands) GC.KeepAlive(operand.Block);
    }

    /// <summary>The kernel, from the cache or compiled now.</summary>
    public static DeviceElementKernel Kernel(GpuDevice device, DeviceElementKey key) => s_kernels.Get(device, key);

    private static void Check(KernelSpec spec, DType type, ReadOnlySpan<DeviceOperand> operands, int strides, int rank)
    {
        int count = spec.Inputs.Length + spec.Outputs.Length;
        if (operands.Length != count || count > DeviceElementKey.MaxOperands)
        {
            throw new ArgumentException(
                $"The kernel has {count} operands, not {operands.Length}; there can be {DeviceElementKey.MaxOperands}.", nameof(operands));
        }

        if (strides != count * rank)
            throw new ArgumentException($"{count} operands of {rank} axes need {count * rank} strides, not {strides}.", nameof(strides));
        for (int k = 0; k < count; k++)
        {
            bool isOutput = k >= spec.Inputs.Length;
            bool isMask = isOutput ? spec.IsMask(spec.Outputs[k - spec.Inputs.Length]) : spec.Inputs[k].IsMask;
            DType expected = isMask ? DType.Bool : type;
            if (operands[k].Type != expected)
                throw new ArgumentException($"Operand {k} has the type {operands[k].Type}; the kernel's is {expected}.", nameof(operands));
            if (isOutput && operands[k].Block is null) throw new ArgumentException($"Operand {k} is an output and needs memory.", nameof(operands));
        }

        if (!type.IsInteger) return;
        foreach (KernelStep step in spec.Steps)
        {
            if (step.Op is { SupportsInteger: false } op)
                throw new DTypeException($"{op.Name}: there is no {type} kernel. Convert the array with AsType(DType.Float32) first.");
        }
    }
}
