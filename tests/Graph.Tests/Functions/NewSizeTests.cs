using Fusion.NN;

namespace Fusion.Tests;

/// <summary>Sizes are arguments of the kernels, also where they became numbers (the 1/n of a mean): a new size is planned anew and compiles nothing.</summary>
public sealed class NewSizeTests
{
    private static readonly (string Name, ListFunction F)[] s_functions =
    [
        ("mean", Check.List(static x => x.Tanh().Mean())),
        ("mean squared error", Check.List(static x => Loss.MeanSquaredError(x.Sin(), x * 0.25))),
        ("variance", Check.List(static x => x.Var() + x.Std([0]).Sum())),
        ("cross-entropy", Check.List(static x => Loss.SoftmaxCrossEntropy(x * 3, x.ArgMax(-1)))),
        ("normalized rows", Check.List(static x => ((x - x.Mean(1, keepDims: true)) / (x.Var([1], keepDims: true) + 1e-5).Sqrt()).Mean())),
        ("a size as a number", Check.List(static x => (x * x.Shape[0]).Exp() / x.Size)),
    ];

    public static TheoryData<string> Names => [.. s_functions.Select(static f => f.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void CompileNothing(string name)
    {
        ListFunction f = s_functions.Single(row => row.Name == name).F;
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        int kernels = 0;
        foreach (int batch in (int[])[12, 16, 24, 37, 100])
        {
            NDArray x = TestArrays.Uniform((batch, 6), batch);
            (IReadOnlyList<NDArray> results, NDArray?[] gradients) = Check.Gradients(f, x);
            (IReadOnlyList<NDArray> own, NDArray?[] ownGradients) = Check.Gradients(compiled.Invoke, x);
            Check.Same(results, own, $"batch {batch}, result");
            Check.Same(gradients, ownGradients, $"batch {batch}, gradient");
            if (kernels == 0) kernels = compiled.Report.CompileCount;
            Assert.Equal(kernels, compiled.Report.CompileCount);
        }

        Assert.Equal(5, compiled.Report.VariantCount);
    }
}
