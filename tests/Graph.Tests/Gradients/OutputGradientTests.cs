using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>Gradients of the outputs of compiled functions, also of those from which other outputs are computed.</summary>
public sealed class OutputGradientTests
{
    private static readonly NDArray s_x = TestArrays.Uniform((3, 4));

    private static readonly ListFunction s_chain = static x =>
    {
        NDArray u = x[0] * 2, v = u.Tanh();
        return [v * x[0], u, v, (u + v).Sum(0)];
    };

    // What MXNet's test_retain_grad_drop_grad_gluon does with a block that is not hybridized.
    [Fact]
    public void AnOutputFromWhichAnotherIsComputed()
    {
        ListFunction f = static x =>
        {
            NDArray u = x[0] * x[1];
            return [u * x[0], u];
        };
        foreach (ListFunction g in (ListFunction[])[f, f.Hybridize(Check.Strict).Invoke])
        {
            NDArray x = Nd.Array([1f, 2, 3, 4]), y = Nd.Array([5f, 6, 7, 8]);
            x.AttachGrad();
            y.AttachGrad();
            IReadOnlyList<NDArray> outputs;
            using (Autograd.Record()) outputs = g([x, y]);
            (NDArray z, NDArray u) = (outputs[0], outputs[1]);
            u.AttachGrad();
            z.AttachGrad();
            z.Backward(Nd.Full(4, 10), retainGraph: true);
            Check.Same(10 * x, u.Grad);
            Check.Same(Nd.Full(4, 10), z.Grad);
            Check.Same(20 * x * y, x.Grad);
            Check.Same(10 * x * x, y.Grad);
            u.DropGrad();
            z.DropGrad();
            y.DropGrad();
            z.Backward();
            Assert.True(u.Grad is null && z.Grad is null && y.Grad is null);
            Check.Same(2 * x * y, x.Grad);
        }
    }

    [Theory]
    [InlineData(0b0010, false)]
    [InlineData(0b0110, false)]
    [InlineData(0b1111, false)]
    [InlineData(0b1100, true)]
    [InlineData(0b0001, true)]
    public void AttachedOutputsGetWhatTheyGetEagerly(int attached, bool allHeads)
    {
        NDArray?[] expected = Run(s_chain), compiled = Run(s_chain.Hybridize(Check.Strict).Invoke);
        Check.Same(expected, compiled, "gradient");

        NDArray?[] Run(ListFunction f)
        {
            NDArray x = s_x.Copy();
            x.AttachGrad();
            IReadOnlyList<NDArray> outputs;
            using (Autograd.Record()) outputs = f([x]);
            for (int i = 0; i < outputs.Count; i++)
                if ((attached >> i & 1) != 0) outputs[i].AttachGrad(i == 2 ? GradReq.Add : GradReq.Write);
            NDArray[] heads = allHeads ? [.. outputs] : [outputs[0], outputs[3]];
            for (int call = 0; call < 2; call++) Autograd.Backward(heads, retainGraph: true);
            Autograd.Backward(heads, [.. heads.Select(static h => TestArrays.Uniform(h.Shape, 5))]);
            Assert.Throws<AutogradException>(() => outputs[0].Backward());
            return [x.Grad, .. outputs.Select(static o => o.Grad)];
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void OutputsThatAreAskedFor(bool createGraph)
    {
        Check.Same(Run(s_chain), Run(s_chain.Hybridize(Check.Strict).Invoke), "gradient");

        NDArray?[] Run(ListFunction f)
        {
            NDArray x = s_x.Copy();
            x.AttachGrad();
            IReadOnlyList<NDArray> outputs;
            using (Autograd.Record())
            {
                outputs = f([x]);
                NDArray[] found = Autograd.Grad([outputs[0], outputs[3]], [outputs[1], outputs[2], x], retainGraph: true, createGraph: createGraph);
                if (!createGraph) return found;
                NDArray head = found[0].Square().Sum() + found[1].Sum() + found[2].Sum();
                head.Backward();
                return [.. found, x.Grad];
            }
        }
    }

    /// <summary>The calls of a function that steps an optimizer, or writes the gradient of its input, cannot be put on the tape again.</summary>
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public void OutputsOfAFunctionThatChangesState(bool steps, bool asked)
    {
        Check.Same(Run(compile: false), Run(compile: true), "gradient");

        NDArray?[] Run(bool compile)
        {
            NDArray w = TestArrays.Uniform((3, 4), 2), x = s_x.Copy();
            w.AttachGrad();
            x.AttachGrad();
            Adam optimizer = new([w], 0.1);
            ListFunction f = inputs =>
            {
                using (Autograd.Record()) (steps ? w * w : inputs[0] * 3).Sum().Backward();
                if (steps) optimizer.Step();
                return s_chain(inputs);
            };
            if (compile) f = f.Hybridize(Check.Strict).Invoke;
            List<NDArray?> found = [];
            for (int call = 0; call < 2; call++)
            {
                using RecordScope scope = Autograd.Record();
                IReadOnlyList<NDArray> outputs = f([x]);
                if (asked)
                {
                    found.AddRange(Autograd.Grad([outputs[0], outputs[3]], [outputs[1], outputs[2], x], retainGraph: true));
                    found.AddRange(Autograd.Grad([outputs[0]], [outputs[1]]));
                    continue;
                }

                outputs[1].AttachGrad();
                outputs[2].AttachGrad(GradReq.Add);
                for (int i = 0; i < 2; i++) Autograd.Backward([outputs[0], outputs[3]], [TestArrays.Uniform((3, 4), 5), null], retainGraph: true);
                outputs[0].Backward();
                found.AddRange([x.Grad!.Copy(), outputs[1].Grad, outputs[2].Grad]);
            }

            return [.. found, w];
        }
    }

    /// <summary>What computes the function again for the gradient of one result may run eagerly; the optimizer stepped once more then.</summary>
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void AGradientChangesNoState(bool inBackground, bool sharesAnArray)
    {
        Check.Same(Run(compile: false), Run(compile: true), "value");

        NDArray?[] Run(bool compile)
        {
            NDArray w = TestArrays.Uniform((3, 4), 2), x = s_x.Copy();
            w.AttachGrad();
            x.AttachGrad();
            Adam optimizer = new([w], 0.1);
            ListFunction f = inputs =>
            {
                using (Autograd.Record()) (w * w).Sum().Backward();
                optimizer.Step();
                return [inputs[0].Tanh() * inputs[0], inputs[0].Exp()];
            };
            if (compile) f = f.Hybridize(new HybridOptions { CompileInBackground = inBackground }).Invoke;
            List<NDArray?> found = [];
            for (int call = 0; call < 4; call++)
            {
                if (call > 0 && inBackground) Thread.Sleep(200);
                IReadOnlyList<NDArray> outputs;
                using (Autograd.Record()) outputs = f([x]);
                outputs[1].Backward(sharesAnArray ? x : null, retainGraph: true);
                found.Add(x.Grad!.Copy());
                outputs[0].Backward(sharesAnArray ? w : null);
                found.AddRange([x.Grad!.Copy(), w.Detach().Copy(), w.Grad!.Copy(), Nd.Scalar(optimizer.StepCount)]);
            }

            return [.. found];
        }
    }
}
