using Fusion.NN;

namespace Fusion.Tests;

/// <summary>Writes in place inside compiled functions: each function runs eagerly and compiled on arrays of its own, several times.</summary>
[Collection(WholeStepCollection.Name)]
public class StateWriteTests
{
    /// <summary>Functions of captured state (two arrays) and an input.</summary>
    private static readonly Dictionary<string, Func<NDArray, NDArray, NDArray, NDArray>> s_functions = new()
    {
        ["assign"] = (a, b, x) => Then(() => a.Assign(x * 2), a + b),
        ["read after write"] = (a, b, x) =>
        {
            NDArray old = a + 0;
            a.Assign(a + x);
            return a * 10 + old;
        },
        ["a view keeps its value"] = (a, b, x) =>
        {
            NDArray row = a[0];
            NDArray whole = a.Detach();
            a.Fill(-1);
            return row + whole + a;
        },
        ["exchange"] = (a, b, x) =>
        {
            NDArray held = a.Copy();
            a.Assign(b);
            b.Assign(held);
            return a - b;
        },
        ["each reads the other"] = (a, b, x) =>
        {
            NDArray held = a.Copy();
            a.Assign(2 * a + b);
            b.Assign(2 * b + held);
            return x;
        },
        ["fill"] = (a, b, x) =>
        {
            a.Fill(3);
            b.Fill(0);
            return a + b + x;
        },
        ["set a row"] = (a, b, x) =>
        {
            a[1] = x[0];
            a[.., ^1] = 7 * b[.., 0];
            a.SetValue(5, 0, 0);
            return a.Copy();
        },
        ["set all"] = (a, b, x) =>
        {
            a[..] = x;
            b[AxisIndex.Ellipsis] = x[0];
            return a + b;
        },
        ["converted and broadcast"] = (a, b, x) =>
        {
            a.Assign(x[0].AsType(DType.Float64));
            b.Assign(Nd.Scalar(4, DType.Int32));
            return a + b;
        },
        ["written twice"] = (a, b, x) =>
        {
            a.Assign(a * 2);
            a.Assign(a + x);
            b.Assign(a);
            return a;
        },
        ["transposed twice"] = (a, b, x) =>
        {
            a.Assign(Nd.Transpose(Nd.Transpose(x) * 3));
            b.Assign(Nd.Reshape(Nd.Transpose(a), b.Shape));
            return b.Copy();
        },
        ["the result is the state"] = (a, b, x) =>
        {
            a.Assign(Nd.Exp(x));
            return a;
        },
        ["the state is a number"] = (a, b, x) =>
        {
            a.Assign(Nd.Sum(x));
            b[0] = Nd.Mean(a);
            return x;
        },
        ["unchanged"] = (a, b, x) =>
        {
            a.Assign(a);
            b.Assign(b + 0);
            return a;
        },
        ["made inside"] = (a, b, x) =>
        {
            NDArray zeros = Nd.Zeros(x.Shape), given = Nd.Array([1f, 2, 3]);
            zeros.Assign(zeros + x);
            given[0] = 2 * given[0];
            return zeros + given;
        },
        ["running mean"] = (a, b, x) =>
        {
            a.Assign(0.9 * a + 0.1 * Nd.Mean(x, 0));
            return x - a;
        },
    };

    public static TheoryData<string> Kept => ["of elements", "of zeros", "a number", "computed", "through an input's gradient"];

    /// <summary>Made at the first call, as modules do that know their sizes only then.</summary>
    [Theory]
    [MemberData(nameof(Kept))]
    public void WhatTheFirstCallMakesAndKeepsIsStateOfTheNext(string name)
    {
        Func<NDArray, NDArray> Function()
        {
            NDArray? state = null;
            return x =>
            {
                state ??= name switch
                {
                    "of elements" => Nd.Array([1f, 2, 3, 4, 5, 6, 7, 8, 9], (3, 3)),
                    "a number" => Nd.Scalar(0.5),
                    "computed" => Nd.Arange(0, 9, 1).Reshape(3, 3).Tril() / 4,
                    _ => Nd.Zeros(x.Shape),
                };
                if (name == "through an input's gradient") x.Grad!.Assign(state + x);
                state.Assign(0.5 * state + (name == "a number" ? x.Sum() : x));
                return state * 2;
            };
        }

        Func<NDArray, NDArray> f = Function();
        HybridFunction<Func<NDArray, NDArray>> compiled = Function().Hybridize(Check.Strict);
        for (int i = 0; i < 4; i++)
        {
            (NDArray x, NDArray y) = (Start(10 + i), Start(10 + i));
            x.AttachGrad();
            y.AttachGrad();
            Check.Same(f(x), compiled.Invoke(y), $"call {i}");
            Check.Same(x.Grad, y.Grad, $"gradient {i}");
        }

        Assert.Equal(1, compiled.Report.VariantCount);
    }

