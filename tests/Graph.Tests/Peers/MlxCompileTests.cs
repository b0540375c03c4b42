namespace Fusion.Tests;

/// <summary>The behaviours that MLX's python/tests/test_compile.py checks and that other files of this suite do not, in our own words.</summary>
public sealed class MlxCompileTests
{
    [Fact]
    public void AFunctionCalledAgainWithOtherSizesAndTypesIsRight()
    {
        HybridFunction<Func<NDArray, NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x, NDArray y) => x + y, Check.Strict);
        foreach ((Shape shape, DType dtype) in ((Shape, DType)[])[(default, DType.Float32), (2, DType.Float32), (2, DType.Float32), (2, DType.Int32), ((2, 2), DType.Float64)])
            Check.Same(Nd.Full(shape, 3, dtype), f.Invoke(Nd.Full(shape, 1, dtype), Nd.Full(shape, 2, dtype)));
    }

    [Fact]
    public void FunctionsOfOneNameButOtherObjectsDoNotShareTraces()
    {
        for (int i = 0; i < 4; i++)
        {
            double factor = i;
            Check.Same(Nd.Full(3, factor), Hybrid.Hybridize((NDArray x) => x * factor, Check.Strict).Invoke(Nd.Ones(3)));
        }
    }

    [Fact]
    public void ATraceMadeOnOneThreadIsUsedAndDroppedOnAnother()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => x.Exp() + 1, Check.Strict);
        Thread thread = new(() => f.Invoke(Nd.Ones(3)));
        thread.Start();
        thread.Join();
        Check.Same(Nd.Ones(3).Exp() + 1, f.Invoke(Nd.Ones(3)));
        Assert.Equal(1, f.Report.CacheMisses);
        thread = new Thread(f.Clear);
        thread.Start();
        thread.Join();
        f.Invoke(Nd.Ones(3));
        Assert.Equal(2, f.Report.CacheMisses);
    }

    [Fact]
    public void ValuesAndGradientsOfALossOfTwoInputs() =>
        Check.Both(Check.List(static (w, x) =>
        {
            NDArray y = x * w;
            return (y * y.Exp()).Sum();
        }), Nd.Array([-1f, 0.3f, 1, -0.9f]), Nd.Array([1f, 0.5f, 2, -0.5f]));

    [Fact]
    public void ReadingAResultInsideGradIsAllowed()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => x.Abs().Exp(), Check.Strict);
        NDArray x = Nd.Array([2f, -1, 0.5f]);
        x.AttachGrad();
        using (Autograd.Record())
        {
            NDArray y = f.Invoke(x);
            Assert.Equal(3, y.ToArray<float>().Length);
            y.Sum().Backward();
        }

        Check.Same(x.Abs().Exp() * x.Sign(), x.Grad);
    }

    [Fact]
    public void StateInsideDictionariesIsReadByReference()
    {
        Dictionary<string, NDArray> state = new() { ["y"] = Nd.Full(1, 2) };
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x + state["y"], Check.Strict);
        Check.Same(Nd.Full(1, 3), f.Invoke(Nd.Ones(1)));
        state["y"].Fill(3);
        Check.Same(Nd.Full(1, 4), f.Invoke(Nd.Ones(1)));
    }

    [Fact]
    public void NonFiniteConstantsAreFused()
    {
        foreach (double constant in (double[])[double.NaN, double.PositiveInfinity, double.NegativeInfinity])
        {
            HybridReport report = Check.Forward(Check.List(x => Nd.Where(x > 0, (x * 2).Exp(), constant)), TestArrays.Special(40));
            Assert.Equal(1, report.KernelCount);
        }

        Check.Forward(Check.List(static x => Nd.Where(x.IsInfinity(), Nd.Scalar(0), Nd.Scalar(1))), Nd.Array([0f, float.PositiveInfinity, 1]));
    }

    [Fact]
    public void ManyInputsSomeOfThemStrided()
    {
        NDArray[] inputs = [.. Enumerable.Range(0, 20).Select(static i => TestArrays.Uniform((2, 2, 2, 2), i))];
        inputs[0] = inputs[0].Transpose();
        Check.Both(static x => [x.Take(10).Aggregate(static (a, b) => a + b) + x.Skip(10).Aggregate(static (a, b) => a + b)], inputs);
    }

    [Fact]
    public void ATreeOfSixtyFourInputsAndItsLevels()
    {
        NDArray[] inputs = [.. Enumerable.Range(0, 64).Select(static i => TestArrays.Uniform(2, i))];
        Check.Both(static x => [Levels(x)[^1][0]], inputs);
        Check.Both(static x => [Levels([.. Enumerable.Repeat(x[0], 64)])[^1][0], .. Levels([.. Enumerable.Repeat(x[0], 64)])[0]], inputs[0]);

        static List<NDArray[]> Levels(IReadOnlyList<NDArray> x)
        {
            List<NDArray[]> levels = [];
            NDArray[] level = [.. x];
            while (level.Length > 1)
            {
                level = [.. level.Chunk(2).Select(static p => p[0] + p[1])];
                levels.Add(level);
            }

            return levels;
        }
    }

    [Fact]
    public void ArraysOfManyAxes()
    {
        int[] twos = [.. Enumerable.Repeat(2, 10)];
        Check.Forward(Check.List(static (a, b) => (a + b).Abs()), TestArrays.Uniform(twos).Transpose(), TestArrays.Uniform(twos, 2));
    }

    [Fact]
    public void AMaximumMeetsItsSourceInAComparison()
    {
        NDArray x = TestArrays.Uniform((1, 2, 2));
        HybridFunction<Func<NDArray>> f = Hybrid.Hybridize(() => Nd.Equal(x, x.Max([1, 2], keepDims: true)), Check.Strict);
        Check.Same(Nd.Equal(x, x.Max([1, 2], keepDims: true)), f.Invoke());
    }

    [Fact]
    public void StretchingAlone() => Check.Both(Check.List(static (x, y) => x.BroadcastTo(y.Shape)), TestArrays.Uniform((1, 3)), TestArrays.Uniform((4, 3)));

    [Fact]
    public void SizesOfTheInputMayShapeTheProgram()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => x.Reshape(x.Shape[0], -1) * x.Shape[0] + x.Size, Check.Strict);
        foreach (int n in (int[])[2, 3, 1])
        {
            NDArray x = TestArrays.Uniform((n, 2, 3));
            Check.Same(x.Reshape(n, 6) * n + n * 6, f.Invoke(x));
        }
    }
}
