using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>How functions are cut into launches: proof against cycles, limits, determinism.</summary>
public sealed class GrouperTests
{
    private static readonly NDArray s_x = TestArrays.Uniform((8, 6));

    [Fact]
    public void AGroupNeverNeedsWhatItMakes()
    {
        // MXNet's test of fusion cycles: both sums lie between the two groups.
        ListFunction f = static x =>
        {
            NDArray a = x[0].Relu();
            NDArray b = x[1].Relu();
            return [a + b.Sum(1, keepDims: true), b + a.Sum(1, keepDims: true)];
        };
        List<PlanGroup> groups = Group(f, s_x, s_x);
        AssertOrdered(groups);
        Check.Both(f, TestArrays.Uniform((8, 1)), TestArrays.Uniform((8, 1), 2));
    }

    [Fact]
    public void AValueThatComesBackThroughTheLibraryIsInALaterGroup()
    {
        List<PlanGroup> groups = Group(Check.List(static x =>
        {
            NDArray a = x.Exp();
            return a * a.MatMul(a.Transpose()).Sum() + a;
        }), s_x);
        AssertOrdered(groups);
        Assert.Contains(groups, static g => g.Kind == GroupKind.Elementwise);
    }

    /// <summary>The way back leads through a launch that lies before all of the two, but needs one that has grown past their first operator.</summary>
    [Fact]
    public void AGroupNeverNeedsWhatItMakesThroughALaunchThatHasGrown()
    {
        NDArray rows = Nd.Array([1, 0, 3]);
        AssertGradients(
            x =>
            {
                NDArray first = x[0].Softplus(), added = Nd.IndexAdd(x[1], rows, first[..3].Reshape(3, 33, 1)).BroadcastTo((5, 33, 2));
                NDArray second = x[0].Softplus().Mish();
                return [added.Gelu(), second];
            },
            TestArrays.Uniform((5, 1, 33)),
            TestArrays.Uniform((5, 33, 1), 2));

        // Here of launches that are run together, tile by tile.
        AssertGradients(
            static x =>
            {
                NDArray tanh = x[0].Tanh(), normal = x[0].LayerNorm(), joined = Nd.Stack([normal, tanh, normal], 0);
                return [Nd.Minimum(x[1], normal * 0.9), joined];
            },
            TestArrays.Uniform((8, 30)),
            TestArrays.Uniform((1, 30), 2));

        static void AssertGradients(ListFunction f, params NDArray[] x)
        {
            foreach (NDArray variable in x) variable.AttachGrad();
            NDArray[] heads = [.. f(x).Select(static (y, i) => TestArrays.Uniform(y.Shape, 10 + i))];
            foreach (bool withSum in (bool[])[false, true])
            {
                ListFunction gradients = v =>
                {
                    using RecordScope scope = Autograd.Record();
                    NDArray sum = f(v).Select((y, i) => (y * heads[i]).Sum()).Aggregate(static (a, b) => a + b);
                    NDArray[] all = Autograd.Grad([sum], v);
                    return withSum ? [sum, .. all] : all;
                };
                Check.Same(gradients(x), gradients.Hybridize(Check.Strict).Invoke(x));
            }
        }
    }

    [Fact]
    public void AValueThatComesBackThroughALaunchThatReachesAcrossIsInALaterGroup()
    {
        // The group of h and first reads s; the sums come before s in the program, and read h.
        ListFunction f = static x =>
        {
            NDArray h = Long(x[0]);
            NDArray sums = h.CumSum(1);
            NDArray s = Long(x[1]);
            NDArray first = h + s;
            return [first, s + sums];
        };
        AssertOrdered(Group(f, s_x, s_x));
        Check.Both(f, TestArrays.Uniform((8, 6)), TestArrays.Uniform((8, 6), 2));

        static NDArray Long(NDArray x)
        {
            for (int i = 0; i < 65; i++) x = x * 0.5 + 1;
            return x;
        }
    }

    [Fact]
    public void OperatorsOfOtherShapesAreOtherGroups() =>
        Assert.Equal("Exp | Sin·Add", Graphs.Text(Group(Check.List(static (x, y) => x.Exp() + y.Sin()), Nd.Ones(6), s_x)));

    [Fact]
    public void TwoConsumersJoinTheirProducer() =>
        Assert.Equal("Exp·Sin·Cos", Graphs.Text(Group(static x =>
        {
            NDArray e = x[0].Exp();
            return [e.Sin(), e.Cos()];
        }, s_x)));

