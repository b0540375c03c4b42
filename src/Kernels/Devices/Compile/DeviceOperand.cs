namespace Fusion.Kernels;

/// <summary>An operand of a kernel on a device: an array of the device, or a number of the host that is passed as an argument.</summary>
/// <param name="Block">The memory, or null for a number.</param>
/// <param name="Offset">The element whose indices are all 0, counted in elements.</param>
/// <param name="Type">The element type; Bool for a mask, of which any byte but 0 is true.</param>
/// <param name="Value">The number; of a mask, whether it is not 0.</param>
internal readonly record struct DeviceOperand(DeviceBlock? Block, long Offset, DType Type, double Value = 0)
{
    /// <summary>A number: another one needs no other kernel.</summary>
    public static DeviceOperand Number(double value, DType type) => new(null, 0, type, value);
}

/// <summary>How a kernel reads or writes an operand; kernels of other classes are other kernels.</summary>
internal enum DeviceAccess
{
    /// <summary>Element i of the flat sequence.</summary>
    Contiguous,

    /// <summary>One element, read once.</summary>
    One,

    /// <summary>A number of the host: an argument.</summary>
    Host,

    /// <summary>By the indices of the element and a stride for each.</summary>
    Strided,
}

/// <summary>What a compiled kernel depends on, besides the device.</summary>
/// <param name="Spec">The body.</param>
/// <param name="Type">The type of its numbers.</param>
/// <param name="Accesses">Two bits an operand: its <see cref="DeviceAccess"/>.</param>
/// <param name="Rank">Axes after merging, if there are strided operands; otherwise 1.</param>
/// <param name="Quads">Arrays are aligned so that four elements can be moved at a time.</param>
/// <param name="Tensors">The kernel runs over so many sets of operands, none of them strided, each of a size of its own.</param>
internal readonly record struct DeviceElementKey(KernelSpec Spec, DType Type, ulong Accesses, int Rank, bool Quads, int Tensors = 1)
{
    /// <summary>The most operands: two bits each.</summary>
    public const int MaxOperands = 32;

    public DeviceAccess Access(int operand) => (DeviceAccess)((Accesses >> (2 * operand)) & 3);

    /// <summary>The key of a kernel whose operands are all contiguous and aligned, but for the scalar inputs of the description.</summary>
    public static DeviceElementKey Contiguous(KernelSpec spec, DType type)
    {
        ulong accesses = 0;
        for (int k = 0; k < spec.Inputs.Length; k++) accesses |= (ulong)(spec.Inputs[k].IsScalar ? DeviceAccess.One : DeviceAccess.Contiguous) << (2 * k);
        return new(spec, type, accesses, 1, true);
    }
}
