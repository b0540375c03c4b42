using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>A kernel that cannot be compiled is no error: its operators run one by one, to the same bits, and the report says why.</summary>
[Collection(nameof(ProcessState))]
public sealed class KernelFailureTests
{
    private static readonly (string Name, ListFunction F)[] s_functions =
    [
        ("elementwise", Check.List(static (x, y) => (x * 3 + y).Tanh() * x.Sigmoid())),
        ("rows", Check.List(static (x, y) => ((x - x.Mean(1, keepDims: true)) * 5 + y).Softmax() * y)),
        ("sums", Check.List(static (x, y) => (x * y).Exp().Mean() * 7)),
        ("product", Check.List(static (x, y) => (x.MatMul(y.Transpose()) + 4).Relu())),
        ("several tensors", static x => [x[0] * 3 + 5, x[1] * 4 + 6]),
    ];

    public static TheoryData<string, bool> Cases
    {
        get
        {
            TheoryData<string, bool> data = [];
            foreach ((string name, _) in s_functions)
            {
                data.Add(name, true);
                data.Add(name, false);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void RunsTheOperatorsOneByOne(string name, bool all)
    {
        ListFunction f = s_functions.Single(row => row.Name == name).F;
        NDArray[] inputs = [TestArrays.Uniform((9, 20), 1), TestArrays.Uniform((9, 20), 2)];
        int asked = 0;
        KernelCompiler.FaultOfThread = _ => all || asked++ == 0 ? "the test says so" : null;
        try
        {
            HybridReport report = Check.Backward(f, inputs);
            FusionGroup[] failed = [.. report.Groups.Where(static g => g.Reason == "its kernel could not be compiled: the test says so")];
            Assert.NotEmpty(failed);
            Assert.All(failed, static g => Assert.Equal("Library", g.Kind));
            Assert.False(report.FellBack);
            Assert.Contains("the test says so", report.ToString(), StringComparison.Ordinal);
            if (all) Assert.DoesNotContain(report.Groups, static g => g.Kind is not ("Library" or "View"));
        }
        finally
        {
            KernelCompiler.FaultOfThread = null;
        }
    }

    /// <summary>Of an operator alone, of several, and where a kernel of fewer of them can be compiled.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void RowKernelsAreReplacedByTheirParts(bool several, bool shorterOnes)
    {
        ListFunction f = several ? Check.List(static (x, y) => ((x * 2 + y).Softmax() * y).LogSoftmax() + y) : Check.List(static (x, _) => x.Softmax());
        NDArray[] inputs = [TestArrays.Uniform((9, 100), 1), TestArrays.Uniform((9, 100), 2)];
        int longest = 0;
        Check.Backward(f, inputs);
        KernelCompiler.RowFaultOfThread = spec =>
        {
            longest = Math.Max(longest, spec.Steps.Length);
            return !shorterOnes || spec.Steps.Length == longest ? "the test says so" : null;
        };
        try
        {
            HybridReport report = Check.Backward(f, inputs);
            Assert.True(longest > 0);
            Assert.False(report.FellBack);
            Assert.Contains(report.Groups, static g => g.Kind == "Rows");
        }
        finally
        {
            KernelCompiler.RowFaultOfThread = null;
        }
    }
}
