namespace Fusion.Tests;

/// <summary>What a function records itself can be differentiated by its caller, who need not record; variables are what they are at every call.</summary>
public sealed class HistoryTests
{
    private static readonly NDArray s_x = Nd.Array([1f, -2, 3]);

    private static NDArray Variable(GradReq request = GradReq.Write)
    {
        NDArray w = Nd.Array([0.5f, 2, -1]);
        w.AttachGrad(request);
        return w;
    }

    [Fact]
    public void AResultRecordedInsideIsDifferentiatedOutside()
    {
        NDArray w = Variable(GradReq.Add), x = s_x.Copy();
        x.AttachGrad();
        Func<NDArray, NDArray> f = v =>
        {
            using (Autograd.Record()) return (v * w).Tanh().Sum();
        };
        HybridFunction<Func<NDArray, NDArray>> compiled = f.Hybridize(Check.Strict);
        NDArray[] Gradients(Func<NDArray, NDArray> g)
        {
            w.ZeroGrad();
            for (int call = 0; call < 3; call++) g(x).Backward();
            return [w.Grad!.Copy(), x.Grad!.Copy(), Autograd.Grad(Autograd.Grad(g(x), x, createGraph: true), w)];
        }

        Check.Same(Gradients(f), Gradients(compiled.Invoke));
        Assert.Equal(1, compiled.Report.VariantCount);
    }

    public static TheoryData<string> Ends => ["detached", "no input requires a gradient", "Backward reached Tanh, whose graph was already released"];

