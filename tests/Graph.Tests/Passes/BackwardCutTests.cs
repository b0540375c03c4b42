using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>What forward keeps for backward: nothing that backward does not read, the fewest bytes, and never so few that contractions, reductions or random numbers come twice.</summary>
public sealed class BackwardCutTests
{
    [Fact]
    public void CheapValuesAreComputedAgain() =>
        Assert.DoesNotContain(Saved(Check.List(static x => (x * 2).Tanh().Exp() * x), TestArrays.Uniform((3, 4))), static n => n.Op.Name is "Multiply" or "Tanh");

    [Fact]
    public void ProductsAndReductionsAreNotComputedAgain()
    {
        FunctionTrace trace = Trace(Check.List(static (x, w) => (x.MatMul(w).Tanh().Exp() * x.Sum([1], keepDims: true)).Exp()), TestArrays.Uniform((3, 4)), TestArrays.Uniform((4, 2)));
        HashSet<GraphNode> forward = [.. new GraphFunction(trace.Inputs, trace.Outputs, trace.Effects).Operators];
        Assert.DoesNotContain(Backward(trace, out _).Operators, n => n.Op.Name is "MatMul" or "Sum" && forward.Contains(n));
    }

    [Fact]
    public void ACheckpointIsComputedAgain()
    {
        NDArray w = TestArrays.Uniform((4, 4));
        ListFunction f = Check.List(x => Autograd.Checkpoint(y => y.MatMul(w).Tanh().MatMul(w).Exp(), x).Square());
        FunctionTrace trace = Trace(f, TestArrays.Uniform((3, 4)));
        GraphFunction backward = Backward(trace, out List<GraphNode> saved);
        Assert.Empty(saved);
        Assert.Equal(4, backward.Operators.Count(static n => n.Op.Name == "MatMul"));
        ListFunction plain = Check.List(x => x.MatMul(w).Tanh().MatMul(w).Exp().Square());
        Assert.Equal(2, Backward(Trace(plain, TestArrays.Uniform((3, 4))), out _).Operators.Count(static n => n.Op.Name == "MatMul"));
        Check.Both(f, TestArrays.Uniform((3, 4)));
    }

    [Fact]
    public void TheFewestBytesAreKept()
    {
        // Of what lies between a product and what backward reads, the mask is the smallest.
        List<OpNode> saved = Saved(Check.List(static (x, w) => Nd.Where(x.MatMul(w) > 0, x.Sum([1], keepDims: true), -1.0)), TestArrays.Uniform((3, 4)), TestArrays.Uniform((4, 2)));
        Assert.Equal(["Greater"], saved.Select(static n => n.Op.Name));

        // One row's mean instead of the rows that are made of it.
        saved = Saved(Check.List(static x => ((x.Mean([1], keepDims: true) * 2 + x).Square() * x.Mean([1], keepDims: true)).Exp()), TestArrays.Uniform((3, 40)));
        Assert.All(saved, static n => Assert.True(n.Shape.Size == 3 || n.Op.Name == "Exp", n.Op.Name));
    }

    [Fact]
    public void LongChainsAreCutInLinearTime()
    {
        FunctionTrace trace = Trace(Check.List(static x =>
        {
            for (int i = 0; i < 2000; i++) x = i % 50 == 0 ? x.MatMul(x) : (x * 1.01).Tanh();
            return x;
        }), TestArrays.Uniform((4, 4)));
        Backward(trace, out List<GraphNode> saved);
        Assert.InRange(saved.Count, 40, 2100);
    }

    [Fact]
    public void ACutIsTheSmallestOneNearestToTheSinks()
    {
        // a → b → c, a → d → c: through c alone, or through b and d.
        MinimumCut network = new();
        int a = network.Add(5), b = network.Add(1), d = network.Add(1), c = network.Add(2);
        network.FromSource(a);
        network.Connect(a, b);
        network.Connect(a, d);
        network.Connect(b, c);
        network.Connect(d, c);
        network.ToSink(c);
        Assert.Equal([false, false, false, true], network.Solve());
    }

    [Fact]
    public void RandomNumbersAreKept() =>
        Assert.Contains("RandomUniform", Saved(Check.List(static x => (x * Nd.Random.Uniform(0, 1, x.Shape)).Exp()), TestArrays.Uniform((3, 4))).Select(static n => n.Op.Name));

    [Fact]
    public void TheMaskOfADropoutIsKeptAndNotItsNumbers() =>
        Assert.Equal(["GreaterOrEqual"], Saved(Check.List(static x => x.Dropout(0.5)), TestArrays.Uniform((3, 4))).Select(static n => n.Op.Name));

    [Fact]
    public void NothingIsKeptThatBackwardDoesNotRead() => Assert.Empty(Saved(Check.List(static (x, y) => (x.MatMul(y) + x.Sum() + 1) * 2), TestArrays.Uniform((4, 4)), TestArrays.Uniform((4, 4))));

    [Fact]
    public void WhatDependsOnAHeadGradientIsComputedInBackward()
    {
        FunctionTrace trace = Trace(Check.List(static x => x.Sum(0).Exp()), TestArrays.Uniform((3, 4)));
        GraphFunction backward = BackwardCut.Backward(trace, [], out List<GraphNode> saved);
        Assert.DoesNotContain(saved, n => trace.Heads.Contains(n));
        Assert.Equal(trace.Inputs.Length + saved.Count + trace.Heads.Count(static h => h is not null), backward.Arguments.Count);
        GraphVerifier.Verify(backward);
    }

    private static List<OpNode> Saved(ListFunction f, params NDArray[] inputs)
    {
        Backward(Trace(f, inputs), out List<GraphNode> saved);
        return [.. saved.OfType<OpNode>()];
    }

    private static GraphFunction Backward(FunctionTrace trace, out List<GraphNode> saved)
    {
        GraphFunction forward = new(trace.Inputs, trace.Outputs, trace.Effects);
        HashSet<GraphNode> materialised = Plan.Materialised(forward, Grouper.Group(forward, KernelCompiler.IsAvailable));
        GraphFunction backward = BackwardCut.Backward(trace, materialised, out saved);
        GraphVerifier.Verify(backward);
        return backward;
    }

    private static FunctionTrace Trace(ListFunction f, params NDArray[] inputs) =>
        FunctionTrace.Run(f, [.. inputs.Select(static x => x.Type)], [.. inputs.Select(static _ => true)], training: true);
}
