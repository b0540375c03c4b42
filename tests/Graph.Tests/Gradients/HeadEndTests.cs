namespace Fusion.Tests;

/// <summary>Results of a compiled function that cannot be differentiated say so as eagerly: never recorded, detached, or without a gradient.</summary>
public sealed class HeadEndTests
{
    private static readonly Dictionary<string, (Func<NDArray, NDArray> F, string Says)> s_functions = new()
    {
        ["constant"] = (static _ => Nd.Ones(2), "never recorded"),
        ["computed from constants"] = (static _ => Nd.Ones(2) * 2, "no input requires a gradient"),
        ["ones like"] = (static x => x.OnesLike(), "no input requires a gradient"),
        ["full like"] = (static x => x.FullLike(3), "no input requires a gradient"),
        ["stopped"] = (static x => (x * 2).StopGradient(), "no input requires a gradient"),
        ["detached"] = (static x => (x * 2).Detach(), "detached"),
        ["detached before"] = (static x => x.Detach() * 2, "no input requires a gradient"),
        ["drawn"] = (static _ => Nd.Random.Uniform(0, 1, 2), "no input requires a gradient"),
        ["paused"] = (Paused, "never recorded"),
    };

    public static TheoryData<string, bool> Cases
    {
        get
        {
            TheoryData<string, bool> rows = [];
            foreach (string name in s_functions.Keys)
            {
                rows.Add(name, false);
                rows.Add(name, true);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void TheHeadSaysWhyItHasNoGradient(string name, bool besideAGradient)
    {
        (Func<NDArray, NDArray> f, string says) = s_functions[name];
        ListFunction list = x => besideAGradient ? [x[0] * 3, f(x[0])] : [f(x[0])];
        HybridFunction<ListFunction> compiled = list.Hybridize(Check.Strict);
        NDArray variable = TestArrays.Uniform(2);
        variable.AttachGrad();
        foreach (ListFunction g in (ListFunction[])[list, compiled.Invoke, compiled.Invoke])
        {
            NDArray head;
            using (Autograd.Record()) head = g([variable])[^1];
            Assert.Contains(says, Assert.Throws<AutogradException>(() => head.Backward()).Message, StringComparison.Ordinal);
            Assert.Contains(says, Assert.Throws<AutogradException>(() => Autograd.Grad(head, variable)).Message, StringComparison.Ordinal);
            NDArray Unused() => Autograd.Grad([head], [variable], allowUnused: true)[0];
            if (says == "no input requires a gradient") Check.Same(Nd.Zeros(2), Unused());
            else Assert.Contains(says, Assert.Throws<AutogradException>(Unused).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void AnInputThatIsReturnedIsWhatItWas()
    {
        NDArray variable = TestArrays.Uniform(2);
        variable.AttachGrad();
        NDArray detached, stopped;
        using (Autograd.Record()) (detached, stopped) = ((variable * 2).Detach(), (variable * 2).StopGradient());
        ListFunction identity = static x => [x[0]];
        HybridFunction<ListFunction> compiled = identity.Hybridize(Check.Strict);
        foreach ((NDArray input, string says) in new[] { (detached, "detached"), (stopped, "no input requires a gradient"), (Nd.Ones(2), "never recorded") })
        {
            NDArray head;
            using (Autograd.Record()) head = compiled.Invoke([input])[0];
            Assert.Contains(says, Assert.Throws<AutogradException>(() => head.Backward()).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void AReleasedHeadNamesWhatMadeIt()
    {
        NDArray variable = TestArrays.Uniform(2);
        variable.AttachGrad();
        ListFunction f = static x => [x[0].Tanh(), x[0].Exp()];
        IReadOnlyList<NDArray> heads;
        using (Autograd.Record()) heads = f.Hybridize(Check.Strict).Invoke([variable]);
        heads[1].Backward();
        Assert.Contains("reached Exp, whose graph was already released", Assert.Throws<AutogradException>(() => heads[1].Backward()).Message, StringComparison.Ordinal);
    }

    private static NDArray Paused(NDArray x)
    {
        using (Autograd.Pause()) return x * 2;
    }
}
