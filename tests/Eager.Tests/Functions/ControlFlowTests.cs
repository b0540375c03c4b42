using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

public sealed class ControlFlowTests
{
    [Fact]
    public void ForEachCarriesStatesAndStacksOutputs()
    {
        NDArray data = Random((4, 3)), start = Random(3, 2);
        (NDArray outputs, NDArray state) = Nd.ForEach((x, s) => (x * s, s + x), data, start);
        NDArray running = start;
        for (int i = 0; i < 4; i++)
        {
            Close(data[i] * running, outputs[i]);
            running += data[i];
        }

        Close(running, state);
        (NDArray sums, IReadOnlyList<NDArray> states) = Nd.ForEach((x, s) => (s[0] + s[1], [s[1], x]), data, [start, start]);
        Close(data[3], states[1]);
        Assert.Equal(new Shape(4, 3), sums.Shape);
        Gradients(i => Nd.ForEach((x, s) => (Nd.Tanh(x * s), s * 0.5 + x), i[0], i[1]).Outputs, data, start);
        Assert.Throws<ShapeException>(() => Nd.ForEach((x, s) => (x, s), Nd.Scalar(1), start));
        Assert.Throws<ShapeException>(() => Nd.ForEach((x, s) => (x, s), Nd.Zeros((0, 2)), start));
    }

    [Theory]
    [InlineData(100, 64)]
    [InlineData(3, 8)]
    [InlineData(0, 1)]
    public void WhileLoopEndsByItsConditionOrLimit(int limit, double expected) =>
        Assert.Equal(expected, Nd.WhileLoop(x => x < 50, x => x * 2, Nd.Scalar(1, DType.Float64), limit).Item<double>());

    [Fact]
    public void GradientsFlowThroughTheStepsTaken()
    {
        Gradients(i => Nd.WhileLoop(s => Nd.Sum(s) < 10, s => s * s + 1, i[0], 20), Doubles(0.5, 0.7));
        Gradients(i => Nd.WhileLoop(s => s[1] < 3, s => [s[0] * i[0], s[1] + 1], [i[0], Nd.Scalar(0)], 20)[0], Doubles(1.5));
        Gradients(i => Nd.Cond(Nd.Sum(i[0]) > 0, () => Nd.Square(i[0]), () => Nd.Exp(i[0])), Doubles(0.5, 0.7));
        Gradients(i => Nd.Cond(Nd.Sum(i[0]) > 0, () => Nd.Square(i[0]), () => Nd.Exp(i[0])), Doubles(-0.5, -0.7));
    }

    [Fact]
    public void OnlyTheChosenBranchIsCalled()
    {
        int calls = 0;
        Nd.Cond(Nd.Array([true]), () => Nd.Ones(1), () => Nd.Full(1, ++calls));
        Nd.Cond(Nd.Scalar(0), () => Nd.Full(1, ++calls), () => Nd.Ones(1));
        Assert.Equal(0, calls);
        Assert.Throws<ShapeException>(() => Nd.Cond(Nd.Array([true, false]), () => Nd.Ones(1), () => Nd.Ones(1)));
    }

    [Fact]
    public void ATracedForEachIsUnrolledAndATracedChoiceIsFollowed()
    {
        Func<NDArray, NDArray> loop = x => Nd.ForEach((slice, s) => (slice * s, s + slice), x, Nd.Ones(3, DType.Float64)).Outputs;
        HybridFunction<Func<NDArray, NDArray>> compiled = loop.Hybridize();
        NDArray data = Random((4, 3));
        Assert.Equal(loop(data).Values(), compiled.Invoke(data).Values());
        Assert.False(compiled.Report.FellBack, compiled.Report.FallbackReason);
        Func<NDArray, NDArray> choice = x => Nd.Cond(Nd.Sum(x) > 0, () => x * 2, () => x);
        HybridFunction<Func<NDArray, NDArray>> followed = choice.Hybridize();
        foreach (NDArray x in (NDArray[])[Nd.Abs(data), data - 100]) Assert.Equal(choice(x).Values(), followed.Invoke(x).Values());
        Assert.False(followed.Report.FellBack, followed.Report.FallbackReason);
        Assert.Equal(2, followed.Report.VariantCount);
    }
}
