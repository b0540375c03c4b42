using System.Text.RegularExpressions;
using Fusion.Kernels;
using ILGPU.Runtime.Cuda;
using Microsoft.CodeAnalysis.CSharp;

namespace Fusion.Tests.Devices;

/// <summary>The code that CUDA's compiler gets, which needs no device; and the C# that people get.</summary>
[Collection(nameof(OneDevice))]
public class DeviceKernelTextTests
{
    private static readonly Dictionary<string, KernelSpec> s_catalogue = new()
    {
        ["Add"] = KernelSpec.Of(ElementOps.Add, false),
        ["Gelu"] = KernelSpec.Of(ElementOps.Gelu, false),
        ["GeluSlope"] = KernelSpec.Of(ElementOps.GeluSlope, false),
        ["GeluTanh"] = KernelSpec.Of(ElementOps.GeluTanh, false),
        ["Tanh"] = KernelSpec.Of(ElementOps.Tanh, false),
        ["Sin"] = KernelSpec.Of(ElementOps.Sin, false),
        ["Mod"] = KernelSpec.Of(ElementOps.Mod, false),
        ["Where"] = KernelSpec.Of(ElementOps.Where, false),
        ["AddDouble"] = KernelSpec.Of(ElementOps.Add, true),
        ["Adam"] = Adam(),
        ["Masks"] = Masks(),
    };

    public static TheoryData<string, int> Catalogue
    {
        get
        {
            TheoryData<string, int> data = [];
            foreach (string name in s_catalogue.Keys)
            {
                data.Add(name, 8);
                data.Add(name, 9);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Catalogue))]
    public void CudaCodeIsOneStraightFunction(string name, int major)
    {
        string ptx = Ptx(DeviceElementKey.Contiguous(s_catalogue[name], name == "AddDouble" ? DType.Float64 : DType.Float32), major);
        Assert.Single(Regex.Matches(ptx, @"\.entry"));
        // The functions that stand for intrinsics are declared and never called.
        Assert.Empty(Regex.Matches(ptx, @"\bcall\b|\.approx|\.ftz|\.local"));
        // Nothing that the assembler may contract or flush.
        Assert.Empty(Regex.Matches(ptx, @"\b(add|sub|mul|fma)\.f(32|64)"));
    }

    [Theory]
    [InlineData("Add", 2, 1)]
    [InlineData("GeluTanh", 1, 1)]
    [InlineData("Tanh", 1, 1)]
    [InlineData("Where", 2, 1)]
    [InlineData("Adam", 4, 3)]
    public void AlignedArraysAreMovedInWholeVectors(string name, int loads, int stores)
    {
        string ptx = Ptx(DeviceElementKey.Contiguous(s_catalogue[name], DType.Float32), 8);
        Assert.Equal(loads, Regex.Count(ptx, @"ld\.\S*v4\.f32"));
        Assert.Equal(stores, Regex.Count(ptx, @"st\.\S*v4\.f32"));
    }

    [Fact]
    public void DoublesAreMovedInPairs() =>
        Assert.Equal(4, Regex.Count(Ptx(DeviceElementKey.Contiguous(s_catalogue["AddDouble"], DType.Float64), 8), @"ld\.\S*v2\.f64"));

    [Theory]
    [InlineData("softmax", 4, 0, false, 6)]
    [InlineData("softmax", 4, 2, false, 2)]
    [InlineData("softmax", 1, 0, false, 12)]
    [InlineData("softmax", 1, 16, false, 16)]
    [InlineData("softmax", 1, 0, true, 12)]
    [InlineData("layer norm", 4, 0, false, 10)]
    [InlineData("layer norm", 4, 4, false, 12)]
    [InlineData("layer norm", 1, 0, false, 20)]
    [InlineData("layer norm gradient", 4, 0, false, 18)]
    [InlineData("layer norm gradient", 1, 8, false, 24)]
    public void RowKernelsReduceInSharedMemory(string name, int lanesPerThread, int chunks, bool isLong, int loads)
    {
        RowSpec spec = name switch
        {
            "softmax" => RowPrograms.Softmax(false),
            "layer norm" => RowPrograms.Normalize(false, true, true, true),
            _ => RowPrograms.NormalizeGradient(false, true, true),
        };
        bool quads = lanesPerThread == 4;
        string ptx = DeviceKernelText.ToPtx(new DeviceRowKey(spec, 256, lanesPerThread, quads, chunks, isLong, 0, 0), CudaArchitecture.SM_80);
        Assert.Single(Regex.Matches(ptx, @"\.entry"));
        Assert.Empty(Regex.Matches(ptx, @"\bcall\b|\.approx|\.ftz|\.local|\b(add|sub|mul|fma)\.f(32|64)"));
        Assert.Equal(name == "layer norm gradient" ? 2 : 1, Regex.Count(ptx, @"^\s*\.shared", RegexOptions.Multiline));
        // Two barriers for each of two rounds of reductions, and for the results of the blocks of long rows.
        Assert.Equal(isLong ? 10 : 4, Regex.Count(ptx, @"\bbar(rier)?\.sync"));
        Assert.Equal(loads, Regex.Count(ptx, quads ? @"ld\.global\S*v4\.f32" : @"ld\.global\S*f32"));
        Assert.Equal(chunks > 0 ? chunks : quads ? 2 : 4, Regex.Count(ptx, quads ? @"st\.global\S*v4\.f32" : @"st\.global\S*f32"));
    }

