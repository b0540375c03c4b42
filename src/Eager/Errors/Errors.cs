using System.Diagnostics.CodeAnalysis;

namespace Fusion;

/// <summary>
/// The messages that more than one place needs. Each names the operator, the shapes or types, and the remedy; MXNet's phrases are kept inside,
/// so that a search for them leads here.
/// </summary>
internal static class Errors
{
    public static ObjectDisposedException Disposed(string? operation = null) =>
        new(nameof(NDArray), $"{(operation is null ? string.Empty : operation + ": ")}the array was disposed. Dispose gives its memory back at once; keep the array instead, or Copy() it first.");

    public static InvalidOperationException SymbolicOutsideTrace(string operation) =>
        new($"{operation}: this array was made while a function was traced and has no value. Return it from the function instead of keeping it.");

    public static InsufficientMemoryException TooLarge(Shape shape, DType dtype, Exception? cause) =>
        new($"An array {dtype} {shape} would need {(System.Int128)shape.Size * dtype.Size} bytes, which are not to be had. Work on slices of it, or let go of other arrays.", cause);

    public static InsufficientMemoryException TooManyParameters(string what, long count) =>
        new($"{what} have {count} parameters, for which there is no memory, whatever their sizes. Ask for fewer.");

    public static DTypeException NoBits(string operation, DType dtype) => new($"{operation}: {dtype} has no bits to work on. Convert with AsType(DType.Int32).");

    /// <summary>Memory for numbers that the library computes, as many as the caller asked for.</summary>
    public static T[] Numbers<T>(int count)
    {
        try
        {
            return new T[count];
        }
        catch (OutOfMemoryException e)
        {
            throw TooLarge(count, DTypes.Of<T>(), e);
        }
    }

    /// <summary>The size of an axis that is computed from other sizes.</summary>
    public static int Extent(string operation, Int128 size) => size <= int.MaxValue
        ? (int)size
        : throw new ShapeException($"{operation}: an axis would have {size} elements; it has at most {int.MaxValue}. Work on parts of the array.");

    /// <summary>For operations that look at an array as one span.</summary>
    public static ShapeException TooManyBytes(NDArray x) =>
        new($"An array {x.DType} {x.Shape} has {x.Size * x.DType.Size} bytes; this operation reaches {int.MaxValue}. Work on slices of it.");

    public static InsufficientMemoryException TooManyForDevice(Fusion.Kernels.GpuDevice device, Shape shape) =>
        new($"An array {shape} has {shape.Size} elements; on {device.Name} an array has at most {int.MaxValue}. Work on slices of it.");

    public static DeviceException NoDevice(string? cause) =>
        new($"Device.Gpu: there is no accelerator: {cause}. Install or update the vendor's driver, or use Device.Cpu; Device.GpuCount tells without an exception.");

    public static PlatformNotSupportedException NoDeviceCode() =>
        new("Devices need code that is compiled at run time, which is not possible here (NativeAOT). Use Device.Cpu.");

    public static DeviceException NotOnHost(string operation, NDArray array) =>
        new($"{operation}: the array {array.Shape} is on {array.Device}, whose memory is not the processor's. Use ToArray, or To(Device.Cpu) first.");

    public static DeviceException MixedDevices(string operation, Device first, Device second) =>
        new($"{operation}: one operand is on {first}, another one on {second}. Move one with To(device); only numbers (rank 0) of the processor mix with arrays of a device.");

    public static void CheckType<T>(NDArray array, string operation)
    {
        DType asked = DTypes.Of<T>();
        if (asked != array.DType)
            throw new DTypeException($"{operation}<{typeof(T).Name}>: the array is {array.DType}. Ask for that type, or convert with AsType(DType.{asked}).");
    }

    public static ShapeException Broadcast(string op, Shape a, Shape b) =>
        new($"{op}: the shapes {a} and {b} do not broadcast: axes are matched from the right and must be equal or 1. Reshape or ExpandDims one of them.");

    public static AutogradException InPlaceWhileRecording(string operation, NDArray array) =>
        new($"{operation}: Inplace operations are not supported when recording with autograd: the array {array.Type} is part of the recorded graph. " +
            "Write outside Autograd.Record(), inside Autograd.Pause(), or to a Detach()ed copy.");

    public static AutogradException GradientLostInWrite(string operation, NDArray value) =>
        new($"{operation}: the value {value.Type} is part of the recorded graph, and no gradient would flow through a write in place. " +
            "Write value.Detach(), or build the array with Where, Concat or Stack.");

    [SuppressMessage("Usage", "CA2201", Justification = "The runtime's own word for a position outside an array.")]
    public static IndexOutOfRangeException IndexOutOfRange(Index position, int axis, Shape shape) =>
        new($"Index {(position.IsFromEnd ? -position.Value : position.Value)} is out of range for axis {axis} of size {shape.Dimensions[axis]}, shape {shape}.");

    [SuppressMessage("Usage", "CA2201", Justification = "The runtime's own word for a position outside an array.")]
    public static IndexOutOfRangeException TooManyIndices(int count, Shape shape) =>
        new($"{count} indices for the shape {shape}, which has {shape.Rank} axes.");

    public static AutogradException SavedArrayOverwritten(TapeNode node, NDArray array, string role) =>
        new($"Backward of {node.Op.Name} needs the old value of its {role}, {array.Type}, but it was overwritten in place" +
            $"{(InPlaceWrites.PlaceOf(array) is { } place ? $" by {place}" : string.Empty)}. Write after backward, or work on a Copy().");

    public static AutogradException NeverRecorded() =>
        new("Cannot differentiate node because it is not in a computational graph: the head was never recorded. " +
            "Compute it inside Autograd.Record() from an array with AttachGrad().");

    public static AutogradException NoInputRequiresGradient() =>
        new("Cannot differentiate node because it is not in a computational graph: the head was recorded, but no input requires a gradient. " +
            "Call AttachGrad() on the variables before Autograd.Record(), and see that no Detach() or StopGradient stands between them and the head.");

    public static AutogradException HeadDetached() =>
        new("Cannot differentiate node because it is not in a computational graph: the head was detached. Differentiate the array that Detach() was called on.");

    public static AutogradException GraphReleased(TapeNode node) => GraphReleased(node.Op, several: true);

    public static AutogradException GraphReleased(TapeNode node, int output, bool several) => GraphReleased(node.Op.Makers?[output] ?? node.Op, several);

    private static AutogradException GraphReleased(Op reached, bool several) =>
        new($"Backward reached {reached.Name}, whose graph was already released: a backward without retainGraph has passed" +
            $"{(several ? ", possibly from another head that shares this part of the graph" : string.Empty)}. " +
            "Differentiate node again only with retainGraph: true in the first call, pass all heads to one Backward, or record again.");

    public static AutogradException NoGradientRule(TapeNode node) =>
        new($"{node.Op.Name} has no gradient and lies on a path to a requested variable. Use Detach() or StopGradient before it.");

    public static AutogradException Unreachable(int index, NDArray variable) =>
        new(variable.Source is null
            ? $"Grad: variable {index}, {variable.Type}, is not part of the recorded graph. Call AttachGrad() on it before recording."
            : $"Grad: the heads do not depend on variable {index}, {variable.Type}. Pass allowUnused: true to get zeros.");
}
