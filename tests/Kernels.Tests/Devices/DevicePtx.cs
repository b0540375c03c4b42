using System.Reflection;
using System.Text.RegularExpressions;
using Fusion.Kernels;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;

namespace Fusion.Tests;

/// <summary>The code that ILGPU writes for NVIDIA's processors, to be looked at where there is none.</summary>
internal static class DevicePtx
{
    /// <summary>The PTX of a generic kernel.</summary>
    public static string Of(Type type, string method, params Type[] arguments)
    {
        MethodInfo kernel = type.GetMethod(method, BindingFlags.Static | BindingFlags.Public)!;
        if (arguments.Length > 0) kernel = kernel.MakeGenericMethod(arguments);
        using var backend = new PTXBackend(GpuDevices.Context, CudaArchitecture.SM_80, CudaInstructionSet.ISA_70, null!);
        return ((PTXCompiledKernel)backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(kernel), default)).PTXAssembly;
    }

    public static int Count(string ptx, string pattern) => Regex.Count(ptx, pattern);

    /// <summary>The most matches in one piece of code without a label or branch: loads that are under way together.</summary>
    public static int Together(string ptx, string pattern) =>
        Regex.Split(ptx, @"^\s*L_\w+:|\bbra\b|\bbar\b", RegexOptions.Multiline).Max(block => Count(block, pattern));

    /// <summary>One entry point, everything inlined, nothing in local memory. (What became one instruction leaves an empty function that nobody calls.)</summary>
    public static void AssertClean(string ptx)
    {
        Assert.Equal(1, Count(ptx, @"\.entry"));
        Assert.Equal(0, Count(ptx, @"\bcall\b"));
        Assert.Equal(0, Count(ptx, @"\.local\b"));
    }
}
