namespace Fusion.Tests;

/// <summary>Reductions along rows and what is computed of the same rows before and after them.</summary>
[Collection(TileModes.Name)]
public sealed class RowTests
{
    private static readonly Dictionary<string, (Func<NDArray, NDArray> Function, int Launches)> s_functions = new()
    {
        ["softmax"] = (static x => Nd.Softmax(x), 1),
        ["softmax by hand"] = (static x =>
        {
            NDArray e = Nd.Exp(x - Nd.Max(x, -1, keepDims: true));
            return e / Nd.Sum(e, -1, keepDims: true);
        }, 1),
        ["log-sum-exp"] = (static x => Nd.LogSumExp(x, -1), 1),
        ["layer norm"] = (static x =>
        {
            NDArray centred = x - Nd.Mean(x, -1, keepDims: true);
            return centred / Nd.Sqrt(Nd.Mean(Nd.Square(centred), -1, keepDims: true) + 1e-5);
        }, 1),
        ["RMS norm"] = (static x => x * Nd.ReciprocalSqrt(Nd.Mean(Nd.Square(x), -1, keepDims: true) + 1e-6), 1),
        ["variance"] = (static x => Nd.Var(x, -1, correction: 0), 1),
        ["standard deviation"] = (static x => Nd.Std(x, [-1]), 1),
        ["error of every row"] = (static x => Nd.Mean(Nd.Square(Nd.Tanh(x) - x * 0.5), -1), 1),
        ["scaled softmax"] = (static x => Nd.Log(Nd.Softmax(x * 0.125) + 1e-3), 1),
        ["range"] = (static x => (x - Nd.Min(x, -1, keepDims: true)) / (Nd.Max(x, -1, keepDims: true) - Nd.Min(x, -1, keepDims: true) + 1), 1),
        ["rows with a large element"] = (static x => Nd.Where(Nd.Any(x > 2, -1, keepDims: true), Nd.Tanh(x), x * 0.5), 1),
        ["mask by the mean"] = (static x => Nd.Where(x > Nd.Mean(x, -1, keepDims: true), x, 0), 1),
    };

