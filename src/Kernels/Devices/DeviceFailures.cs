using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace Fusion.Kernels;

/// <summary>What a driver's error means for the device.</summary>
internal enum DeviceFailureKind
{
    /// <summary>Something was asked for that the driver does not do; the device goes on.</summary>
    Refused,

    /// <summary>There is not enough memory.</summary>
    Memory,

    /// <summary>The driver cannot compile or run the kernels.</summary>
    Driver,

    /// <summary>A kernel or the hardware has failed: everything that the process has on the device is gone.</summary>
    Lost,
}

/// <summary>Turns what drivers throw into <see cref="DeviceException"/>s that name the remedy.</summary>
internal static class DeviceFailures
{
    /// <summary>
    /// The exception for one of a driver's, or null for any other. A lost device is remembered: whoever turns to it again gets the same answer at once.
    /// </summary>
    public static DeviceException? Of(Exception error, GpuDevice? device)
    {
        if (error is not AcceleratorException) return null;
        string name = device?.Name ?? "the device";
        switch (KindOf(error))
        {
            case DeviceFailureKind.Lost:
                string message = $"{name} has failed ({Words(error)}). Its arrays are lost, and this process cannot use it any more: save what is with the processor, and "
                    + "start again. Device.Cpu and other devices go on working.";
                device?.Fail(message, error);
                return new DeviceException(message, error);
            case DeviceFailureKind.Driver:
                return new DeviceException(
                    $"{name}: its driver cannot run the kernels ({Words(error)}). Update the driver (CUDA 11.0 or newer, OpenCL 2.0 or newer), or use Device.Cpu.", error);
            case DeviceFailureKind.Memory:
                return new DeviceException($"{name} is out of memory ({Words(error)}). Use a smaller batch, or drop references to arrays that are not needed.", error);
            default:
                return new DeviceException($"{name}: the driver refused a call ({Words(error)}). Update the driver, or use Device.Cpu.", error);
        }
    }

    /// <summary>What the driver's error means. Codes are those of <c>cuda.h</c> and <c>cl.h</c>.</summary>
    public static DeviceFailureKind KindOf(Exception error) => error switch
    {
        CudaException cuda => OfCuda(cuda.Error),
        CLException openCL => OfOpenCL((int)openCL.Error),
        OutOfMemoryException => DeviceFailureKind.Memory,
        _ => DeviceFailureKind.Refused,
    };

    /// <summary>More elements than kernels count.</summary>
    public static DeviceException TooLarge(string what, long size, long most) => new(
        $"{what} of {size:N0} elements is too large for a kernel of a device, which counts to {most:N0}. Work on parts of it, or on the processor: To(Device.Cpu).");

    /// <summary>Of CUDA, by the name that ILGPU gives, or the number where it knows no name.</summary>
    public static DeviceFailureKind OfCuda(string? name) => Code(name) switch
    {
        2 => DeviceFailureKind.Memory,
        // No binary, invalid PTX, unsupported PTX version, no JIT compiler; driver and library of different versions, hardware too new for the driver.
        209 or 218 or 221 or 222 or 223 or 803 or 804 => DeviceFailureKind.Driver,
        // Deinitialized; uncorrectable errors of memory and links; addresses, instructions, stacks, time-outs of kernels; a context that is gone.
        4 or 46 or 214 or 220 or 226 or (>= 700 and <= 702) or 709 or 710 or (>= 714 and <= 719) or 999 => DeviceFailureKind.Lost,
        _ => DeviceFailureKind.Refused,
    };

    private static DeviceFailureKind OfOpenCL(int code) => code switch
    {
        -4 or -6 => DeviceFailureKind.Memory,
        // The compiler is missing, or has refused the kernel.
        -3 or -11 or -15 or -17 or -42 => DeviceFailureKind.Driver,
        // Not available; out of resources, which is how kernels that fail are reported; a context or queue that is gone.
        -2 or -5 or -34 or -36 => DeviceFailureKind.Lost,
        _ => DeviceFailureKind.Refused,
    };

    private static int Code(string? name) => Enum.TryParse(name, out CudaError code) ? (int)code : -1;

    private static string Words(Exception error) => error switch
    {
        CudaException cuda => $"CUDA error {Code(cuda.Error)}: {error.Message}",
        CLException openCL => $"OpenCL error {(int)openCL.Error}: {error.Message}",
        _ => error.Message,
    };
}
