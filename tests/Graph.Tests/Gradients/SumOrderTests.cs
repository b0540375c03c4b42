namespace Fusion.Tests;

/// <summary>
/// Gradients are added up in the order of the tape to the last bit, also where an array is used inside and outside of compiled functions, or comes in twice.
/// </summary>
public sealed class SumOrderTests
{
    // Every function is called through a wrapper: as it is, or hybridized.
    private delegate Func<NDArray, NDArray> Wrap(Func<NDArray, NDArray> f);

    private static readonly (string Name, Func<Wrap, NDArray, NDArray, NDArray> Step)[] s_steps =
    [
        ("residual", static (wrap, x, w) =>
        {
            Func<NDArray, NDArray> f = wrap(v => v.Tanh() * v + (v * w).Sigmoid());
            return x + f(x);
        }),
        ("residual before and after", static (wrap, x, w) =>
        {
            Func<NDArray, NDArray> f = wrap(v => v.Tanh() * v + (v * w).Sigmoid());
            return x.Sin() + f(x) * x + w.Exp() * x;
        }),
        ("layers", static (wrap, x, w) =>
        {
            Func<NDArray, NDArray> f = wrap(v => (v * w).Tanh() * v + w.Sin());
            for (int i = 0; i < 4; i++) x = x + f(x) * 0.3;
            return x * w;
        }),
        ("different layers", static (wrap, x, w) =>
        {
            for (int i = 0; i < 3; i++)
            {
                int layer = i;
                Func<NDArray, NDArray> f = wrap(v => (v * w + layer).Tanh() * v - w * 0.1);
                x = x + f(x);
            }

            return x.Square();
        }),
        ("shared weights", static (wrap, x, w) =>
        {
            Func<NDArray, NDArray> f = wrap(v => (v * w).Tanh() + w * w);
            Func<NDArray, NDArray> g = wrap(v => (v + w).Sigmoid() * w);
            return f(x) * g(x) + w * f(g(x));
        }),
        ("broadcast weights", static (wrap, x, w) =>
        {
            NDArray row = w[0];
            Func<NDArray, NDArray> f = wrap(v => (v * row).Tanh() * row + row.Exp());
            return f(x) + row + f(x * row);
        }),
        ("an intermediate result", static (wrap, x, w) =>
        {
            NDArray h = (x * w).Tanh();
            Func<NDArray, NDArray> f = wrap(v => v.Tanh() * h + v * h.Exp());
            return h * f(x) + h + f(h);
        }),
        ("identity", static (wrap, x, w) =>
        {
            Func<NDArray, NDArray> same = wrap(static v => v);
            return same(x) * w + x.Exp() * same(x) + x.Sin();
        }),
        ("captured identity", static (wrap, x, w) =>
        {
            Func<NDArray, NDArray> same = wrap(_ => w);
            return same(x) * x + w.Exp() * same(x) + w.Sin();
        }),
        ("an alias of a captured array", static (wrap, x, w) =>
        {
            NDArray alias = w.BroadcastTo(w.Shape);
            return wrap(v => v * w + alias.Exp() + w.Sin())(x) * w;
        }),
    ];

