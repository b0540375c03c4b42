using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;

namespace Fusion.Kernels;

/// <summary>Kernels of devices as text, for reports and tests; no device is needed.</summary>
internal static class DeviceKernelText
{
    /// <summary>The kernel as a static C# method.</summary>
    public static string ToCSharp(DeviceElementKey key, string methodName)
    {
        DeviceElementTree tree = DeviceElementTree.Build(key);
        return DevicePrinter.Print(tree.Parameters, tree.Statements, methodName);
    }

    /// <summary>The kernel of contiguous arrays as NVIDIA's intermediate code for compute capability 8.0, which newer drivers compile further.</summary>
    public static string ToPtx(KernelSpec spec) => ToPtx(DeviceElementKey.Contiguous(spec, spec.Is64 ? DType.Float64 : DType.Float32), CudaArchitecture.SM_80);

    /// <summary>The kernel as NVIDIA's intermediate code for an architecture, <c>CudaArchitecture.SM_80</c> or newer.</summary>
    public static string ToPtx(DeviceElementKey key, CudaArchitecture architecture)
    {
        DeviceElementTree tree = DeviceElementTree.Build(key);
        return ToPtx(DeviceMethod.Create(tree.Parameters, tree.Statements), architecture);
    }

    /// <summary>A row kernel as a static C# method.</summary>
    public static string ToCSharp(DeviceRowKey key, string methodName)
    {
        DeviceRowTree tree = DeviceRowTree.Build(key);
        return DevicePrinter.Print(tree.Parameters, tree.Statements, methodName);
    }

    /// <summary>The row kernel for many aligned rows of 256 to 1024 elements, all of them in memory, for compute capability 8.0.</summary>
    public static string ToPtx(RowSpec spec) => ToPtx(new DeviceRowKey(spec, 256, 1, false, 16, false, 0, 0), CudaArchitecture.SM_80);

    /// <summary>A row kernel as NVIDIA's intermediate code.</summary>
    public static string ToPtx(DeviceRowKey key, CudaArchitecture architecture)
    {
        DeviceRowTree tree = DeviceRowTree.Build(key);
        return ToPtx(DeviceMethod.Create(tree.Parameters, tree.Statements), architecture);
    }

    /// <summary>An explicitly grouped kernel as NVIDIA's intermediate code.</summary>
    public static string ToPtx(System.Reflection.MethodInfo kernel, CudaArchitecture architecture)
    {
        CudaInstructionSet instructions = architecture.Major < 9 ? CudaInstructionSet.ISA_70 : CudaInstructionSet.ISA_80;
        using PTXBackend backend = new(GpuDevices.Context, architecture, instructions, null!);
        return ((PTXCompiledKernel)backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(kernel), default)).PTXAssembly;
    }
}
