using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>Hybridized modules train like eager ones.</summary>
[Collection(nameof(ProcessState))]
public sealed class ModuleTests
{
    [Fact]
    public void TrainingIsTheSameToTheBit()
    {
        Assert.Equal(Train(hybridize: false), Train(hybridize: true));

        static float[] Train(bool hybridize)
        {
            Nd.Random.Seed(3);
            Sequential net = Net();
            if (hybridize) net.Hybridize(Check.Strict);
            Sgd sgd = new(net.Parameters.Values, 0.1, momentum: 0.9);
            List<float> losses = [];
            for (int step = 0; step < 5; step++)
            {
                NDArray x = TestArrays.Uniform((step == 3 ? 5 : 8, 6), step);
                NDArray loss;
                using (Autograd.Record()) loss = Loss.SoftmaxCrossEntropy(net.Forward(x), TestArrays.Indices(x.Shape[0], 3, step));
                loss.Backward();
                sgd.Step();
                losses.Add(loss.Item<float>());
            }

            return [.. losses, .. net.Parameters.Values.SelectMany(static p => p.ToArray<float>())];
        }
    }

    [Fact]
    public void HybridizeReturnsTheModuleAndItsReportIsFound()
    {
        Sequential net = Net();
        Assert.Contains("Sequential", Assert.Throws<InvalidOperationException>(() => net.Hybridized()).Message, StringComparison.Ordinal);
        Assert.Same(net, net.Hybridize(Check.Strict));
        NDArray x = TestArrays.Uniform((4, 6));
        NDArray expected = net.ForwardCore(x);
        Check.Same(expected, net.Forward(x));
        Assert.True(net.Hybridized().Report.KernelCount > 0);
        Check.Same(expected, net.Hybridized().Invoke(x));
    }

    [Fact]
    public void HybridizingAgainReplacesTheCompiledFunction()
    {
        Sequential net = Net().Hybridize(Check.Strict);
        net.Forward(TestArrays.Uniform((4, 6)));
        HybridFunction<Func<NDArray, NDArray>> first = net.Hybridized();
        net.Hybridize(Check.Strict with { MaxVariants = 3 });
        Assert.NotSame(first, net.Hybridized());
        Assert.Equal(0, net.Hybridized().Report.VariantCount);
        Check.Same(net.ForwardCore(TestArrays.Uniform((4, 6))), net.Forward(TestArrays.Uniform((4, 6))));
    }

    [Fact]
    public void UpdatesOfParametersAreSeen()
    {
        Linear layer = new Linear(3, 2).Hybridize(Check.Strict);
        NDArray x = Nd.Ones((1, 3));
        layer.Forward(x);
        layer.Weight.Fill(2);
        layer.Bias!.Fill(1);
        Check.Same(Nd.Full((1, 2), 7), layer.Forward(x));
        Assert.Equal(1, layer.Hybridized().Report.CacheMisses);
    }

    [Fact]
    public void ChildrenAreInlinedAlsoHybridizedOnes()
    {
        Linear inner = new Linear(6, 6).Hybridize(Check.Strict);
        Sequential net = new Sequential(inner, new Relu(), inner).Hybridize(Check.Strict);
        NDArray x = TestArrays.Uniform((4, 6));
        Check.Same(inner.ForwardCore(inner.ForwardCore(x).Relu()), net.Forward(x));
        Assert.Equal(0, inner.Hybridized().Report.VariantCount);
        Check.Same(inner.ForwardCore(x), inner.Forward(x));
    }

    [Fact]
    public void AModuleThatGrowsIsTracedAgain()
    {
        Sequential inner = new(new Linear(6, 4));
        Sequential net = new Sequential(inner).Hybridize(Check.Strict);
        NDArray x = TestArrays.Uniform((2, 6));
        Assert.Equal((2, 4), net.Forward(x).Shape);
        net.Add(new Linear(4, 3));
        Assert.Equal((2, 3), net.Forward(x).Shape);
        inner.Add(new Linear(4, 4));
        Check.Same(net.ForwardCore(x), net.Forward(x));
    }

    [Fact]
    public void SeveralCallsInOneTapeShareTheParameters()
    {
        Sequential net = Net();
        NDArray x = TestArrays.Uniform((4, 6));
        NDArray[] expected = Gradients();
        net.Hybridize(Check.Strict);
        Check.Same(expected, Gradients(), "gradient");

        NDArray[] Gradients()
        {
            using (Autograd.Record(trainMode: false)) (net.Forward(x) + net.Forward(x * 2)).Backward();
            return [.. net.Parameters.Values.Select(static p => p.Grad!.Copy())];
        }
    }

    [Fact]
    public void SwitchingBetweenTrainingAndInference()
    {
        Sequential net = Net();
        NDArray x = TestArrays.Uniform((4, 6));
        NDArray inference = net.Forward(x);
        net.Hybridize(Check.Strict);
        for (int i = 0; i < 3; i++)
        {
            Check.Same(inference, net.Forward(x));
            using (Autograd.Record()) net.Forward(x * (i + 1)).Backward();
        }

        Assert.Equal(2, net.Hybridized().Report.VariantCount);
    }

    [Fact]
    public void AModuleKeepsNoneOfThoseThatItWasAPartOf()
    {
        Sequential net = Net();
        List<WeakReference> parts = [];
        for (int i = 0; i < 20; i++) parts.Add(Use(net));
        for (int i = 0; i < 10 && parts.Exists(static p => p.IsAlive); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.DoesNotContain(parts, static p => p.IsAlive);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static WeakReference Use(Sequential net)
        {
            Sequential part = net.Slice(0, 2);
            part.Forward(TestArrays.Uniform((4, 6)));
            return new WeakReference(part);
        }
    }

    private static Sequential Net() => new(new Linear(6, 16), new Relu(), new Dropout(0.2), new Linear(16, 3));
}
