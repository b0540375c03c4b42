using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>What forward keeps for backward: nothing that backward does not read, and nothing only for its sake but contractions, reductions and random numbers.</summary>
public sealed class BackwardCutTests
{
    [Fact]
    public void CheapValuesAreComputedAgain() =>
        Assert.DoesNotContain(Saved(Check.List(static x => (x * 2).Tanh().Exp() * x), TestArrays.Uniform((3, 4))), static n => n.Op.Name is "Multiply" or "Tanh");

    [Fact]
    public void ProductsAndReductionsAreKept() =>
        Assert.Contains("MatMul", Saved(Check.List(static (x, w) => x.MatMul(w).Tanh().Exp()), TestArrays.Uniform((3, 4)), TestArrays.Uniform((4, 2))).Select(static n => n.Op.Name));

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
        FunctionTrace trace = Trace(f, inputs);
        GraphFunction forward = new(trace.Inputs, trace.Outputs, trace.Effects);
        HashSet<GraphNode> materialised = Plan.Materialised(forward, Grouper.Group(forward, KernelCompiler.IsAvailable));
        BackwardCut.Backward(trace, materialised, out List<GraphNode> saved);
        return [.. saved.OfType<OpNode>()];
    }

    private static FunctionTrace Trace(ListFunction f, params NDArray[] inputs) =>
        FunctionTrace.Run(f, [.. inputs.Select(static x => x.Type)], [.. inputs.Select(static _ => true)], training: true);
}
