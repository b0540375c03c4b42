namespace Fusion.Tests;

/// <summary>What a compiled backward computes belongs to the gradient buffers, as eagerly: their memory goes back with the next gradient, and a write in place copies nothing.</summary>
public sealed class GradientOwnershipTests
{
    private static readonly Func<NDArray, NDArray, NDArray> s_sum = static (x, y) => x + y;
    private static readonly Func<NDArray, NDArray, NDArray> s_product = static (x, y) => Nd.Tanh(x * y);

    [Fact]
    public void TheBufferOwnsItsMemory()
    {
        (NDArray x, NDArray y) = (Leaf(1), Leaf(2));
        HybridFunction<Func<NDArray, NDArray, NDArray>> compiled = s_product.Hybridize();
        for (int call = 0; call < 3; call++)
        {
            Backward(compiled.Invoke, x, y, null);
            Assert.False(x.Grad!.IsShared || y.Grad!.IsShared);
        }
    }

    [Fact]
    public void AGradientOfSeveralInputsIsWrittenInEachAlone()
    {
        (NDArray x, NDArray y, NDArray head) = (Leaf(1), Leaf(2), TileModes.Random(3, (40, 50)));
        HybridFunction<Func<NDArray, NDArray, NDArray>> compiled = s_sum.Hybridize();
        double[] before = head.AsType(DType.Float64).ToArray<double>();
        for (int call = 0; call < 3; call++)
        {
            Backward(compiled.Invoke, x, y, head);
            x.Grad!.Fill(7);
            Assert.Equal(before, y.Grad!.AsType(DType.Float64).ToArray<double>());
            Assert.Equal(before, head.AsType(DType.Float64).ToArray<double>());
            y.Grad!.Fill(8);
            Assert.All(x.Grad!.ToArray<float>(), static v => Assert.Equal(7, v));
            Assert.Equal(before, head.AsType(DType.Float64).ToArray<double>());
        }
    }

    [Fact]
    public void AnInputThatIsPassedTwiceAndAnOutputThatIsUsedTwiceAddUp()
    {
        foreach (Func<NDArray, NDArray, NDArray> function in new[] { s_sum, s_product })
        {
            NDArray[] gradients = new NDArray[2];
            for (int mode = 0; mode < 2; mode++)
            {
                Func<NDArray, NDArray, NDArray> call = mode == 0 ? function : function.Hybridize().Invoke;
                NDArray x = Leaf(1), loss;
                using (Autograd.Record())
                {
                    NDArray once = call(x, x);
                    loss = call(once, once) * once + call(once, x);
                }

                loss.Backward();
                gradients[mode] = x.Grad!;
            }

            Assert.Equal(gradients[0].ToArray<float>(), gradients[1].ToArray<float>());
        }
    }

    private static NDArray Leaf(int seed)
    {
        NDArray leaf = TileModes.Random(seed, (40, 50));
        leaf.AttachGrad();
        return leaf;
    }

    private static void Backward(Func<NDArray, NDArray, NDArray> function, NDArray x, NDArray y, NDArray? head)
    {
        NDArray result;
        using (Autograd.Record()) result = function(x, y);
        result.Backward(head);
    }
}
