using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>Parameters that are made in the first call, when the input's size is known: what Gluon calls deferred initialization.</summary>
[Collection(nameof(ProcessState))]
public sealed class LateParameterTests
{
    private sealed class LateLinear(int outFeatures) : Module
    {
        private Linear? _inner;

        protected internal override NDArray ForwardCore(NDArray x) => (_inner ??= Child("inner", new Linear(x.Shape[-1], outFeatures))).Forward(x);
    }

    private sealed class LateScale : Module
    {
        private NDArray? _scale;
        private NDArray? _shift;

        protected internal override NDArray ForwardCore(NDArray x)
        {
            _scale ??= Parameter("scale", (1 / x.Std(0)).Detach()); // from the first batch
            _shift ??= Buffer("shift", Nd.Full(x.Shape[1], 0.5));
            return x * _scale + _shift;
        }
    }

    private static Sequential Net() => new(new LateLinear(7), new Tanh(), new LateScale(), new Dropout(0.3), new LateLinear(3));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TheFirstCallMakesThem(bool recordedAtFirst)
    {
        Assert.Null(Bits.Difference(Run(hybridize: false), Run(hybridize: true)));

        NDArray[] Run(bool hybridize)
        {
            Nd.Random.Seed(5);
            Sequential net = Net();
            if (hybridize) net.Hybridize(Check.Strict);
            NDArray x = TestArrays.Uniform((6, 4));
            List<NDArray> results = [];
            if (!recordedAtFirst) results.Add(net.Forward(x));
            for (int i = 0; i < 3; i++)
            {
                NDArray y;
                using (Autograd.Record()) y = net.Forward(x * (i + 1));
                y.Backward();
                results.Add(y);
                Assert.Equal(["0.inner.weight", "0.inner.bias", "2.scale", "4.inner.weight", "4.inner.bias"], net.Parameters.Keys);
                results.AddRange(net.Parameters.Values.Select(static p => p.Grad!.Copy()));
            }

            if (hybridize) Assert.True(net.Hybridized().Report is { FellBack: false, VariantCount: 1 });
            return [.. results];
        }
    }

    [Fact]
    public void AWholeStepMakesThemAndItsOptimizer()
    {
        Assert.Null(Bits.Difference(Run(hybridize: false), Run(hybridize: true)));

        static NDArray[] Run(bool hybridize)
        {
            Nd.Random.Seed(5);
            Sequential net = Net();
            Adam? adam = null;
            Func<NDArray, NDArray, NDArray> step = (x, y) =>
            {
                NDArray loss;
                using (Autograd.Record()) loss = Loss.MeanSquaredError(net.Forward(x), y);
                loss.Backward();
                (adam ??= new Adam(net.Parameters, 0.1)).Step();
                return loss;
            };
            HybridFunction<Func<NDArray, NDArray, NDArray>> hybrid = step.Hybridize(Check.Strict);
            if (hybridize) step = hybrid.Invoke;
            List<NDArray> results = [];
            for (int i = 0; i < 4; i++) results.Add(step(TestArrays.Uniform((6, 4), i), TestArrays.Uniform((6, 3), i)));
            if (hybridize) Assert.False(hybrid.Report.FellBack);
            return [.. results, .. net.Parameters.Values];
        }
    }

    [Fact]
    public void AFunctionKeepsALayer()
    {
        Linear? layer = null;
        Func<NDArray, NDArray> f = x => (layer ??= new Linear(4, 2)).Forward(x);
        HybridFunction<Func<NDArray, NDArray>> hybrid = f.Hybridize(Check.Strict);
        NDArray x = TestArrays.Uniform((3, 4)), first = hybrid.Invoke(x);
        Check.Same(first, hybrid.Invoke(x));
        using (Autograd.Record()) hybrid.Invoke(x).Backward();
        Assert.True(layer!.Weight.FreshGrad);
        Check.Same(first, layer.Forward(x));
    }

    [Fact]
    public void AFunctionThatMakesALayerAtEveryCallRunsEagerly()
    {
        Func<NDArray, NDArray> f = static x => new Linear(4, 2).Forward(x);
        HybridFunction<Func<NDArray, NDArray>> hybrid = f.Hybridize();
        NDArray x = TestArrays.Uniform((3, 4));
        Nd.Random.Seed(2);
        NDArray[] expected = [.. Enumerable.Range(0, 12).Select(_ => f(x))];
        Nd.Random.Seed(2);
        Check.Same(expected, [.. Enumerable.Range(0, 12).Select(_ => hybrid.Invoke(x))]);
        Assert.Contains("Linear makes its 'weight' at every call", hybrid.Report.FallbackReason, StringComparison.Ordinal);
    }
}
