namespace Fusion.Tests;

/// <summary>Writing in place is allowed unless backward needs the old value.</summary>
public sealed class SavedVersionTests
{
    public static TheoryData<string> Writes => [.. s_writes.Keys];

    private static readonly Dictionary<string, Action<NDArray>> s_writes = new()
    {
        ["Fill"] = static x => x.Fill(9),
        ["CopyFrom"] = static x => x.CopyFrom([9f, 9f]),
        ["Assign"] = static x => x.Assign(Nd.Ones(2)),
        ["Elements"] = static x => x[0] = Nd.Scalar(9),
    };

    [Theory]
    [MemberData(nameof(Writes))]
    public void AnOverwrittenSavedValueIsNamedWithOperatorAndLine(string write)
    {
        NDArray x = Leaf.Of(1, 2), factor = Nd.Array([3f, 4]);
        NDArray y;
        using (Autograd.Record()) y = x * factor;
        s_writes[write](factor);
        string[] parts = ["Backward of Multiply", "input 1", "Float32 (2,)", $"overwritten in place by {write} at SavedVersionTests.cs:", "Copy()"];
        Expect.Throws<AutogradException>(() => y.Backward(), parts);
        Expect.Elements(x.Grad, 0, 0);
        Assert.False(x.FreshGrad);
    }

    [Theory]
    [MemberData(nameof(Writes))]
    public void AValueThatBackwardDoesNotNeedMayBeOverwritten(string write)
    {
        NDArray x = Leaf.Of(1, 2), term = Nd.Array([3f, 4]);
        NDArray y;
        using (Autograd.Record()) y = x + term;
        s_writes[write](term);
        s_writes[write](y);
        s_writes[write](x);
        y.Backward();
        Expect.Elements(x.Grad, 1, 1);
    }

    public static TheoryData<string> ConstantOperands => [.. s_constantOperands.Keys];

    // x is the variable; the gradient needs the other operand, not x itself.
    private static readonly Dictionary<string, Func<NDArray, NDArray>> s_constantOperands = new()
    {
        ["x · number"] = static x => x * 3,
        ["array · x"] = static x => Nd.Array([3f, 3]) * x,
        ["x / array"] = static x => x / Nd.Full(2, 1 / 3.0),
        ["x % array"] = static x => 3 * (x % Nd.Full(2, 100)),
        ["matrix product"] = static x => Nd.MatMul(x, 3 * Nd.Eye(2)),
        ["layer with constant weight"] = static x => Nd.FullyConnected(x.Reshape(1, 2), 3 * Nd.Eye(2), Nd.Ones(2)),
    };

    [Theory]
    [MemberData(nameof(ConstantOperands))]
    public void AnOperandThatOnlyAConstantsGradientWouldNeedIsNotSaved(string name)
    {
        NDArray x = Leaf.Of(1, 2);
        NDArray y;
        using (Autograd.Record()) y = s_constantOperands[name](x);
        Assert.Equal(0, x.SaveCount);
        x.Fill(100);
        y.Backward();
        Expect.Near(1e-6, x.Grad, 3, 3);
    }

    [Fact]
    public void AnOverwrittenOutputIsFoundToo()
    {
        NDArray x = Leaf.Of(1);
        NDArray y;
        using (Autograd.Record()) y = x.Exp();
        y.Fill(0);
        Expect.Throws<AutogradException>(() => y.Backward(), "Backward of Exp", "output");
    }

    [Fact]
    public void WritesToViewsAndCopiesDoNotReachTheSavedValue()
    {
        NDArray x = Leaf.Of(1, 2), factor = Nd.Array([3f, 4]);
        NDArray y;
        using (Autograd.Record()) y = x * factor;
        NDArray view = factor[..];
        view.Fill(0);
        factor.Copy().Fill(0);
        factor.Detach().Fill(0);
        y.Backward();
        Expect.Elements(x.Grad, 3, 4);
    }

    [Fact]
    public void ASourceThatIsWrittenLeavesASavedViewAlone()
    {
        NDArray x = Leaf.Of(1, 2), table = Nd.Array([3f, 4, 5]);
        NDArray y;
        using (Autograd.Record()) y = x * table[1..];
        table.Fill(0);
        y.Backward();
        Expect.Elements(x.Grad, 4, 5);
    }

    [Theory]
    [MemberData(nameof(Writes))]
    public void AWriteToARecordedArrayWhileRecordingIsAnErrorAtTheWrite(string write)
    {
        NDArray x = Leaf.Of(1, 2);
        using (Autograd.Record())
        {
            NDArray y = x * 1;
            foreach (NDArray recorded in new[] { x, y })
            {
                string message = Assert.Throws<AutogradException>(() => s_writes[write](recorded)).Message;
                Assert.Contains($"{write}: Inplace operations are not supported when recording with autograd", message, StringComparison.Ordinal);
                Assert.Contains("Autograd.Pause()", message, StringComparison.Ordinal);
            }

            Expect.Elements(x, 1, 2);
            Expect.Elements(y, 1, 2);
            y.Backward();
        }

        Expect.Elements(x.Grad, 1, 1);
    }

    [Fact]
    public void AWriteThatWouldLoseAGradientIsAnErrorAtTheWrite()
    {
        NDArray x = Leaf.Of(1, 2), target = Nd.Zeros(2);
        using (Autograd.Record())
        {
            foreach (Action write in new Action[] { () => target.Assign(x * 2), () => target[0] = x[0] })
                Assert.Contains("no gradient would flow", Assert.Throws<AutogradException>(write).Message, StringComparison.Ordinal);
            target.Assign((x * 2).Detach());
        }

        Expect.Elements(target, 2, 4);
    }

    [Fact]
    public void AnUpdateBetweenTwoBackwardsOfARetainedGraphIsFound()
    {
        NDArray w = Leaf.Of(3);
        NDArray y;
        using (Autograd.Record()) y = w * w;
        y.Backward(retainGraph: true);
        w.Assign(w - 0.1 * w.Grad!);
        Expect.Throws<AutogradException>(() => y.Backward(), "Backward of Multiply", "Assign");
        using (Autograd.Record()) (w * w).Backward();
        Expect.Near(1e-6, w.Grad, 2 * 2.4);
    }

    [Fact]
    public void AnUpdateAfterBackwardIsTheOrdinaryCase()
    {
        NDArray w = Leaf.Of(2);
        for (int i = 0; i < 20; i++)
        {
            using (Autograd.Record()) (w - 5).Square().Backward();
            w.Assign(w - 0.25 * w.Grad!);
        }

        Expect.Near(1e-5, w, 5);
    }

    [Fact]
    public void ADisposedSavedValueIsNamed()
    {
        NDArray x = Leaf.Of(1), factor = Nd.Ones(1);
        NDArray y;
        using (Autograd.Record()) y = x * factor;
        factor.Dispose();
        Expect.Throws<ObjectDisposedException>(() => y.Backward(), "Multiply", "disposed");
    }
}