    [Theory]
    [InlineData("Adam")]
    [InlineData("Sin")]
    [InlineData("Mod")]
    [InlineData("Masks")]
    public void CSharpParses(string name)
    {
        string text = DeviceKernelText.ToCSharp(DeviceElementKey.Contiguous(s_catalogue[name], DType.Float32), name);
        Assert.Empty(CSharpSyntaxTree.ParseText($"static class Kernels {{ {text} }}").GetDiagnostics());
        Assert.StartsWith($"public static void {name}(int n, ArrayView<float> v0", text);
    }

    [Fact]
    public void AnAdditionReadsLikeOneWrittenByHand() => Assert.Equal(
        """
        public static void Add(int n, ArrayView<float> v0, ArrayView<float> v1, ArrayView<float> v2)
        {
            int i = DeviceMemory.Thread();
            int threads = DeviceMemory.Threads();
            while (DeviceMemory.IsBelow(i, n))
            {
                float t0 = DeviceMath.Add(DeviceMemory.Load(v0, i), DeviceMemory.Load(v1, i));
                DeviceMemory.Store(v2, i, t0);
                i = i + threads;
            }
        }

        """,
        DeviceKernelText.ToCSharp(DeviceElementKey.Contiguous(s_catalogue["Add"], DType.Float32) with { Quads = false }, "Add"),
        ignoreLineEndingDifferences: true);

    [Fact]
    public void RowKernelsAreCSharp()
    {
        string text = DeviceKernelText.ToCSharp(new DeviceRowKey(RowPrograms.LogSoftmax(false), 256, 4, true, 0, true, 0, 0), "LogSoftmax");
        Assert.Empty(CSharpSyntaxTree.ParseText($"static class Kernels {{ {text} }}").GetDiagnostics());
    }

    private static string Ptx(DeviceElementKey key, int major) => DeviceKernelText.ToPtx(key, major == 8 ? CudaArchitecture.SM_80 : CudaArchitecture.SM_90);

    // x, g, m, v and the step's two numbers: new m, new v, new x.
    private static KernelSpec Adam() => new(
        false, [new(), new(), new(), new(), new(IsScalar: true), new(IsScalar: true)],
        [
            KernelStep.Of(0.9), KernelStep.Of(0.1), KernelStep.Of(0.999), KernelStep.Of(0.001), KernelStep.Of(1e-8),
            KernelStep.Of(ElementOps.Multiply, 2, 6), KernelStep.Of(ElementOps.FusedMultiplyAdd, 1, 7, 11),
            KernelStep.Of(ElementOps.Square, 1), KernelStep.Of(ElementOps.Multiply, 3, 8), KernelStep.Of(ElementOps.FusedMultiplyAdd, 13, 9, 14),
            KernelStep.Of(ElementOps.Multiply, 15, 5), KernelStep.Of(ElementOps.Sqrt, 16), KernelStep.Of(ElementOps.Add, 17, 10),
            KernelStep.Of(ElementOps.Multiply, 12, 4), KernelStep.Of(ElementOps.Divide, 19, 18), KernelStep.Of(ElementOps.Subtract, 0, 20),
        ],
        [12, 15, 21]);

    // (x > y and mask) or not mask → number, and the mask itself.
    private static KernelSpec Masks() => new(
        false, [new(), new(), new(IsMask: true)],
        [
            KernelStep.Of(ElementOps.Greater, 0, 1), KernelStep.Of(ElementOps.LogicalAnd, 3, 2), KernelStep.Of(ElementOps.LogicalNot, 2),
            KernelStep.Of(ElementOps.LogicalXor, 4, 5), KernelStep.Of(ElementOps.MaskToValue, 6),
        ],
        [7, 6]);
}