    [Fact]
    public void LimitsHold()
    {
        NDArray[] many = [.. Enumerable.Range(0, 60).Select(static i => TestArrays.Uniform(9, i))];
        AssertLimits(static x => [x.Aggregate(static (a, b) => a + b)], many);
        AssertLimits(static x => [.. x.Select(v => v * x[0] + x[1])], many);
        AssertLimits(static x => [x.Aggregate(static (a, b) => (a * b).Gelu().Tanh())], many);
        AssertLimits(static x => [.. Enumerable.Range(1, 40).Select(i => x[0].Exp() * i)], many);
        Check.Both(static x => [.. Enumerable.Range(1, 40).Select(i => x[0].Exp() * i)], many[0]);
        Check.Both(static x => [x.Aggregate(static (a, b) => a + b)], many);

        static void AssertLimits(ListFunction f, NDArray[] inputs)
        {
            GraphFunction function = Graphs.Of(f, inputs);
            List<PlanGroup> groups = Grouper.Group(function, fuse: true);
            AssertOrdered(groups);
            HashSet<GraphNode> written = Plan.Materialised(function, groups);
            foreach (PlanGroup group in groups.Where(static g => g.Kind == GroupKind.Elementwise))
            {
                Assert.True(group.Members.Sum(static m => m.Op.Element!.Weight) <= Grouper.MaxWeight);
                Assert.True(group.Members.SelectMany(static m => m.Inputs).Distinct().Count(i => i is not ConstantNode && !group.Members.Contains(i)) <= Grouper.MaxInputs);
                Assert.True(group.Members.Count(written.Contains) <= Grouper.MaxOutputs);
            }

            Assert.Equal(function.Operators.Count, groups.Sum(static g => g.Members.Count));
        }
    }

    [Fact]
    public void TheCutIsTheSameEveryTime()
    {
        ListFunction f = Check.List(static (x, y) => ((x * y).Softmax() + x.Sum(0).Exp() * y).Tanh().MatMul(x.Transpose()) + 1);
        string first = Graphs.Text(Group(f, s_x, s_x));
        for (int i = 0; i < 5; i++) Assert.Equal(first, Graphs.Text(Group(f, s_x, s_x)));
    }

    [Fact]
    public void RandomNumbersAreMadeByTheKernelsThatReadThem() =>
        Assert.Equal("RandomNormal·Exp | RandomUniform·RandomUniform·Add | RandomUniform", Graphs.Text(Group(static x =>
        {
            NDArray late = Nd.Random.Uniform(0, 1, 3);
            NDArray early = Nd.Random.Normal(0, 1, 3).Exp();
            _ = Nd.Random.Normal(0, 1, 3);
            return [early, Nd.Random.Uniform(0, 1, 3) + late, Nd.Random.Uniform(0, 1, 3), x[0]];
        }, s_x)));

    [Fact]
    public void RandomNumbersHaveTheirPlacesInProgramOrder()
    {
        GraphFunction function = Graphs.Of(static x =>
        {
            NDArray late = Nd.Random.Uniform(0, 1, 65);
            _ = Nd.Random.Permutation(33);
            return [Nd.Random.Normal(0, 1, 3) * 2, late];
        }, s_x);
        Assert.Equal([("RandomUniform", 0ul), ("RandomNormal", 64)], function.Operators.Where(static n => n.Op.Impure).Select(n => (n.Op.Name, function.BlocksBefore(n))));
        Assert.Equal(80ul, function.DrawnBlocks);
    }

    [Fact]
    public void WithoutACompilerEveryOperatorIsAlone() =>
        Assert.All(Grouper.Group(Graphs.Of(Check.List(static x => (x * 2).Exp() + 1), s_x), fuse: false), static g =>
        {
            Assert.Single(g.Members);
            Assert.NotEqual(GroupKind.Elementwise, g.Kind);
        });

    [Fact]
    public void EveryGroupSaysWhy() => Assert.All(
        Group(Check.List(static x => (x * 2).MatMul(x.Transpose()).Reshape(-1).AsType(DType.Int32) + 1), s_x), static g => Assert.NotEmpty(g.Reason));

    private static List<PlanGroup> Group(ListFunction f, params NDArray[] inputs) => Grouper.Group(Graphs.Of(f, inputs), KernelCompiler.IsAvailable);

    private static void AssertOrdered(List<PlanGroup> groups)
    {
        HashSet<GraphNode> done = [];
        HashSet<GraphNode> all = [.. groups.SelectMany(static g => g.Members)];
        foreach (PlanGroup group in groups)
        {
            foreach (OpNode member in group.Members)
                foreach (GraphNode input in member.Inputs)
                    Assert.True(!all.Contains(input) || done.Contains(input) || group.Members.Contains(input), $"{member.Op.Name} runs before its input");
            done.UnionWith(group.Members);
        }
    }
}
