using System.Diagnostics.CodeAnalysis;
using System.Numerics;
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
        return TreePrinter.Print(tree.Parameters, tree.Statements, methodName);
    }

    /// <summary>The kernel of contiguous arrays as NVIDIA's intermediate code for a compute capability (80: 8.0, which newer drivers compile further).</summary>
    /// <param name="spec">The kernel.</param>
    /// <param name="capability">80 or 90.</param>
    /// <param name="tensors">For so many sets of arrays: see <see cref="DeviceManyElements"/>.</param>
    public static string ToPtx(KernelSpec spec, int capability = 80, int tensors = 1) =>
        ToPtx(DeviceElementKey.Contiguous(spec, spec.Is64 ? DType.Float64 : DType.Float32) with { Tensors = tensors }, Architecture(capability));

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
        return TreePrinter.Print(tree.Parameters, tree.Statements, methodName);
    }

    /// <summary>The row kernel for many contiguous rows of a length.</summary>
    public static string ToPtx(RowSpec spec, int length, int capability = 80) =>
        ToPtx(DeviceRows.Key(spec, length, length % 4 == 0, group: 256, warp: 32, isFilled: false), Architecture(capability));

    /// <summary>A row kernel as NVIDIA's intermediate code.</summary>
    public static string ToPtx(DeviceRowKey key, CudaArchitecture architecture)
    {
        DeviceRowTree tree = DeviceRowTree.Build(key);
        return ToPtx(DeviceMethod.Create(tree.Parameters, tree.Statements), architecture);
    }

    /// <summary>The product of aligned row-major matrices, or the convolution, with this work on its elements, by tiles.</summary>
    /// <param name="key">The work.</param>
    /// <param name="isConvolution">Of images, with at most 32 taps; else of matrices.</param>
    /// <param name="large">By large tiles: see <see cref="TileLaunch{T}.Plan"/>.</param>
    /// <param name="capability">80 or 90.</param>
    public static string ToPtx(ProductCodeKey key, bool isConvolution, bool large, int capability = 80) =>
        key.Spec.Is64 ? ToPtx<double>(key, isConvolution, large, capability) : ToPtx<float>(key, isConvolution, large, capability);

    [UnconditionalSuppressMessage("Trimming", "IL2055", Justification = "Nothing is asked of the members of the type arguments but what the interface has.")]
    [UnconditionalSuppressMessage("Trimming", "IL2060", Justification = "As above.")]
    [UnconditionalSuppressMessage("Trimming", "IL2076", Justification = "As above.")]
    private static string ToPtx<T>(ProductCodeKey key, bool isConvolution, bool large, int capability)
        where T : unmanaged, INumber<T>
    {
        if (!KernelCompiler.IsAvailable) throw KernelCompiler.NotAvailable();
        Type columns = isConvolution ? typeof(PatchGather<T, PatchBits>) : typeof(LineQuads<T>), target = isConvolution ? typeof(PlaneQuads<,>) : typeof(QuadTarget<,>);
        Type[] arguments = [typeof(T), typeof(DepthQuads<T>), columns, target.MakeGenericType(typeof(T), ProductCode<T>.Of(key).Body)];
        string name = large ? nameof(TileKernels.Large) : nameof(TileKernels.Small);
        return ToPtx(typeof(TileKernels).GetMethod(name)!.MakeGenericMethod(arguments), Architecture(capability));
    }

    private static CudaArchitecture Architecture(int capability) => capability >= 90 ? CudaArchitecture.SM_90 : CudaArchitecture.SM_80;

    /// <summary>An explicitly grouped kernel as NVIDIA's intermediate code.</summary>
    public static string ToPtx(System.Reflection.MethodInfo kernel, CudaArchitecture architecture)
    {
        CudaInstructionSet instructions = architecture.Major < 9 ? CudaInstructionSet.ISA_70 : CudaInstructionSet.ISA_80;
        using PTXBackend backend = new(GpuDevices.Context, architecture, instructions, null!);
        return ((PTXCompiledKernel)backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(kernel), default)).PTXAssembly;
    }
}
