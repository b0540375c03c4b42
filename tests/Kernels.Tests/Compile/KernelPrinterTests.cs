using System.Numerics;
using System.Runtime.Loader;
using Fusion.Kernels;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Fusion.Tests.Compile;

/// <summary>Printed kernels compile with the C# compiler, outside this library, and give the bits of the kernel.</summary>
public class KernelPrinterTests
{
    // Read once: compilations of the same references share what the compiler has made of them.
    private static readonly MetadataReference[] s_references =
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(static p => MetadataReference.CreateFromFile(p))];

    [Fact]
    public void PrintedKernelsCompileAndGiveTheSameBits()
    {
        KernelSpec[] specs =
        [
            .. ElementOps.All.Select(op => KernelSpec.Of(op, is64: false)),
            .. Enumerable.Range(100, 24).Select(seed => SpecRunner.RandomSpec(new Random(seed), seed % 2 == 1, seed < 120 ? 12 : 80)),
        ];
        KernelSpec halves = new(
            false, [new(Half: DType.Float16), new(IsScalar: true, Half: DType.BFloat16)], [KernelStep.Of(ElementOps.Add, 0, 1)], [2, 2], [DType.Float16, DType.BFloat16]);
        Assert.NotNull(CompileWithRoslyn([KernelCompiler.ToCSharp(halves, "Halves")]).GetMethod("Halves"));
        Type printed = CompileWithRoslyn(specs.Select((spec, i) => KernelCompiler.ToCSharp(spec, "Kernel" + i)));
        for (int i = 0; i < specs.Length; i++)
        {
            ElementKernel kernel = new(printed.GetMethod("Kernel" + i)!.CreateDelegate<ElementLoop>());
            if (specs[i].Is64) Check<double>(specs[i], kernel, i);
            else Check<float>(specs[i], kernel, i);
        }
    }

    [Theory]
    [InlineData(0.1, "0.1f")]
    [InlineData(-0.0, "-0f")]
    [InlineData(double.NegativeInfinity, "float.NegativeInfinity")]
    [InlineData(double.NaN, "BitConverter.UInt32BitsToSingle(0xFFC00000)")]
    public void ConstantsArePrintedToTheBit(double constant, string expected)
    {
        KernelSpec spec = new(false, [new()], [KernelStep.Of(constant), KernelStep.Of(ElementOps.Add, 0, 1)], [2]);
        Assert.Contains($"Create({expected})", KernelCompiler.ToCSharp(spec, "Kernel"));
    }

    private static void Check<T>(KernelSpec spec, ElementKernel printed, int seed) where T : unmanaged, IFloatingPointIeee754<T>
    {
        T[][] inputs = SpecRunner.RandomInputs<T>(new Random(seed), spec, 97);
        byte[][] expected = SpecRunner.Run(spec, KernelCompiler.Compile(spec), inputs, 97);
        byte[][] actual = SpecRunner.Run(spec, printed, inputs, 97);
        for (int i = 0; i < expected.Length; i++)
        {
            int at = expected[i].AsSpan().CommonPrefixLength(actual[i]);
            Assert.True(at == expected[i].Length, $"Kernel{seed}, output {i}: byte {at} is {actual[i].ElementAtOrDefault(at)}, expected {expected[i].ElementAtOrDefault(at)}.");
        }
    }

    internal static Type CompileWithRoslyn(IEnumerable<string> methods)
    {
        string source = $"{KernelPrinter.Usings}public static class Printed\n{{\n{string.Join("\n", methods)}}}\n";
        CSharpCompilation compilation = CSharpCompilation.Create(
            "Printed" + Guid.NewGuid().ToString("N"),
            [CSharpSyntaxTree.ParseText(source)],
            s_references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release));
        using MemoryStream image = new();
        Microsoft.CodeAnalysis.Emit.EmitResult result = compilation.Emit(image);
        Assert.True(result.Success, string.Join("\n", result.Diagnostics.Take(10)) + "\n" + source[..Math.Min(4000, source.Length)]);
        image.Position = 0;
        return AssemblyLoadContext.Default.LoadFromStream(image).GetType("Printed")!;
    }
}
