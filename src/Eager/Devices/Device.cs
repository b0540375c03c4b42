using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// A place where arrays live and operators run: the processor, or an accelerator. Results lie where the operands lie; arrays of different devices do not
/// mix, but for numbers of the processor (rank 0). <see cref="NDArray.To"/> copies from one to another.
/// </summary>
/// <remarks>
/// On an accelerator operators are queued and return at once; whatever reads a value (<see cref="NDArray.Item{T}"/>, <see cref="NDArray.ToArray{T}"/>,
/// printing) waits for it. The formulas are the processor's own, so element-wise results have its bits; matrix products, convolutions
/// and what docs/gpu.md names beside them add up in another, fixed order.
/// </remarks>
public sealed class Device
{
    private static readonly Lazy<Device> s_debug = new(static () => Own(GpuDevices.Debug));

    private Device(string name, GpuDevice? gpu) => (Name, Accelerator) = (name, gpu);

    /// <summary>The processor.</summary>
    public static Device Cpu { get; } = new("cpu", null);

    /// <summary>How many accelerators there are: those of CUDA, and where there is none those of OpenCL. 0 where neither is installed.</summary>
    public static int GpuCount => IsSupported ? GpuDevices.Count : 0;

    /// <summary>
    /// An accelerator that runs on the processor, for tests: very slow, the same kernels, always there.
    /// </summary>
    /// <exception cref="PlatformNotSupportedException">Code cannot be compiled at run time (NativeAOT).</exception>
    public static Device Debug => IsSupported ? s_debug.Value : throw Errors.NoDeviceCode();

    /// <summary>The name: <c>cpu</c>, <c>debug</c>, or the number and model of an accelerator.</summary>
    public string Name { get; }

    /// <summary>Not the processor.</summary>
    public bool IsGpu => Accelerator is not null;

    /// <summary>Bytes of its memory that arrays hold; for the processor see <see cref="FusionRuntime.LiveBytes"/>.</summary>
    public long LiveBytes => Accelerator?.Pool.LiveBytes ?? FusionRuntime.LiveBytes;

    internal GpuDevice? Accelerator { get; }

    private static bool IsSupported => KernelCompiler.IsAvailable;

    /// <summary>The accelerator with an index.</summary>
    /// <exception cref="DeviceException">There is none at all; the message says what was looked for.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer.</exception>
    /// <exception cref="PlatformNotSupportedException">Code cannot be compiled at run time (NativeAOT).</exception>
    public static Device Gpu(int index = 0)
    {
        Require.NotNegative(index);
        if (!IsSupported) throw Errors.NoDeviceCode();
        if (GpuDevices.Count == 0) throw Errors.NoDevice(GpuDevices.Failure);
        if (index >= GpuDevices.Count) throw new ArgumentOutOfRangeException(nameof(index), index, $"Device.Gpu: there are {GpuDevices.Count} accelerators, numbered from 0.");
        return Own(GpuDevices.Open(index));
    }

    /// <summary>Waits until everything queued on the device has finished; on the processor operators have finished when they return.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An operator queued before was given an index out of range.</exception>
    /// <exception cref="DeviceException">The device has failed.</exception>
    public void Synchronize()
    {
        if (Accelerator is not { } gpu) return;
        try
        {
            gpu.Synchronize();
        }
        catch (Exception e) when (DeviceFailures.Of(e, gpu) is { } failure)
        {
            throw failure;
        }

        DeviceIndexFaults.Of(gpu).ThrowIfAny();
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    internal static Device Of(GpuDevice device) => (Device)device.Owner!;

    internal static Device Own(GpuDevice device)
    {
        lock (device.Lock) return (Device)(device.Owner ??= new Device(device.Name, device));
    }
}