    public static TheoryData<string, DType, int, int> Cases
    {
        get
        {
            TheoryData<string, DType, int, int> cases = [];
            foreach (string name in s_functions.Keys)
            {
                foreach (int columns in TileModes.Sizes) cases.Add(name, DType.Float32, 31, columns);
                foreach (int rows in TileModes.Sizes) cases.Add(name, DType.Float64, rows, 65);
                cases.Add(name, DType.Float32, 9, 20_000);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Work_on_rows_is_one_launch_with_the_eager_bits(string name, DType dtype, int rows, int columns)
    {
        (Func<NDArray, NDArray> f, int launches) = s_functions[name];
        HybridReport report = TileModes.AssertSame(x => [f(x[0])], TileModes.Random(1, (rows, columns), dtype));
        if (rows > 1 && columns is > 1 and <= 1000) Assert.Equal(launches, report.KernelCount);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradients_of_work_on_rows_have_the_eager_bits(string name, DType dtype, int rows, int columns)
    {
        Func<NDArray, NDArray> f = s_functions[name].Function;
        TileModes.AssertSameGradients(x => [f(x[0]) * x[1]], TileModes.Random(1, (rows, columns), dtype), TileModes.Random(2, 1, dtype));
    }

    public static TheoryData<string> Names => [.. s_functions.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Zeros_infinities_and_NaN_go_through_rows_as_eagerly(string name) =>
        TileModes.AssertSame(x => [s_functions[name].Function(x[0])], TestArrays.Special((40, 65)));

    [Fact]
    public void Layer_norm_with_scale_and_shift_over_three_axes_is_one_launch()
    {
        HybridReport report = TileModes.AssertSame(
            static x =>
            {
                NDArray centred = x[0] - Nd.Mean(x[0], -1, keepDims: true);
                return [centred / Nd.Sqrt(Nd.Mean(Nd.Square(centred), -1, keepDims: true) + 1e-5) * x[1] + x[2]];
            },
            TileModes.Random(1, (5, 13, 100)), TileModes.Random(2, 100), TileModes.Random(3, 100));
        Assert.Equal(1, report.KernelCount);
        Assert.Equal("Rows", report.Groups[0].Kind);
    }

    /// <summary>Rows and columns; where they are as many, a vector might be taken for one element a row.</summary>
    public static TheoryData<int, int> NormShapes => new() { { 70, 65 }, { 64, 64 }, { 1, 100 }, { 300, 7 }, { 31, 1000 } };

    [Theory]
    [MemberData(nameof(NormShapes))]
    public void A_norm_with_what_is_computed_before_and_after_it_is_one_launch(int rows, int columns)
    {
        NDArray[] inputs =
            [TileModes.Random(1, (rows, columns)), TileModes.Random(2, (rows, columns)), TileModes.Random(3, columns), TileModes.Random(4, columns)];
        HybridReport layer = TileModes.AssertSame(static x => [(x[0] + x[1]).LayerNorm(x[2], x[3]).Tanh() + x[1]], inputs);
        HybridReport root = TileModes.AssertSame(static x => [(x[0] + x[1]).RmsNorm(x[2]) * x[1]], inputs);
        NormAttributes a = new(1e-5, true);
        HybridReport gradient = TileModes.AssertSame(x => [OpTable.LayerNormGradient.Apply([x[0], x[1].Tanh(), x[2]], a) + x[1]], inputs);
        HybridReport plain = TileModes.AssertSame(x => [OpTable.StandardizeGradient.Apply([x[0], x[1].Tanh()], a) + x[1]], inputs);
        if (rows > 1) Assert.Equal((1, 1, 1, 1), (layer.KernelCount, root.KernelCount, gradient.KernelCount, plain.KernelCount));
    }

    [Theory]
    [MemberData(nameof(NormShapes))]
    public void Gradients_of_norms_have_the_eager_bits(int rows, int columns)
    {
        NDArray[] inputs = [TileModes.Random(1, (rows, columns)), TileModes.Random(2, columns), TileModes.Random(3, columns)];
        HybridReport layer = TileModes.AssertSameGradients(static x => [x[0].LayerNorm(x[1], x[2])], inputs);
        TileModes.AssertSameGradients(static x => [x[0].Tanh().RmsNorm(x[1]) * x[0] + x[2]], inputs);
        Assert.Equal(columns < 64 ? 3 : 2, layer.KernelCount); // forward, the gradient of x, and the sums for gamma and beta: rows from 64 elements on are read once for both
    }

    /// <summary>Sums over rows are taken in blocks of 64, whatever the tiles are.</summary>
    public static TheoryData<int, int> SumShapes => new() { { 1, 100 }, { 63, 20 }, { 64, 64 }, { 65, 33 }, { 300, 7 }, { 200, 1000 }, { 2, 3000 }, { 300, 67 } };

    [Theory]
    [MemberData(nameof(SumShapes))]
    public void The_gradients_of_a_norm_with_what_surrounds_it_are_one_launch(int rows, int columns)
    {
        NDArray[] inputs = [TileModes.Random(1, (rows, columns)), TileModes.Random(2, columns), TileModes.Random(3, columns)];
        HybridReport layer = TileModes.AssertSameGradients(static x => [x[0].Tanh().LayerNorm(x[1], x[2]) * x[0]], inputs);
        HybridReport root = TileModes.AssertSameGradients(static x => [(x[0] * 2).RmsNorm(x[1]).Sigmoid() + x[2]], inputs);
        if (rows > 7) Assert.Equal((2, 3), (layer.KernelCount, root.KernelCount)); // forward, backward, and the sum that is the gradient of the addition
        NDArray[] doubles = Array.ConvertAll(inputs, static i => i.AsType(DType.Float64));
        TileModes.AssertSameGradients(static x => [x[0].Tanh().LayerNorm(x[1], x[2]) * x[0]], doubles);
    }

    [Fact]
    public void What_is_computed_from_sums_over_rows_waits_for_all_of_them()
    {
        NormAttributes a = new(1e-5, true);
        TileModes.AssertSame(
            x =>
            {
                NDArray g = x[1].Tanh(), sums = OpTable.LayerNormSums.Apply(x[0], g, a);
                return [g * 2, Nd.Exp(sums), x[0] * sums[1] + g, sums.Sum()];
            },
            TileModes.Random(1, (130, 65)), TileModes.Random(2, (130, 65)));
        TileModes.AssertSame( // rows that lie apart
            x => [OpTable.LayerNormSums.Apply(x[0][.., 3..], x[1].Tanh(), a)], TileModes.Random(1, (70, 23)), TileModes.Random(2, (70, 20)));
        TileModes.AssertSame( // as many numbers as rows
            x => [Nd.Exp(OpTable.LayerNormSums.Apply(x[0], x[1].Tanh(), a))], TileModes.Random(1, (40, 20)), TileModes.Random(2, (40, 20)));
    }

    [Fact]
    public void Attention_weights_with_scale_and_mask_are_one_launch()
    {
        HybridReport report = TileModes.AssertSame(
            static x => [Nd.Softmax(Nd.Where(x[1], x[0] * 0.25, -1e9) + x[2] + x[3])],
            TileModes.Random(1, (3, 4, 17, 33)), TileModes.Random(2, (17, 33)) > 0, TileModes.Random(3, (3, 1, 1, 33)), TileModes.Random(4, (4, 17, 1)));
        Assert.Equal(1, report.KernelCount);
    }

    [Fact]
    public void Results_on_the_way_are_written_too()
    {
        HybridReport report = TileModes.AssertSame(
            static x =>
            {
                NDArray mean = Nd.Mean(x[0], -1, keepDims: true);
                NDArray centred = x[0] - mean;
                NDArray squares = Nd.Square(centred);
                return [mean, centred, centred > 0, Nd.Sum(squares, -1), squares / Nd.Sum(squares, -1, keepDims: true)];
            },
            TileModes.Random(1, (37, 61)));
        Assert.InRange(report.KernelCount, 1, 2);
    }

    [Theory]
    [InlineData(DType.Int32)]
    [InlineData(DType.Int64)]
    public void Cross_entropy_and_its_backward_are_two_launches(DType labelType)
    {
        NDArray labels = Nd.Array(new[] { 3, 0, 9, 4, 4, 1, 8 }).AsType(labelType);
        HybridReport report = TileModes.AssertSameGradients(x => [Nd.Mean(Nd.SoftmaxCrossEntropy(x[0], x[1]))], TileModes.Random(1, (7, 10)), labels);
        Assert.Equal(2, report.KernelCount);
    }

    [Fact]
    public void A_label_out_of_range_is_refused_before_anything_is_computed()
    {
        ListFunction f = static x => [Nd.Mean(Nd.SoftmaxCrossEntropy(x[0] * 2, x[1]))];
        HybridFunction<ListFunction> compiled = f.Hybridize();
        NDArray logits = TileModes.Random(1, (3, 10));
        string expected = Assert.Throws<ArgumentOutOfRangeException>(() => f([logits, Nd.Array(new[] { 1, 10, 2 })])).Message;
        Assert.Equal(expected, Assert.Throws<ArgumentOutOfRangeException>(() => compiled.Invoke([logits, Nd.Array(new[] { 1, 10, 2 })])).Message);
    }

    [Fact]
    public void A_product_computes_Gelu_and_its_slope_together()
    {
        HybridFunction<Func<NDArray, NDArray, NDArray>> step = Hybrid.Hybridize(static (NDArray x, NDArray w) =>
        {
            NDArray loss;
            using (Autograd.Record()) loss = x.MatMul(w).Gelu().MatMul(w).Square().Sum();
            loss.Backward();
            return loss;
        });
        NDArray w = TileModes.Random(2, (32, 32));
        w.AttachGrad();
        step.Invoke(TileModes.Random(1, (20, 32)), w);
        Assert.Equal(["MatMul", "Gelu", "GeluSlope"], Assert.Single(step.Report.Groups, static g => g.Ops.Contains("GeluSlope")).Ops);
    }

    [Fact]
    public void Gelu_forward_and_backward_are_two_launches()
    {
        Assert.Equal(2, TileModes.AssertSameGradients(static x => [Nd.Gelu(x[0])], TileModes.Random(1, (100, 33))).KernelCount);
    }

    [Fact]
    public void A_column_mean_between_row_operations_stays_apart()
    {
        HybridReport report = TileModes.AssertSame(
            static x =>
            {
                NDArray p = Nd.Softmax(x[0]);
                return [p - Nd.Mean(p, 0, keepDims: true) * Nd.Sum(p, -1, keepDims: true)];
            },
            TileModes.Random(1, (40, 40)));
        Assert.True(report.KernelCount > 1, report.ToString());
    }

    [Fact]
    public void The_same_function_is_always_cut_alike()
    {
        static IReadOnlyList<NDArray> Block(IReadOnlyList<NDArray> x)
        {
            NDArray centred = x[0] - Nd.Mean(x[0], -1, keepDims: true);
            NDArray normal = centred / Nd.Sqrt(Nd.Mean(Nd.Square(centred), -1, keepDims: true) + 1e-5);
            NDArray hidden = Nd.Gelu(normal.MatMul(x[1]) + x[2]);
            return [x[0] + hidden.MatMul(Nd.Transpose(x[1])), Nd.Mean(Nd.Square(hidden))];
        }

        NDArray[] inputs = [TileModes.Random(1, (20, 32)), TileModes.Random(2, (32, 48)), TileModes.Random(3, 48)];
        string[] first = Cut();
        Assert.Equal(["MatMul", "MatMul", "Rows", "Rows"], first.Select(static g => g.Split(' ')[0]).Order());
        for (int i = 0; i < 5; i++) Assert.Equal(first, Cut());

        string[] Cut()
        {
            ListFunction f = Block;
            HybridFunction<ListFunction> compiled = f.Hybridize();
            compiled.Invoke(inputs);
            return [.. compiled.Report.Groups.Where(static g => g.Kind != "View").Select(static g => $"{g.Kind} {string.Join(' ', g.Ops)}: {g.Reason}")];
        }
    }

    // What all rows read is copied to an aligned place before the first tile: a part of the tile before it once wrote there.
    [Theory]
    [InlineData(256)]
    [InlineData(257)]
    public void Gradients_of_norms_one_after_the_other_have_the_eager_bits(int columns)
    {
        NDArray[] vectors = [.. Enumerable.Range(2, 5).Select(i => TileModes.Random(i, columns) + 1)];
        foreach (NDArray vector in vectors) vector.AttachGrad();
        HybridReport report = TileModes.AssertSame(
            x =>
            {
                using RecordScope scope = Autograd.Record();
                NDArray y = Nd.LayerNorm(x[0], vectors[0], vectors[1]).Elu().RmsNorm(vectors[2]).Mish();
                return Autograd.Grad([Nd.LayerNorm(y, vectors[3], vectors[4]).Tanh() * x[1]], vectors);
            },
            TileModes.Random(1, (64, columns)),
            TileModes.Random(7, (64, columns)));
        Assert.Equal(1, report.KernelCount);
    }

    [Fact]
    public void Square_matrices_do_not_mistake_columns_for_rows()
    {
        TileModes.AssertSame(
            static x =>
            {
                NDArray s = Nd.Sum(x[0], -1);
                return [x[0] * s + Nd.ExpandDims(s, -1), x[0] - Nd.Exp(s)];
            },
            TileModes.Random(1, (33, 33)));
    }

    [Fact]
    public void A_steady_call_of_every_kind_of_launch_allocates_its_results_only()
    {
        ListFunction f = static x =>
        {
            NDArray h = Nd.Reshape(Nd.Tanh(x[0].MatMul(x[1]) + x[2]), 4, 8, 48) + 1;
            NDArray p = Nd.Softmax(h * 0.5) + 1;
            return [p, Nd.Mean(Nd.Square(x[0] - 1)), Nd.Sum(x[3] * x[3], 0)];
        };
        HybridFunction<ListFunction> compiled = f.Hybridize();
        NDArray[] inputs = [TileModes.Random(1, (32, 20)), TileModes.Random(2, (20, 48)), TileModes.Random(3, 48), TileModes.Random(4, (50, 20))];
        for (int i = 0; i < 3; i++) compiled.Invoke(inputs);
        Assert.Equal(["MatMul", "Reduce", "Reduce", "Rows"], compiled.Report.Groups.Where(static g => g.Kind != "View").Select(static g => g.Kind).Order());
        long before = GC.GetAllocatedBytesForCurrentThread();
        IReadOnlyList<NDArray> results = compiled.Invoke(inputs);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        long data = results.Sum(static r => r.Size * r.DType.Size);
        Assert.True(allocated <= data + 400 * results.Count, $"{allocated} bytes for {results.Count} results of {data} bytes");
    }
}
