namespace Fusion.Tests;

/// <summary>Functions that ask arrays for their gradient buffers, attach or drop them, and calls between which these change: always as eagerly.</summary>
public sealed class MarkTests
{
    private static readonly NDArray s_x = Nd.Array([1f, -2, 3]);

    private static NDArray Variable(GradReq request = GradReq.Write)
    {
        NDArray w = Nd.Array([0.5f, 2, -1]);
        w.AttachGrad(request);
        return w;
    }

    [Fact]
    public void ABufferThatIsReadIsThatOfTheCall()
    {
        NDArray w = Nd.Ones(3);
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => w.Grad is { } g ? g + x : x * 10, Check.Strict);
        Check.Same(s_x * 10, f.Invoke(s_x));
        w.AttachGrad();
        w.Grad!.Fill(2);
        Check.Same(s_x + 2, f.Invoke(s_x));
        w.AttachGrad();
        Check.Same(s_x, f.Invoke(s_x));
        w.DropGrad();
        Check.Same(s_x * 10, f.Invoke(s_x));
    }

    [Fact]
    public void ABufferOfAnInputIsThatOfTheCall()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(
            static (NDArray x) =>
            {
                x.ZeroGrad();
                return x + 1;
            }, Check.Strict);
        f.Invoke(s_x);
        NDArray w = Variable();
        w.Grad!.Fill(3);
        f.Invoke(w);
        Check.Same(Nd.Zeros(3), w.Grad);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void FreshnessIsSetAtInputs(bool fresh)
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(
            (NDArray x) =>
            {
                x.FreshGrad = fresh;
                return x + 1;
            }, Check.Strict);
        for (int call = 0; call < 2; call++)
        {
            NDArray w = Variable();
            w.FreshGrad = !fresh;
            f.Invoke(w);
            Assert.Equal(fresh, w.FreshGrad);
        }
    }

    [Fact]
    public void DroppingAndAttachingChangesTheCallersArray()
    {
        Func<NDArray, NDArray> drop = static x =>
        {
            x.DropGrad();
            return x + 1;
        };
        Func<NDArray, NDArray> attach = static x =>
        {
            x.AttachGrad(GradReq.Add);
            return x + 1;
        };
        foreach (NDArray first in new[] { s_x, Variable() })
        {
            HybridFunction<Func<NDArray, NDArray>> f = drop.Hybridize(), g = attach.Hybridize();
            f.Invoke(first);
            NDArray w = Variable(), v = Variable();
            f.Invoke(w);
            Assert.Null(w.Grad);
            g.Invoke(v);
            Assert.Equal(GradReq.Add, v.GradReq);
        }
    }

    [Fact]
    public void AnInputThatIsAttachedInsideAndReachedOutsideHasItsGradient()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) =>
        {
            x.AttachGrad();
            using (Autograd.Record()) return x * x;
        });
        NDArray x = s_x.Copy();
        f.Invoke(x).Backward();
        Check.Same(s_x * 2, x.Grad);
    }

    [Fact]
    public void AResultThatIsAttachedInsideHasItsGradient()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) =>
        {
            NDArray y = x * 2;
            y.AttachGrad();
            return y;
        });
        NDArray w = Variable(), y;
        using (Autograd.Record()) y = f.Invoke(w);
        y.Backward(s_x);
        Check.Same(s_x, y.Grad);
        Check.Same(s_x * 2, w.Grad);
    }

    [Fact]
    public void OneVariableMayBeSeveralInputs()
    {
        NDArray captured = Variable(GradReq.Add);
        Func<NDArray, NDArray, NDArray> deliver = (x, y) =>
        {
            NDArray z;
            using (Autograd.Record()) z = (x * y).Sum() + (captured * 3).Sum();
            z.Backward();
            return z;
        };
        Func<NDArray, NDArray, NDArray> differentiate = (x, y) =>
        {
            using RecordScope scope = Autograd.Record();
            return Autograd.Grad((x * 2).Sum(), y);
        };
        HybridFunction<Func<NDArray, NDArray, NDArray>> f = deliver.Hybridize(Check.Strict), g = differentiate.Hybridize(Check.Strict);
        for (int call = 0; call < 2; call++)
        {
            NDArray w = Variable(GradReq.Add), v = Variable();
            f.Invoke(w, v);
            Check.Same(w.Detach(), v.Grad);
            f.Invoke(w, w);
            Check.Same(v.Detach() + w.Detach() + w.Detach(), w.Grad);
            Check.Same(Nd.Full(3, 2), g.Invoke(w, w));
        }

        captured.ZeroGrad();
        f.Invoke(captured, s_x);
        Check.Same(s_x + 3, captured.Grad);
    }

    /// <summary>An input that was recorded outside has a history, through which the gradients of a function flow that differentiates for itself.</summary>
    [Fact]
    public void AVariableMayLieBehindAnInput()
    {
        NDArray w = Variable(), v = Variable(), n = Nd.Array([2f, 3, 4]);
        Func<NDArray, NDArray, NDArray> byCaptured = (x, y) => Autograd.Grad((x * x * w + y).Sum(), w, retainGraph: true);
        Func<NDArray, NDArray, NDArray> byInput = (x, y) => Autograd.Grad((x * x + y * 3).Sum(), y, retainGraph: true);
        Func<NDArray, NDArray, NDArray> directly = (x, y) => Autograd.Grad(x, w, retainGraph: true) * y;
        foreach (Func<NDArray, NDArray, NDArray> f in new[] { byCaptured, byInput, directly })
        {
            HybridFunction<Func<NDArray, NDArray, NDArray>> compiled = f.Hybridize(Check.Strict);
            using RecordScope scope = Autograd.Record();
            for (int call = 0; call < 2; call++)
            {
                foreach (NDArray x in new[] { w * v, v * n, Deep(w * v), w })
                {
                    NDArray? expected = Attempt(() => f(x, v)), actual = Attempt(() => compiled.Invoke(x, v));
                    Assert.Equal(expected is null, actual is null);
                    if (expected is not null) Check.Same(expected, actual);
                }
            }

            Assert.InRange(compiled.Report.VariantCount, ReferenceEquals(f, directly) ? 0 : 1, 2);
        }

        static NDArray Deep(NDArray x)
        {
            for (int i = 0; i < 100; i++) x = x * 1.01f;
            return x;
        }

        static NDArray? Attempt(Func<NDArray> f)
        {
            try
            {
                return f();
            }
            catch (AutogradException error)
            {
                Assert.Contains("do not depend", error.Message, StringComparison.Ordinal);
                return null;
            }
        }
    }

    /// <summary>A captured array was computed of an input: the gradient of what is computed of both flows through its history, too.</summary>
    [Theory]
    [InlineData(true, 0)]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    [InlineData(false, 1)]
    public void AnInputMayLieBehindACapturedArray(bool isLeaf, int output)
    {
        NDArray x = Nd.Array([0.5f, -2, 3]), other = Nd.Array([1f, 2, 3]), v, h;
        x.AttachGrad();
        other.AttachGrad();
        using (Autograd.Record())
        {
            v = isLeaf ? x : x * 2;
            h = output == 0 ? v.Square() : v.Split(3, 0)[1] * v;
        }

        Func<NDArray, NDArray> f = y =>
        {
            using (Autograd.Record()) return Autograd.Grad((y * h).Tanh().Sum(), y, retainGraph: true);
        };
        HybridFunction<Func<NDArray, NDArray>> compiled = f.Hybridize(Check.Strict);
        foreach (NDArray y in (NDArray[])[v, other, v, other]) Check.Same(f(y), compiled.Invoke(y));
        Func<NDArray, NDArray> head = y =>
        {
            using (Autograd.Record()) return Autograd.Grad(h.Sum() + (y * 0).Sum(), y, retainGraph: true);
        };
        compiled = head.Hybridize(Check.Strict);
        foreach (NDArray y in (NDArray[])[other, v, other]) Check.Same(head(y), compiled.Invoke(y));
    }

    [Fact]
    public void AnArrayThatBecameAVariableIsNotWrittenWhileRecording()
    {
        NDArray state = Nd.Ones(3);
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(
            (NDArray x) =>
            {
                state.Assign(x);
                return x + 1;
            });
        using RecordScope scope = Autograd.Record();
        f.Invoke(s_x);
        state.AttachGrad();
        Assert.Contains("Inplace operations are not supported", Assert.Throws<AutogradException>(() => f.Invoke(s_x)).Message, StringComparison.Ordinal);
    }
}
