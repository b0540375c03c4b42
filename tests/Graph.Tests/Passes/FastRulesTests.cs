namespace Fusion.Tests;

/// <summary>Rewrites that change rounding: what remains of the graph, results within rounding, and none of them without <c>FastMath</c>.</summary>
public sealed class FastRulesTests
{
    private static readonly (string Name, Func<NDArray, NDArray> F, string[] Remains)[] s_rules =
    [
        ("x/c", static x => x / 3, ["Multiply"]),
        ("(x + c) + d", static x => x + 0.3 + 0.9, ["Add"]),
        ("(x − c) + d", static x => x - 0.3 + 0.9, ["Add"]),
        ("(x + c) − d", static x => x + 0.3 - 0.9, ["Add"]),
        ("(x − c) − d", static x => x - 0.3 - 0.9, ["Subtract"]),
        ("(x·c)·d", static x => x * 0.3 * 0.9, ["Multiply"]),
        ("c·(d·x)", static x => 0.3 * (0.9 * x), ["Multiply"]),
        ("x·c/d", static x => x * 0.3 / 7, ["Multiply"]),
        ("x + 0", static x => x + 0, []),
        ("0 + x", static x => 0 + x, []),
        ("0 − x", static x => 0 - x, ["Negate"]),
        ("x·(−1)", static x => x * -1, ["Negate"]),
        ("x·0", static x => x * 0, ["BroadcastTo"]),
        ("log softmax", static x => x.Softmax().Log(), ["LogSoftmax"]),
        ("log sigmoid", static x => x.Sigmoid().Log(), ["Negate", "Softplus", "Negate"]),
        ("log(1 + x²)", static x => (1 + x.Square()).Log(), ["Square", "LogP1"]),
        ("log(1 + exp x)", static x => (x.Exp() + 1).Log(), ["Softplus"]),
        ("exp x − 1", static x => x.Exp() - 1, ["ExpM1"]),
        ("1/(1 + exp(−x))", static x => 1 / (1 + (-x).Exp()), ["Sigmoid"]),
        ("exp log", static x => x.Abs().Log().Exp(), ["Abs"]),
        ("log exp", static x => x.Exp().Log(), []),
        ("square of the root", static x => x.Abs().Sqrt().Square(), ["Abs"]),
        ("root of the square", static x => x.Square().Sqrt(), ["Abs"]),
        ("x − x", static x => x - x, ["BroadcastTo"]),
        ("x/x", static x => (x + 5) / (x + 5), ["BroadcastTo"]),
        ("(x·y)/y", static x => x * (x + 5) / (x + 5), []),
        ("(x/y)·y", static x => x / (x + 5) * (x + 5), []),
        ("a sum of what was stretched", static x => x.Sum(0).BroadcastTo((9, 5)).Sum(0), ["Sum", "Multiply"]),
        ("a mean of what was stretched", static x => x.ExpandDims(1).BroadcastTo((4, 6, 5)).Mean(1), []),
    ];

    public static TheoryData<string> Names => [.. s_rules.Select(static r => r.Name)];

    private static HybridOptions Fast(HybridVerify verify) => new() { FastMath = true, FallbackToEager = false, Verify = verify };

    [Theory]
    [MemberData(nameof(Names))]
    public void EachRuleAppliesAndStaysWithinRounding(string name)
    {
        (_, Func<NDArray, NDArray> f, string[] remains) = s_rules.Single(r => r.Name == name);
        foreach (DType dtype in (DType[])[DType.Float32, DType.Float64])
        {
            NDArray x = TestArrays.Uniform((4, 5), 3, dtype);
            FunctionTrace trace = FunctionTrace.Run(Check.List(f), [x.Type], null, training: false, fastMath: true);
            GraphFunction function = new(trace.Inputs, trace.Outputs, trace.Effects);
            Assert.Equal(remains, Graphs.Names(function).Where(static n => n != "Reshape"));
            GraphVerifier.Verify(function);

            // Verification itself compares with the eager results and gradients.
            HybridFunction<Func<NDArray, NDArray>> fast = f.Hybridize(Fast(HybridVerify.Always));
            x.AttachGrad();
            NDArray y;
            using (Autograd.Record()) y = fast.Invoke(x);
            if (y.Source is not null) y.Backward();
            NDArray gradient = x.Grad!.Copy();
            x.ZeroGrad();
            using (Autograd.Record()) f(x).Backward();
            double[] expected = x.Grad!.AsType(DType.Float64).ToArray<double>(), actual = gradient.AsType(DType.Float64).ToArray<double>();
            for (int i = 0; i < expected.Length; i++) Assert.InRange(actual[i] - expected[i], -1e-3 * (1 + Math.Abs(expected[i])), 1e-3 * (1 + Math.Abs(expected[i])));
        }
    }

    [Fact]
    public void WithoutFastMathNoneApplies()
    {
        foreach ((string name, Func<NDArray, NDArray> f, string[] remains) in s_rules)
            Assert.True(!Graphs.Names(Graphs.Of(Check.List(f), TestArrays.Uniform((4, 5)))).Where(static n => n != "Reshape").SequenceEqual(remains), name);
    }

    [Fact]
    public void ChainsOfNumbersBecomeOneOfEachKind()
    {
        HybridFunction<Func<NDArray, NDArray>> fast = Hybrid.Hybridize(
            static (NDArray x) =>
            {
                for (int i = 1; i < 20; i++) x = x * (1 + 0.01 * i) / (1 + 0.02 * i);
                for (int i = 1; i < 20; i++) x = x + i - 0.5 * i;
                return x;
            },
            Fast(HybridVerify.FirstCall));
        fast.Invoke(TestArrays.Uniform(100));
        Assert.Equal(["Multiply", "Add"], Assert.Single(fast.Report.Groups).Ops);
    }

    [Fact]
    public void IntegersStayExact()
    {
        NDArray x = TestArrays.Indices((4, 5), 9);
        HybridFunction<Func<NDArray, NDArray>> fast = Hybrid.Hybridize(static (NDArray x) => x * 0 + 7 - x, Fast(HybridVerify.Off));
        Check.Same(x * 0 + 7 - x, fast.Invoke(x));
    }

    [Fact]
    public void VerificationStillFindsWhatIsWrong()
    {
        double factor = 2;
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x * factor / 3, Fast(HybridVerify.Always));
        f.Invoke(TestArrays.Uniform(9));
        factor = 2.5;
        Assert.Contains("operand 2, now 2.5", Assert.Throws<HybridizeException>(() => f.Invoke(TestArrays.Uniform(9))).Message, StringComparison.Ordinal);
        Assert.Equal(1, RoundingComparison.FirstDifference(Nd.Array([100f, 1]), Nd.Array([100f, 1.2f])));
        Assert.Equal(-1, RoundingComparison.FirstDifference(Nd.Array([100f, float.NaN]), Nd.Array([100.01f, 7])));
        Assert.Equal(0, RoundingComparison.FirstDifference(Nd.Array([100f]), Nd.Array([float.NaN])));
        Assert.Equal(-1, RoundingComparison.FirstDifference(Nd.Array([true]), Nd.Array([false])));
        Assert.Equal(-1, RoundingComparison.FirstDifference(Nd.Zeros(0), Nd.Zeros(0)));
    }
}
