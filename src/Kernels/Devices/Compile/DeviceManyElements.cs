using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>One element-wise kernel over many tensors, such as the update of all parameters: in one launch, or as few as a kernel's parameters allow.</summary>
internal static class DeviceManyElements
{
    // CUDA passes 4 KB of parameters: 16 bytes an array, 4 or 8 a number. OpenCL promises 1 KB.
    private const int MaxViews = 192, MaxViewsOfOpenCL = 32;

    /// <summary>The most tensors of a launch.</summary>
    public static int MaxTensors(GpuDevice device, KernelSpec spec) =>
        Math.Max(1, (device.Backend == GpuBackend.OpenCL ? MaxViewsOfOpenCL : MaxViews) / (spec.Inputs.Length + spec.Outputs.Length));

    /// <summary>Queues the kernel over every tensor; on those without elements nothing is done.</summary>
    /// <param name="device">Where the arrays are.</param>
    /// <param name="spec">What is computed, of float or double.</param>
    /// <param name="operands">The inputs, then the outputs of the first tensor, and so on: contiguous, but for the scalar inputs of the description.</param>
    /// <param name="sizes">Elements of each tensor.</param>
    /// <exception cref="ArgumentException">The numbers of operands and tensors do not fit.</exception>
    /// <exception cref="DeviceException">A tensor has more than 2³¹ − 1 elements.</exception>
    public static void Run(GpuDevice device, KernelSpec spec, ReadOnlySpan<DeviceOperand> operands, ReadOnlySpan<long> sizes)
    {
        int count = spec.Inputs.Length + spec.Outputs.Length;
        if (operands.Length != count * sizes.Length)
            throw new ArgumentException($"{sizes.Length} tensors have {count * sizes.Length} operands, not {operands.Length}.", nameof(operands));
        foreach (long size in sizes)
        {
            if (size > int.MaxValue) throw DeviceFailures.TooLarge("An array", size, int.MaxValue);
        }

        int most = MaxTensors(device, spec);
        for (int start = 0; start < sizes.Length;)
        {
            // Tensors whose operands lie alike: on the device or with the host.
            ulong accesses = Accesses(spec, operands.Slice(start * count, count));
            int end = start + 1;
            while (end < sizes.Length && end - start < most && Accesses(spec, operands.Slice(end * count, count)) == accesses) end++;
            Launch(device, spec, accesses, operands[(start * count)..(end * count)], sizes[start..end]);
            start = end;
        }
    }

    private static void Launch(GpuDevice device, KernelSpec spec, ulong accesses, ReadOnlySpan<DeviceOperand> operands, ReadOnlySpan<long> sizes)
    {
        DType type = spec.Is64 ? DType.Float64 : DType.Float32;
        int tensors = sizes.Length, count = operands.Length / tensors;
        DeviceElementKernel kernel = DeviceElements.Kernel(device, new DeviceElementKey(spec, type, accesses, 1, IsAligned(accesses, count, operands), tensors));
        using (device.Enter())
        {
            DeviceArguments arguments = kernel.Arguments;
            arguments.Clear();
            int groups = 0;
            for (int t = 0; t < tensors; t++)
            {
                int size = (int)sizes[t];
                arguments.Add(size);
                if (tensors > 1) arguments.Add(groups);
                groups += kernel.Groups(size);
                for (int k = t * count; k < (t + 1) * count; k++)
                {
                    DeviceOperand operand = operands[k];
                    DeviceAccess access = Access(accesses, k - (t * count));
                    if (access == DeviceAccess.Host) arguments.Set(k, operand.Value);
                    else arguments.Set(k, operand.Block!, operand.Offset, access == DeviceAccess.One ? 1 : size, operand.Type.Size);
                }
            }

            if (groups > 0) kernel.LaunchGroups(device, groups);
        }

        foreach (DeviceOperand operand in operands) GC.KeepAlive(operand.Block);
    }

    private static ulong Accesses(KernelSpec spec, ReadOnlySpan<DeviceOperand> operands)
    {
        ulong accesses = 0;
        for (int k = 0; k < operands.Length; k++)
        {
            DeviceAccess access = operands[k].Block is null ? DeviceAccess.Host
                : k < spec.Inputs.Length && spec.Inputs[k].IsScalar ? DeviceAccess.One : DeviceAccess.Contiguous;
            accesses |= (ulong)access << (2 * k);
        }

        return accesses;
    }

    private static DeviceAccess Access(ulong accesses, int operand) => (DeviceAccess)((accesses >> (2 * operand)) & 3);

    private static bool IsAligned(ulong accesses, int count, ReadOnlySpan<DeviceOperand> operands)
    {
        for (int k = 0; k < operands.Length; k++)
        {
            if (Access(accesses, k % count) == DeviceAccess.Contiguous && operands[k].Offset % DeviceElementPlan.Quad != 0) return false;
        }

        return true;
    }
}