    public static TheoryData<string, GradReq> Steps
    {
        get
        {
            TheoryData<string, GradReq> data = [];
            foreach ((string name, _) in s_steps)
            {
                data.Add(name, GradReq.Write);
                data.Add(name, GradReq.Add);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void AreThoseOfTheTape(string name, GradReq request)
    {
        Func<Wrap, NDArray, NDArray, NDArray> step = s_steps.Single(row => row.Name == name).Step;
        Check.Same(Gradients(step, static f => f, request), Gradients(step, static f => f.Hybridize(Check.Strict).Invoke, request), "gradient");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void TheSameArrayTwiceAmongTheInputs(int order)
    {
        NDArray w = Variable(3);
        Func<NDArray, NDArray, NDArray, NDArray> f = (a, b, c) => a.Tanh() * b + (b * c).Exp() * a + c * w + a.Sin() * w;
        HybridFunction<Func<NDArray, NDArray, NDArray, NDArray>> compiled = f.Hybridize(Check.Strict);
        NDArray[][] gradients = new NDArray[2][];
        for (int i = 0; i < 2; i++)
        {
            Func<NDArray, NDArray, NDArray, NDArray> g = i == 0 ? f : compiled.Invoke;
            NDArray x = Variable(1);
            using RecordScope scope = Autograd.Record();
            NDArray head = g(x, x, w) * x + g(w, x, x) + g(x, w, w) * w;
            gradients[i] = Derivatives(head, [x, w], order);
        }

        Check.Same(gradients[0], gradients[1], "gradient");
    }

    /// <summary>Values inside the function are where gradients of both orders meet: x·tanh is used by the penalty and by the loss.</summary>
    [Theory]
    [MemberData(nameof(Steps))]
    public void WithAGradientPenalty(string name, GradReq request)
    {
        Func<Wrap, NDArray, NDArray, NDArray> step = s_steps.Single(row => row.Name == name).Step;
        NDArray Penalized(Wrap wrap, NDArray x, NDArray w)
        {
            NDArray y = step(wrap, x, w);
            NDArray slope = Autograd.Grad(y, x, createGraph: true);
            return y.Square() + slope * slope + (slope * y).Sin();
        }

        Check.Same(Gradients(Penalized, static f => f, request), Gradients(Penalized, static f => f.Hybridize(Check.Strict).Invoke, request), "gradient");
    }

    /// <summary>Results may be marked before and after their function has come onto the tape call by call.</summary>
    [Fact]
    public void MarkedResultsOfAFunctionThatIsDifferentiatedTwice()
    {
        Func<NDArray, NDArray> f = static x => x.Tanh() * x + x.Exp();
        HybridFunction<Func<NDArray, NDArray>> compiled = f.Hybridize(Check.Strict);
        NDArray?[][] gradients = new NDArray?[2][];
        for (int i = 0; i < 2; i++)
        {
            NDArray x = Variable(1);
            using RecordScope scope = Autograd.Record();
            NDArray y = (i == 0 ? f : compiled.Invoke)(x);
            NDArray z = (i == 0 ? f : compiled.Invoke)(y);
            y.AttachGrad();
            NDArray slope = Autograd.Grad(z, y, createGraph: true);
            z.AttachGrad();
            (slope * slope + z * y + z.Sin()).Backward();
            gradients[i] = [x.Grad, y.Grad, z.Grad];
            y.DropGrad();
            Assert.Null(y.Grad);
        }

        Check.Same(gradients[0], gradients[1], "gradient");
    }

    [Fact]
    public void SeveralThreadsDifferentiateOneCall()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => x.Tanh() * x + x.Exp(), Check.Strict);
        NDArray x = Variable(1);
        NDArray y;
        using (Autograd.Record()) y = f.Invoke(x);
        NDArray[] slopes = new NDArray[8];
        Parallel.For(0, slopes.Length, i =>
        {
            using RecordScope scope = Autograd.Record();
            NDArray slope = Autograd.Grad(y, x, createGraph: true);
            slopes[i] = Autograd.Grad(slope * slope, x, retainGraph: true);
        });
        Assert.All(slopes, slope => Check.Same(slopes[0], slope));
    }

    [Fact]
    public void OfSomeHeadsOnly()
    {
        ListFunction f = static x => [x[0] * x[1] + x[0].Sin(), x[0].Exp() * x[0], x[1].Tanh() * 2];
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        for (int mask = 1; mask < 8; mask++)
        {
            NDArray?[][] gradients = new NDArray?[2][];
            for (int i = 0; i < 2; i++)
            {
                NDArray x = Variable(1);
                NDArray y = Variable(2);
                (x.Grad!).Fill(7);
                (y.Grad!).Fill(7);
                using (Autograd.Record())
                {
                    IReadOnlyList<NDArray> results = (i == 0 ? f : compiled.Invoke)([x, y]);
                    NDArray sum = x.Cos();
                    for (int k = 0; k < 3; k++)
                        if ((mask >> k & 1) != 0) sum = sum * results[k];
                    (sum + x.Sigmoid()).Backward();
                }

                gradients[i] = [x.Grad, y.Grad, Nd.Scalar(y.FreshGrad ? 1 : 0)];
            }

            Check.Same(gradients[0], gradients[1], $"heads {mask}, gradient");
        }
    }

    [Fact]
    public void OneBackwardIsCompiledPerWayToAddUp()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => x.Tanh() * x, Check.Strict);
        void Step(Func<NDArray, NDArray> body)
        {
            NDArray x = Variable(1);
            using (Autograd.Record()) body(x).Backward();
        }

        Step(f.Invoke);
        int plain = f.Report.CompileCount;
        for (int i = 0; i < 3; i++) Step(f.Invoke);
        Assert.Equal(plain, f.Report.CompileCount);
        for (int i = 0; i < 3; i++) Step(x => x + f.Invoke(x));
        Assert.InRange(f.Report.CompileCount, plain, plain + 1);
        Assert.Equal(1, f.Report.CacheMisses);
    }

    private static NDArray[] Gradients(Func<Wrap, NDArray, NDArray, NDArray> step, Wrap wrap, GradReq request)
    {
        NDArray x = Variable(1, request);
        NDArray w = Variable(2, request);
        using RecordScope scope = Autograd.Record();
        for (int call = 0; call < 2; call++) step(wrap, x, w).Backward(TestArrays.Uniform((3, 4), 9));
        return [x.Grad!, w.Grad!];
    }

    private static NDArray[] Derivatives(NDArray head, NDArray[] variables, int order)
    {
        NDArray[] heads = [head];
        for (int k = 1; k <= order; k++)
        {
            heads = Autograd.Grad(heads, variables, createGraph: k < order);
            if (k < order) heads = [.. heads.Select(h => h * h + head)];
        }

        return heads;
    }

    private static NDArray Variable(int seed, GradReq request = GradReq.Write)
    {
        NDArray variable = TestArrays.Uniform((3, 4), seed);
        variable.AttachGrad(request);
        return variable;
    }
}