    [Fact]
    public void WhatTheFirstCallMakesOfNumbersAndKeepsIsThereForTheNextTrace()
    {
        Func<NDArray, NDArray> Function()
        {
            NDArray? mask = null, table = null;
            return x =>
            {
                mask ??= Nd.Ones((3, 3)).Tril();
                table ??= Nd.Array([1f, 2, 3]).Exp();
                return (x * mask + table) * (Autograd.IsTraining ? 2 : 1);
            };
        }

        Func<NDArray, NDArray> f = Function();
        HybridFunction<Func<NDArray, NDArray>> compiled = Function().Hybridize(Check.Strict);
        NDArray x = Start(1), tall = Nd.Concat([x, x]).Reshape(2, 3, 3);
        for (int call = 0; call < 2; call++)
        {
            Check.Same(f(x), compiled.Invoke(x));
            using (Autograd.TrainMode()) Check.Same(f(x), compiled.Invoke(x));
            Check.Same(f(tall), compiled.Invoke(tall));
        }
    }

    [Fact]
    public void WhatTheFirstCallComputesAndKeepsIsRefused()
    {
        NDArray? state = null;
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) =>
        {
            state ??= x * 0;
            state.Assign(state + x);
            return state + 0;
        });
        Assert.Contains("keeping", Assert.Throws<InvalidOperationException>(() => f.Invoke(Start(1))).Message, StringComparison.Ordinal);
    }

    public static TheoryData<string> Names => [.. s_functions.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void CompiledWritesAreTheEagerWrites(string name)
    {
        Func<NDArray, NDArray, NDArray, NDArray> f = s_functions[name];
        (NDArray a, NDArray b) = (Start(1), Start(2));
        (NDArray eagerA, NDArray eagerB) = (Start(1), Start(2));
        HybridFunction<Func<NDArray, NDArray>> compiled = new Func<NDArray, NDArray>(x => f(a, b, x)).Hybridize();
        NDArray? held = null;
        byte[]? heldBytes = null;
        for (int i = 0; i < 4; i++)
        {
            NDArray x = Start(10 + i);
            byte[] given = StepTwins.Bytes(x);
            NDArray expected = f(eagerA, eagerB, x);
            NDArray actual = compiled.Invoke(x);
            Assert.Equal(StepTwins.Bytes(expected), StepTwins.Bytes(actual));
            Assert.Equal(StepTwins.Bytes(eagerA), StepTwins.Bytes(a));
            Assert.Equal(StepTwins.Bytes(eagerB), StepTwins.Bytes(b));
            Assert.Equal((eagerA.Version, eagerB.Version), (a.Version, b.Version));
            Assert.Equal(given, StepTwins.Bytes(x));

            // Earlier results keep their values, whatever is written later.
            if (held is not null && name is not ("the result is the state" or "written twice" or "unchanged")) Assert.Equal(heldBytes, StepTwins.Bytes(held));
            (held, heldBytes) = (actual, StepTwins.Bytes(actual));
        }

        Assert.Null(compiled.Report.FallbackReason);
        Assert.Equal(1, compiled.Report.VariantCount);
    }

    [Fact]
    public void InputsAreWrittenInPlaceToo()
    {
        HybridFunction<Func<NDArray, NDArray, NDArray>> f = new Func<NDArray, NDArray, NDArray>((x, y) =>
        {
            x.Assign(x + y);
            y[0] = 1 * x[1];
            return x * y;
        }).Hybridize();
        for (int i = 0; i < 3; i++)
        {
            (NDArray x, NDArray y) = (Nd.Array([1f + i, 2]), Nd.Array([10f, 20]));
            NDArray result = f.Invoke(x, y);
            Assert.Equal([11f + i, 22], x.ToArray<float>());
            Assert.Equal([22f, 20], y.ToArray<float>());
            Assert.Equal([(11f + i) * 22, 440], result.ToArray<float>());
            Assert.Equal(1, x.Version);
        }

        Assert.Null(f.Report.FallbackReason);

        // The same array twice: one value, as eagerly.
        NDArray both = Nd.Array([1f, 2]);
        Assert.Equal([4f * 4, 4 * 4], f.Invoke(both, both).ToArray<float>());
        Assert.Equal([4f, 4], both.ToArray<float>());
    }

    [Fact]
    public void ACapturedArrayPassedAsInputIsOneArray()
    {
        NDArray w = Nd.Array([1f, 2]);
        HybridFunction<Func<NDArray, NDArray>> f = new Func<NDArray, NDArray>(x =>
        {
            w.Assign(w * 2);
            return x + 0;
        }).Hybridize();
        Assert.Equal([5f, 5], f.Invoke(Nd.Full(2, 5)).ToArray<float>());
        Assert.Equal([4f, 8], f.Invoke(w).ToArray<float>());
        Assert.Equal([5f, 5], f.Invoke(Nd.Full(2, 5)).ToArray<float>());
        Assert.Equal([8f, 16], w.ToArray<float>());
    }

    [Fact]
    public void CapturedArraysThatAreStridedOrSharedInSomeCallsGiveTheEagerValues()
    {
        List<float[]> values = [.. new[] { false, true }.Select(Train)];
        Assert.Equal(values[0], values[1]);

        static float[] Train(bool compiled)
        {
            NDArray state = Nd.Ones((3, 2)), strided = Nd.Arange(6).AsType(DType.Float32).Reshape((2, 3)).Transpose();
            Func<NDArray> step = () => Then(() => state.Assign(0.5 * state + strided), strided * 3);
            Func<NDArray> run = compiled ? step.Hybridize().Invoke : step;
            List<NDArray> seen = [run(), run()];
            NDArray before = state[0];              // from here on the state's memory is shared
            seen.AddRange([run(), before, run()]);
            strided.Assign(strided + 1);            // and this is no view any more
            seen.AddRange([run(), state.Copy(), run(), state]);
            return [.. seen.SelectMany(static a => a.ToArray<float>())];
        }
    }

    [Fact]
    public void ASharedArrayIsCopiedBeforeItIsWritten()
    {
        NDArray w = Nd.Array([1f, 2, 3, 4]);
        NDArray view = w[1..3];
        HybridFunction<Func<NDArray>> f = new Func<NDArray>(() =>
        {
            w.Assign(w * 2);
            return Nd.Sum(w);
        }).Hybridize();
        f.Invoke();
        NDArray later = w[..2];
        f.Invoke();
        Assert.Equal([2f, 3], view.ToArray<float>());
        Assert.Equal([2f, 4], later.ToArray<float>());
        Assert.Equal([4f, 8, 12, 16], w.ToArray<float>());
    }

    [Theory]
    [InlineData(GradReq.Write)]
    [InlineData(GradReq.Add)]
    public void TheGradientOfAnInputIsDelivered(GradReq request)
    {
        Func<NDArray, NDArray> body = static x =>
        {
            NDArray loss;
            using (Autograd.Record()) loss = Nd.Sum(Nd.Square(x));
            loss.Backward();
            return x - 0.5 * x.Grad!;
        };
        HybridFunction<Func<NDArray, NDArray>> f = body.Hybridize();
        (NDArray eager, NDArray compiled) = (Nd.Array([1f, 2]), Nd.Array([1f, 2]));
        eager.AttachGrad(request);
        compiled.AttachGrad(request);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(StepTwins.Bytes(body(eager)), StepTwins.Bytes(f.Invoke(compiled)));
            Assert.Equal(StepTwins.Bytes(eager.Grad!), StepTwins.Bytes(compiled.Grad!));
            Assert.True(compiled.FreshGrad);
        }

        Assert.Null(f.Report.FallbackReason);
    }

    [Fact]
    public void GradientsAddUpWhereTheyAreAskedTo()
    {
        NDArray w = Nd.Array([1f, 2]);
        w.AttachGrad(GradReq.Add);
        HybridFunction<Func<NDArray, NDArray>> f = new Func<NDArray, NDArray>(x =>
        {
            NDArray loss;
            using (Autograd.Record()) loss = Nd.Sum(w * x);
            loss.Backward();
            return loss;
        }).Hybridize(new HybridOptions { KeepGradients = false });
        for (int i = 1; i <= 3; i++)
        {
            f.Invoke(Nd.Array([1f, 10]));
            Assert.Equal([1f * i, 10f * i], w.Grad!.ToArray<float>());
        }

        w.ZeroGrad();
        f.Invoke(Nd.Array([1f, 10]));
        Assert.Equal([1f, 10], w.Grad!.ToArray<float>());
        Assert.Null(f.Report.FallbackReason);
    }

    [Fact]
    public void ANewVariableIsTracedAnew()
    {
        NDArray w = Nd.Array([1f, 2]);
        w.AttachGrad();
        HybridFunction<Func<NDArray, NDArray>> f = new Func<NDArray, NDArray>(x =>
        {
            NDArray loss;
            using (Autograd.Record()) loss = Nd.Sum(w * x);
            loss.Backward();
            return loss;
        }).Hybridize();
        f.Invoke(Nd.Array([3f, 4]));
        w.AttachGrad();
        f.Invoke(Nd.Array([5f, 6]));
        Assert.Equal([5f, 6], w.Grad!.ToArray<float>());
        Assert.Equal(2, f.Report.VariantCount);
    }

    [Fact]
    public void RunningStatisticsAndTheGradientOfTheOutputGoTogether()
    {
        Normaliser eager = new(), compiled = new();
        HybridFunction<Func<NDArray, NDArray>> f = new Func<NDArray, NDArray>(compiled.Forward).Hybridize();
        for (int i = 0; i < 3; i++)
        {
            (NDArray x, NDArray y) = (Start(i), Start(i));
            x.AttachGrad();
            y.AttachGrad();
            NDArray expected, actual;
            using (Autograd.Record())
            {
                expected = eager.Forward(x);
                actual = f.Invoke(y);
            }

            expected.Backward(Start(50));
            actual.Backward(Start(50));
            Assert.Equal(StepTwins.Bytes(expected), StepTwins.Bytes(actual));
            Assert.Equal(StepTwins.Bytes(x.Grad!), StepTwins.Bytes(y.Grad!));
            Assert.Equal(StepTwins.Bytes(eager.Buffers["mean"]), StepTwins.Bytes(compiled.Buffers["mean"]));
        }

        Assert.Null(f.Report.FallbackReason);
    }

    [Fact]
    public void BackwardOfACallReadsTheValueThatTheCallOverwrote()
    {
        NDArray w = Nd.Array([2f, 3]);
        HybridFunction<Func<NDArray, NDArray>> f = new Func<NDArray, NDArray>(x =>
        {
            NDArray held = w.Detach();
            w.Assign(w * 10);
            return x * held;
        }).Hybridize();
        NDArray x = Nd.Array([1f, 1]);
        x.AttachGrad();
        for (int i = 0; i < 2; i++)
        {
            float factor = i == 0 ? 1 : 10;
            NDArray y;
            using (Autograd.Record()) y = f.Invoke(x);
            Assert.Equal([20 * factor, 30 * factor], w.ToArray<float>());
            y.Backward();
            Assert.Equal([2 * factor, 3 * factor], x.Grad!.ToArray<float>());
        }

        Assert.Null(f.Report.FallbackReason);
    }

    [Fact]
    public void WritingAPartHasGradientsOfEveryOrder()
    {
        Func<IReadOnlyList<NDArray>, NDArray> f = static x => Nd.Sin(x[0].SliceUpdate(Nd.Square(x[1]), 1, 2, 0, -1));
        NDArray target = Start(3), values = Start(4)[.., ..1];
        Assert.Equal([values[0, 0].Item<float>(), values[0, 0].Item<float>()], target.SliceUpdate(values, 1, 1, null)[0, 1..].ToArray<float>());
        Assert.Equal(StepTwins.Bytes(target), StepTwins.Bytes(Start(3)));
        for (int order = 1; order <= 2; order++)
        {
            GradientCheckReport report = Autograd.CheckGradients(f, [target, values], order);
            Assert.True(report.Passed, report.ToString());
        }

        Assert.Throws<ShapeException>(() => target.SliceUpdate(Start(1), 0, 0, 2));
    }

    private static NDArray Then(Action write, NDArray value)
    {
        write();
        return value;
    }

    private static NDArray Start(int seed)
    {
        Random random = new(seed);
        float[] values = new float[9];
        for (int i = 0; i < values.Length; i++) values[i] = (float)(random.NextDouble() * 2 - 1);
        return Nd.Array(values, (3, 3));
    }

    /// <summary>Batch normalisation in small.</summary>
    private sealed class Normaliser : Module
    {
        private readonly NDArray _mean;

        public Normaliser() => _mean = Buffer("mean", Nd.Zeros(3));

        protected internal override NDArray ForwardCore(NDArray x)
        {
            NDArray mean = Nd.Mean(x, 0);
            using (Autograd.Pause(Autograd.IsTraining)) _mean.Assign(0.9 * _mean + 0.1 * mean.Detach());
            return (x - mean) / Nd.Sqrt(Nd.Mean(Nd.Square(x - mean), 0) + 1e-5);
        }
    }
}
