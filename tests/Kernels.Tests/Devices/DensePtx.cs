using System.Reflection;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace Fusion.Tests;

/// <summary>The text of a kernel for CUDA, which is written without a device.</summary>
internal sealed class DensePtx
{
    private static readonly Lazy<Context> s_context = new(static () => Context.Create(static builder => builder.Optimize(OptimizationLevel.O2)));

    private DensePtx(string text) => Text = text;

    public string Text { get; }

    /// <summary>Compiles a static method, whose type arguments are given, for these multiprocessors.</summary>
    public static DensePtx Of(Type type, string method, int multiprocessor, params Type[] arguments)
    {
        (CudaArchitecture architecture, CudaInstructionSet set) = multiprocessor switch
        {
            80 => (CudaArchitecture.SM_80, CudaInstructionSet.ISA_70),
            90 => (CudaArchitecture.SM_90, CudaInstructionSet.ISA_80),
            _ => throw new ArgumentOutOfRangeException(nameof(multiprocessor)),
        };
        using var backend = new PTXBackend(s_context.Value, architecture, set, null!);
        MethodInfo kernel = type.GetMethod(method)!.MakeGenericMethod(arguments);
        var specialization = new KernelSpecialization(256, 1);
        return new DensePtx(((PTXCompiledKernel)backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(kernel), specialization)).PTXAssembly);
    }

    /// <summary>How often a regular expression occurs.</summary>
    public int Count(string pattern) => Regex.Count(Text, pattern);

    /// <summary>Products whose only use is the sum on the next line, which CUDA's assembler contracts.</summary>
    public int Contractible(string type) =>
        Regex.Matches(Text, $@"mul\.{type}\s+(%f\w+),[^;]*;\s*add\.{type}\s+%f\w+, %f\w+, (%f\w+);").Count(m => m.Groups[1].Value == m.Groups[2].Value);

    /// <summary>One entry, no calls, nothing spilled, no generic addresses.</summary>
    public void AssertClean(string what)
    {
        Assert.True(Count(@"\.entry") == 1, what);
        Assert.True(Count(@"\.local") == 0, $"{what}: local memory");
        Assert.True(Count(@"\bcall\b") == 0, $"{what}: calls");
        Assert.True(Count(@"\b(ld|st)\.(v\d\.)?[fbus]\d") == 0, $"{what}: generic addresses");
    }
}
