using Fusion.Kernels;

namespace Fusion;

/// <summary>Attributes that say where the result lies: of operators without inputs, and of copies from one device to another.</summary>
internal interface IPlacedAttributes
{
    /// <summary>Null: the processor.</summary>
    Device? Device { get; }
}

/// <summary>The device that an array is copied to, and the one that it was on.</summary>
internal sealed record DeviceAttributes(Device Device, Device Origin) : IPlacedAttributes;

/// <summary>Which device an operator runs on: that of its operands. Numbers of the processor (rank 0) go with arrays of any device.</summary>
internal static class Placing
{
    /// <summary>The device so far, and that of a further operand on an accelerator.</summary>
    public static GpuDevice Join(string operation, GpuDevice? device, NDArray operand)
    {
        GpuDevice own = operand.Accelerator!;
        if (device is not null && !ReferenceEquals(device, own)) throw Errors.MixedDevices(operation, Device.Of(device), Device.Of(own));
        return own;
    }

    /// <summary>Throws when an operand is an array of the processor and no number.</summary>
    public static void Check(string operation, GpuDevice device, ReadOnlySpan<NDArray> operands)
    {
        foreach (NDArray operand in operands)
            if (!operand.IsOnGpu && operand.Rank > 0) throw Errors.MixedDevices(operation, Device.Of(device), Device.Cpu);
    }
}