    [Theory]
    [MemberData(nameof(Ends))]
    public void AHeadSaysWhyItHasNoGradientWithoutRecordingOutside(string says)
    {
        NDArray w = Variable();
        Func<NDArray, NDArray> f = says switch
        {
            "detached" => static x => x.Detach(),
            "no input requires a gradient" => static x =>
            {
                using (Autograd.Record()) return x * 2;
            }
            ,
            _ => x =>
            {
                using RecordScope scope = Autograd.Record();
                NDArray y = (x * w).Tanh();
                y.Backward();
                return y;
            }
            ,
        };
        HybridFunction<Func<NDArray, NDArray>> compiled = f.Hybridize(Check.Strict);
        foreach (Func<NDArray, NDArray> g in (Func<NDArray, NDArray>[])[f, compiled.Invoke, compiled.Invoke])
            Assert.Contains(says, Assert.Throws<AutogradException>(() => g(s_x).Backward()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AHistoryThatEndsInsideIsDifferentiatedInVain()
    {
        Func<NDArray, NDArray> f = static x =>
        {
            NDArray y = x * 2;
            y.AttachGrad();
            using (Autograd.Record()) return y * y;
        };
        HybridFunction<Func<NDArray, NDArray>> compiled = f.Hybridize(Check.Strict);
        for (int call = 0; call < 2; call++) compiled.Invoke(s_x).Backward();
    }

    [Fact]
    public void SoIsOneThatEndsAtAFunctionWithARuleOfItsOwn()
    {
        Func<NDArray, NDArray>[] functions = [static x => new Squaring().Apply(x)[0], static x => Autograd.Checkpoint(static v => v * v, x)];
        foreach (Func<NDArray, NDArray> function in functions)
        {
            Func<NDArray, NDArray> f = x =>
            {
                NDArray y = x * 2;
                y.AttachGrad();
                using (Autograd.Record()) return function(y);
            };
            HybridFunction<Func<NDArray, NDArray>> compiled = f.Hybridize(Check.Strict);
            foreach (Func<NDArray, NDArray> g in (Func<NDArray, NDArray>[])[f, compiled.Invoke, compiled.Invoke]) g(s_x).Backward();
        }
    }

    /// <summary>An error of a gradient is one when, and only if, somebody differentiates.</summary>
    [Fact]
    public void AFunctionWhoseGradientFailsCanBeCalled()
    {
        NDArray w = Variable();
        Func<NDArray, NDArray>[] functions =
        [
            x =>
            {
                NDArray y = x + 1, z = w.Maximum(y);
                y.Fill(0);
                return z;
            },
            x =>
            {
                NDArray y = (w * x).Tanh();
                Autograd.Grad(y, w);
                return y + w;
            },
            x => new Failing().Apply(w * x)[0],
        ];
        foreach (Func<NDArray, NDArray> f in functions)
        {
            HybridFunction<Func<NDArray, NDArray>> compiled = f.Hybridize();
            for (int call = 0; call < 2; call++)
            {
                NDArray expected, actual;
                using (Autograd.Record()) (expected, actual) = (f(s_x), compiled.Invoke(s_x));
                Check.Same(expected, actual);
                Exception error = Assert.ThrowsAny<Exception>(() => expected.Backward());
                Assert.Equal(error.Message, Assert.Throws(error.GetType(), () => actual.Backward()).Message);
            }
        }
    }

    [Fact]
    public void ACheckpointWithoutAGradientIsNotRecorded()
    {
        NDArray state = Nd.Zeros(3);
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(
            (NDArray x) =>
            {
                NDArray y = Autograd.Checkpoint(static v => v.Tanh() * v, x);
                state.Assign(y);
                return y;
            }, Check.Strict);
        using (Autograd.Record()) Check.Same(s_x.Tanh() * s_x, f.Invoke(s_x));
        Check.Same(s_x.Tanh() * s_x, state);
    }

    [Fact]
    public void ACheckpointWhoseHistoryLeadsNowhereIsDifferentiatedInVain()
    {
        NDArray w = Variable();
        Func<NDArray, NDArray> f = x => Autograd.Checkpoint(v => w.AsType(DType.Int32) * v, x);
        HybridFunction<Func<NDArray, NDArray>> compiled = f.Hybridize(Check.Strict);
        foreach (Func<NDArray, NDArray> g in (Func<NDArray, NDArray>[])[f, compiled.Invoke, compiled.Invoke])
        {
            NDArray y;
            using (Autograd.Record()) y = g(s_x);
            y.Backward();
            Assert.False(w.FreshGrad);
        }
    }

    [Fact]
    public void TheInputOfACheckpointIsAPlaceOfItsOwn()
    {
        NDArray w = Variable();
        Func<NDArray, NDArray> f = x => Autograd.Checkpoint(v => Autograd.Grad((v * w * w).Sum(), w) * x, w);
        HybridFunction<Func<NDArray, NDArray>> compiled = f.Hybridize(Check.Strict);
        using RecordScope scope = Autograd.Record();
        Check.Same(f(s_x), compiled.Invoke(s_x));
    }

    [Fact]
    public void AnIntegerInputHasAHistoryThatLeadsNowhere()
    {
        NDArray w = Variable();
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => x.Grad is null ? x * 0.5 : x, Check.Strict);
        for (int call = 0; call < 2; call++)
        {
            NDArray recorded, plain = Nd.Array([1, 2, 3]);
            using (Autograd.Record())
            {
                recorded = f.Invoke(w.AsType(DType.Int32));
                plain = f.Invoke(plain);
            }

            recorded.Backward();
            Assert.False(w.FreshGrad);
            Assert.Throws<AutogradException>(() => plain.Backward());
        }

        Assert.Equal(2, f.Report.VariantCount);
    }

    [Fact]
    public void OtherHandlesOfCapturedArraysAreValuesOfTheirOwn()
    {
        NDArray w = Variable();
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(
            (NDArray x) =>
            {
                NDArray y = w.Dropout(0.5), z = w.BroadcastTo(3);
                y.Assign(x);
                w.Assign(w * 2);
                return y + z;
            }, Check.Strict);
        Check.Same(s_x + w.Detach(), f.Invoke(s_x));
        Assert.Equal([1f, 4, -2], w.ToArray<float>());
    }

    [Fact]
    public void AnInputMayBeOverwrittenAlsoWhenOneHeadOfTwoIsDifferentiated()
    {
        NDArray w = Variable();
        HybridFunction<ListFunction> f = new ListFunction(x =>
        {
            x[0].Fill(1);
            return [w.Square(), w * 3];
        }).Hybridize(Check.Strict);
        NDArray head;
        using (Autograd.Record()) head = f.Invoke([s_x.Copy()])[0];
        head.Backward();
        Check.Same(w.Detach() * 2, w.Grad);
    }

    [Fact]
    public void OneOfTwoHeadsIsDifferentiatedWhereBothNeedAnOldState()
    {
        NDArray w = Variable(), state = Nd.Ones(3);
        HybridFunction<ListFunction> f = new ListFunction(x =>
        {
            NDArray old = state.Exp(), y = w * old, z = y * old;
            state.Assign(x[0]);
            return [y, z];
        }).Hybridize();
        NDArray head;
        using (Autograd.Record()) head = f.Invoke([s_x])[0];
        head.Backward();
        Check.Same(Nd.Ones(3).Exp(), w.Grad);
    }

    [Fact]
    public void AVariableThatIsWrittenFirstHasItsGradient()
    {
        NDArray w = Variable();
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(
            (NDArray x) =>
            {
                using (Autograd.Pause()) w.Assign(x);
                return w * x;
            }, Check.Strict);
        NDArray y;
        using (Autograd.Record()) y = f.Invoke(s_x);
        y.Backward();
        Check.Same(s_x, w.Grad);
    }

    // Backward said that no input required a gradient.
    [Fact]
    public void IntegerResultsHaveTheHistoryThatTheyHaveEagerly()
    {
        NDArray x = TestArrays.Uniform(3, 7);
        x.AttachGrad();
        ListFunction f = Check.List(static x => (x * 3).AsType(DType.Int32));
        foreach (ListFunction call in (ListFunction[])[f, f.Hybridize(Check.Strict).Invoke])
        {
            using (Autograd.Record()) (call([x])[0].AsType(DType.Float32) * 2).Backward();
            Check.Same(Nd.Zeros(3), x.Grad);
        }
    }

    private sealed class Squaring : Autograd.Function
    {
        protected override IReadOnlyList<NDArray> Forward(IReadOnlyList<NDArray> inputs)
        {
            SaveForBackward(inputs[0]);
            return [inputs[0] * inputs[0]];
        }

        protected override IReadOnlyList<NDArray?> Backward(IReadOnlyList<NDArray> outputGradients) => [outputGradients[0] * SavedArrays[0] * 2];
    }

    private sealed class Failing : Autograd.Function
    {
        protected override IReadOnlyList<NDArray> Forward(IReadOnlyList<NDArray> inputs) => [inputs[0] * 2];

        protected override IReadOnlyList<NDArray?> Backward(IReadOnlyList<NDArray> outputGradients) => throw new KeyNotFoundException("mine");
    }
}
