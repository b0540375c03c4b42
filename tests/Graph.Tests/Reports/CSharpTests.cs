using System.Reflection;
using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>The C# of a compiled function compiles, and gives its bits when it is run in place of the compiled kernels.</summary>
public sealed class CSharpTests
{
    private static readonly (string Name, ListFunction F)[] s_functions =
    [
        ("chain", Check.List(static (x, y) => ((x * 2 + y).Tanh() - 0.1).Exp() / 3)),
        ("constants", Check.List(static (x, y) => Nd.Where(x > y, x * double.PositiveInfinity, -0.0) + 1e-42)),
        ("masks", Check.List(static (x, y) => Nd.Where(Nd.LogicalAnd(x > 0, y < 1), x.Gelu(), y.Log()))),
        ("float64", Check.List(static (x, y) => x.Sin() * y.Erf() + Math.PI)),
    ];

    public static TheoryData<string> Names => [.. s_functions.Select(static f => f.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void PrintedKernelsGiveTheBits(string name)
    {
        ListFunction f = s_functions.Single(row => row.Name == name).F;
        DType dtype = name == "float64" ? DType.Float64 : DType.Float32;
        NDArray[] x = [TestArrays.Special((13, 21), 1, dtype), TestArrays.Special((13, 21), 2, dtype)];
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        IReadOnlyList<NDArray> expected = compiled.Invoke(x);
        Type kernels = Roslyn.Compile(compiled.ToCSharp(), "FusedKernels");
        MethodInfo method = Assert.Single(kernels.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly));

        GraphFunction function = Graphs.Of(f, x);
        List<PlanGroup> groups = Grouper.Group(function, fuse: true);
        LoweredKernel kernel = LoweredKernel.Lower(Assert.Single(groups), Plan.Materialised(function, groups).Contains);
        NDArray output = Nd.Zeros((13, 21), dtype);
        NDArray[] inputs = [.. kernel.Inputs.Select(i => i is ConstantNode number ? Nd.Scalar(number.Value, number.DType) : x[((InputNode)i).Index])];
        ElementExecution.Run(new ElementKernel(method.CreateDelegate<ElementLoop>()), kernel.ScalarMask, inputs, [output], output.Shape);
        Check.Same(expected[0], output);
    }

    [Fact]
    public void SourceLinesAreCommentsWhereTheyAreKnown()
    {
        HybridFunction<ListFunction> f = Check.List(static x => (x * 1.625).Tanh()).Hybridize(Check.Strict with { Verify = HybridVerify.FirstCall });
        Check.Gradients(f.Invoke, TestArrays.Uniform((3, 4)));
        string text = f.ToCSharp();
        Assert.Matches(@"// Multiply at CSharpTests\.cs:\d+\r?\n// Tanh at CSharpTests\.cs:\d+\r?\npublic static void Kernel0\(", text);
        Assert.NotNull(Roslyn.Compile(text, "FusedKernels").GetMethod("Kernel0"));
    }

    [Fact]
    public void ForwardAndBackwardOfAllVariantsAreThereOnce()
    {
        HybridFunction<ListFunction> f = Check.List(static (x, w) => (x.MatMul(w) + 1.25).Tanh().Exp() * 0.75).Hybridize(Check.Strict);
        Assert.DoesNotContain("Kernel0", f.ToCSharp(), StringComparison.Ordinal);
        Check.Gradients(f.Invoke, TestArrays.Uniform((3, 4)), TestArrays.Uniform((4, 5)));
        string once = f.ToCSharp();
        Check.Gradients(f.Invoke, TestArrays.Uniform((7, 4)), TestArrays.Uniform((4, 5)));
        Assert.Equal(once, f.ToCSharp());
        Type kernels = Roslyn.Compile(once, "FusedKernels");
        Assert.InRange(kernels.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly).Length, 1, 4);
    }
}
