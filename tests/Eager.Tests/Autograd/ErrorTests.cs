namespace Fusion.Tests;

/// <summary>Heads that cannot be differentiated: four causes, four messages, with MXNet's words inside.</summary>
public sealed class ErrorTests
{
    private const string MxnetPhrase = "Cannot differentiate node because it is not in a computational graph";

    public static TheoryData<string> Calls => ["Backward", "Backward of a list", "Grad", "Grad of lists", "Grad with unused"];

    [Theory]
    [MemberData(nameof(Calls))]
    public void NeverRecorded(string call)
    {
        NDArray x = Leaf.Of(1);
        NDArray y = x * 2;
        Expect.Throws<AutogradException>(() => Differentiate(call, y, x), MxnetPhrase, "never recorded", "Autograd.Record()");
        Expect.Throws<AutogradException>(() => Differentiate(call, Nd.Ones(1), x), "never recorded");
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public void NoInputRequiresAGradient(string call)
    {
        NDArray x = Leaf.Of(1);
        NDArray y;
        using (Autograd.Record()) y = Nd.Ones(2) * 3;
        if (call == "Grad with unused") Expect.Elements(Autograd.Grad([y], [x], allowUnused: true)[0], 0);
        else Expect.Throws<AutogradException>(() => Differentiate(call, y, x), MxnetPhrase, "no input requires a gradient", "AttachGrad()");
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public void Released(string call)
    {
        NDArray x = Leaf.Of(3);
        NDArray y;
        using (Autograd.Record()) y = x * x;
        y.Backward();
        Expect.Throws<AutogradException>(() => Differentiate(call, y, x), "Multiply", "already released", "retainGraph: true");
        Expect.Elements(x.Grad, 6);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public void Detached(string call)
    {
        NDArray x = Leaf.Of(3);
        NDArray y;
        using (Autograd.Record()) y = (x * x).Detach();
        Expect.Throws<AutogradException>(() => Differentiate(call, y, x), MxnetPhrase, "detached", "Detach()");
    }

    /// <summary>Operators whose gradient is 0, as MXNet's BlockGrad and ones_like; outside a recording what they give has no history at all.</summary>
    [Theory]
    [MemberData(nameof(Calls))]
    public void FunctionsThatStopGradientsAreRecorded(string call)
    {
        NDArray x = Leaf.Of(1.5f);
        Func<NDArray, NDArray>[] functions = [Nd.StopGradient, Nd.OnesLike, Nd.ZerosLike, static x => x.FullLike(2), static x => x.Detach() * 2];
        foreach (Func<NDArray, NDArray> f in functions)
        {
            NDArray y;
            using (Autograd.Record()) y = f(x);
            if (call == "Grad with unused") Expect.Elements(Autograd.Grad([y], [x], allowUnused: true)[0], 0);
            else Expect.Throws<AutogradException>(() => Differentiate(call, y, x), "no input requires a gradient", "StopGradient");
        }

        Expect.Throws<AutogradException>(() => Differentiate(call, x.StopGradient(), x), "detached");
        Expect.Throws<AutogradException>(() => Differentiate(call, x.OnesLike(), x), "never recorded");
    }

    [Fact]
    public void ASecondHeadThatSharesAReleasedPartNamesThatCause()
    {
        NDArray x = Leaf.Adding(3);
        NDArray shared, first, second;
        using (Autograd.Record())
        {
            shared = x * x;
            (first, second) = (shared * 2, shared * 5);
        }

        first.Backward();
        string[] parts = ["Multiply", "already released", "another head that shares this part of the graph", "pass all heads to one Backward"];
        Expect.Throws<AutogradException>(() => second.Backward(), parts);
        Expect.Elements(x.Grad, 12);
    }

    [Fact]
    public void AFailedBackwardDeliversNothing()
    {
        NDArray x = Leaf.Of(3), w = Leaf.Of(5);
        NDArray shared, kept, second;
        using (Autograd.Record())
        {
            shared = x * x;
            kept = shared + w;
            second = kept * w;
        }

        kept.AttachGrad();
        shared.Backward();
        Expect.Throws<AutogradException>(() => second.Backward(), "already released");
        Expect.Elements(x.Grad, 6);
        Expect.Elements(w.Grad, 0);
        Expect.Elements(kept.Grad, 0);
        Assert.False(w.FreshGrad || kept.FreshGrad);
    }

    [Fact]
    public void HeadsMustBeLiveFloatingPointArrays()
    {
        NDArray x = Leaf.Of(3);
        NDArray count;
        using (Autograd.Record()) count = x.AsType(DType.Int32);
        Expect.Throws<DTypeException>(() => count.Backward(), "Backward", "Int32");
        NDArray y;
        using (Autograd.Record()) y = x * x;
        y.Dispose();
        Expect.Throws<ObjectDisposedException>(() => y.Backward(), "Backward");
        Expect.Throws<ArgumentNullException>(() => Autograd.Backward((NDArray)null!));
        Expect.Throws<ArgumentNullException>(() => Autograd.Backward((IReadOnlyList<NDArray>)null!));
        Expect.Throws<ArgumentNullException>(() => Autograd.Backward([x, null!]), "head 1");
    }

    [Fact]
    public void AFailedOperatorLeavesTapeAndStateAlone()
    {
        NDArray x = Leaf.Of(1, 2);
        using (Autograd.Record())
        {
            NDArray y = x * x;
            Assert.Throws<ShapeException>(() => y + Nd.Ones(3));
            Assert.Throws<ArgumentOutOfRangeException>(() => y.Sum(5));
            Assert.Throws<IndexOutOfRangeException>(() => y[2]);
            Assert.True(Autograd.IsRecording && Autograd.IsTraining);
            y.Backward();
        }

        Expect.Elements(x.Grad, 2, 4);
    }

    private static void Differentiate(string call, NDArray head, NDArray variable)
    {
        switch (call)
        {
            case "Backward": head.Backward(); break;
            case "Backward of a list": Autograd.Backward([head]); break;
            case "Grad": Autograd.Grad(head, variable); break;
            case "Grad of lists": Autograd.Grad([head], [variable]); break;
            default: Autograd.Grad([head], [variable], allowUnused: true); break;
        }
    }
}
