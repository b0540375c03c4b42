using Fusion.NN;

namespace Fusion.Tests;

/// <summary>A tape that was recorded eagerly becomes the same compiled function that tracing gives.</summary>
public sealed class FromTapeTests
{
    private static readonly Gru s_gru = new(4, 3, bidirectional: true);

    private static readonly (string Name, ListFunction F)[] s_functions =
    [
        ("recurrent layer", Check.List(static (x, y) => s_gru.Forward(x.Reshape(2, 2, 4), y[..3].Reshape(2, 2, 3)).Output)),
        ("chain", Check.List(static x => ((x * 2 + 1).Tanh() - x).Exp())),
        ("two inputs", Check.List(static (x, y) => x.MatMul(y).Sigmoid() + y.Sum(0))),
        ("views", Check.List(static (x, y) => x.Transpose()[1..].Reshape(-1) * 3 - y.Sum())),
        ("softmax", Check.List(static (x, y) => Nd.Concat([x.Softmax(), y.LogSoftmax()], 1))),
    ];

    public static TheoryData<string> Names => [.. s_functions.Select(static f => f.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void TheTapeGivesTheGroupsOfTheFunction(string name)
    {
        ListFunction f = s_functions.Single(row => row.Name == name).F;
        NDArray[] x = [TestArrays.Uniform((4, 4)), TestArrays.Uniform((4, 4), 2)];
        foreach (NDArray variable in x) variable.AttachGrad();
        NDArray head;
        using (Autograd.Record()) head = f(x)[0];
        int used = name == "chain" ? 1 : 2;
        HybridFunction<ListFunction> lifted = Hybrid.FromTape(head, x.AsSpan(0, used));
        HybridFunction<ListFunction> traced = f.Hybridize(Check.Strict);
        foreach (NDArray[] inputs in (NDArray[][])[x, [TestArrays.Uniform((4, 4), 7), TestArrays.Uniform((4, 4), 8)]])
            Check.Same(f(inputs), lifted.Invoke(inputs[..used]));
        traced.Invoke(x[..used]);
        lifted.Invoke(x[..used]);
        Assert.Equal(traced.Report.Groups.Select(Text), lifted.Report.Groups.Select(Text));
        (IReadOnlyList<NDArray> results, NDArray?[] gradients) = Check.Gradients(f, x);
        (IReadOnlyList<NDArray> own, NDArray?[] ownGradients) = Check.Gradients(lifted.Invoke, x[..used]);
        Check.Same(results, own);
        Check.Same(gradients[..used], ownGradients);

        static string Text(FusionGroup group) => $"{group.Kind} {string.Join('·', group.Ops)} {group.Shape} {group.Reason}";
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void AnotherNumberOfInputsIsAnError(int count)
    {
        NDArray x = Nd.Ones(3);
        x.AttachGrad();
        NDArray head;
        using (Autograd.Record()) head = x * 2;
        HybridFunction<ListFunction> f = Hybrid.FromTape(head, x);
        f.Invoke([x]);
        ArgumentException error = Assert.Throws<ArgumentException>(() => f.Invoke([.. Enumerable.Repeat(x, count)]));
        Assert.Contains($"FromTape: the function has 1 inputs, and was given {count}.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OtherLeavesAreCapturedByReference()
    {
        NDArray x = Nd.Ones(3);
        NDArray w = Nd.Full(3, 2);
        x.AttachGrad();
        NDArray head;
        using (Autograd.Record()) head = x * w;
        HybridFunction<ListFunction> f = Hybrid.FromTape(head, x);
        Check.Same(Nd.Full(3, 2), f.Invoke([x])[0]);
        w.Fill(5);
        Check.Same(Nd.Full(3, 10), f.Invoke([Nd.Full(3, 2)])[0]);
    }

    [Fact]
    public void AnIntermediateMayBeAnInput()
    {
        NDArray x = TestArrays.Uniform(4);
        x.AttachGrad();
        NDArray middle;
        NDArray head;
        using (Autograd.Record())
        {
            middle = x.Exp();
            head = middle * middle + 1;
        }

        HybridFunction<ListFunction> f = Hybrid.FromTape(head, middle);
        Check.Same(Nd.Full(4, 10), f.Invoke([Nd.Full(4, 3)])[0]);
        Assert.DoesNotContain("Exp", f.Report.Groups.SelectMany(static g => g.Ops));
    }

    [Fact]
    public void ErrorsNameTheRemedy()
    {
        NDArray x = Nd.Ones(3);
        Assert.Contains("AttachGrad", Assert.Throws<HybridizeException>(() => Hybrid.FromTape(x * 2, x)).Message, StringComparison.Ordinal);
        x.AttachGrad();
        NDArray y = Nd.Ones(3);
        NDArray head;
        using (Autograd.Record()) head = x * 2;
        Assert.Contains("input 1", Assert.Throws<HybridizeException>(() => Hybrid.FromTape(head, x, y)).Message, StringComparison.Ordinal);
        head.Backward();
        Assert.Throws<AutogradException>(() => Hybrid.FromTape(head, x));
        Assert.Throws<ArgumentNullException>(() => Hybrid.FromTape(null!, x));
    }
}
