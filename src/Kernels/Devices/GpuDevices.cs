using System.Runtime.InteropServices;
using System.Runtime.Loader;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace Fusion.Kernels;

/// <summary>The accelerators of this machine, found at first use: CUDA first, OpenCL where there is no CUDA, and the debug device.</summary>
internal static class GpuDevices
{
    private static readonly Lazy<Context> s_context = new(CreateContext);
    private static readonly Lazy<(IReadOnlyList<ILGPU.Runtime.Device> Devices, string? Failure)> s_found = new(Find);
    private static readonly Lazy<GpuDevice> s_debug = new(static () => OpenDebug("debug"));
    private static readonly List<string> s_refusals = [];
    private static readonly Lazy<GpuDevice[]> s_opened = new(() => new GpuDevice[s_found.Value.Devices.Count]);

    /// <summary>Accelerators that can be opened.</summary>
    public static int Count => s_found.Value.Devices.Count;

    /// <summary>Why there is none, or null.</summary>
    public static string? Failure => s_found.Value.Failure;

    public static Context Context => s_context.Value;

    public static GpuDevice Debug => s_debug.Value;

    /// <summary>A debug device of its own.</summary>
    public static GpuDevice OpenDebug(string name) => new(Context.GetCPUDevice(0).CreateAccelerator(Context), GpuBackend.Debug, name);

    /// <summary>The accelerator with this index, opened at first use.</summary>
    public static GpuDevice Open(int index)
    {
        GpuDevice[] opened = s_opened.Value;
        lock (opened) return opened[index] ??= Open(s_found.Value.Devices[index], index);
    }

    private static GpuDevice Open(ILGPU.Runtime.Device device, int index)
    {
        string name = $"gpu{index} ({device.Name.Trim()})";
        try
        {
            return new(device.CreateAccelerator(Context), device is CudaDevice ? GpuBackend.Cuda : GpuBackend.OpenCL, name);
        }
        catch (Exception e) when (e is AcceleratorException or NotSupportedException)
        {
            throw new DeviceException(
                $"{name} cannot be opened: {e.Message}. Another process may hold it for itself, or its driver may be too old (CUDA 11.0, OpenCL 2.0): update it, or use Device.Cpu.", e);
        }
    }

    private static Context CreateContext()
    {
        // ILGPU asks for "OpenCL"; Linux distributions have the versioned name only, unless development files are installed.
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += static (_, name) =>
            name == "OpenCL" && OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libOpenCL.so.1", out nint handle) ? handle : 0;
        return Context.Create(static builder =>
        {
            builder.Optimize(OptimizationLevel.O2).CPU(CPUDevice.GetDevice(CPUDeviceKind.Default));
            DeviceIntrinsics.Register(builder);
            try
            {
                builder.Cuda();
            }
            catch (Exception e) when (e is DllNotFoundException or NotSupportedException or AcceleratorException)
            {
                Refuse("CUDA", e);
            }

            try
            {
                builder.OpenCL(static _ => true);
            }
            catch (Exception e) when (e is DllNotFoundException or NotSupportedException or AcceleratorException)
            {
                Refuse("OpenCL", e);
            }
        });
    }

    // No driver is no refusal; one that is too old is.
    private static void Refuse(string platform, Exception e)
    {
        if (e is not DllNotFoundException) s_refusals.Add($"{platform}: {e.Message}");
    }

    /// <summary>Why there is no accelerator, given what drivers said when they were asked.</summary>
    public static string Explain(IReadOnlyList<string> refusals) => refusals.Count == 0
        ? "no CUDA driver and no OpenCL platform was found"
        : $"there is a driver that cannot be used, perhaps too old (CUDA 11.0 and OpenCL 2.0 are needed): {string.Join("; ", refusals)}";

    private static (IReadOnlyList<ILGPU.Runtime.Device>, string?) Find()
    {
        List<ILGPU.Runtime.Device> cuda = [.. Context.GetCudaDevices()];
        if (cuda.Count > 0) return (cuda, null);
        List<ILGPU.Runtime.Device> openCL = [.. Context.GetCLDevices()];
        foreach (CLDevice device in openCL.Cast<CLDevice>()) AssumeGenericAddresses(device);
        return (openCL, openCL.Count > 0 ? null : Explain(s_refusals));
    }

    // OpenCL C 3.0 made them optional; pocl has them and does not say so in the way ILGPU asks.
    private static void AssumeGenericAddresses(CLDevice device) =>
        device.Capabilities.GetType().GetProperty("GenericAddressSpace")?.SetValue(device.Capabilities, true);
}
