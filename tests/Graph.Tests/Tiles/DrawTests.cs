using Fusion.NN;

namespace Fusion.Tests;

/// <summary>Random numbers that kernels make themselves: those of eager execution with the same seed, in every kind of launch, and no launch of their own.</summary>
[Collection(TileModes.Name)]
public sealed class DrawTests
{
    private const ulong Seed = 5;

    private static readonly (string Name, int Forward, int Backward, Func<int, NDArray[]> Inputs, ListFunction F)[] s_functions =
    [
        ("dropout", 1, 1, Vector, Check.List(static x => x.Dropout(0.3))),
        ("work around dropout", 1, 1, Vector, Check.List(static x => (x * 2).Tanh().Dropout(0.3).Exp() + x)),
        ("two dropouts", 1, 1, Vector, Check.List(static x => (x.Dropout(0.2).Tanh() * x).Dropout(0.4))),
        ("noise", 1, 1, Vector, Check.List(static x => x * Nd.Random.Normal(1, 0.5, x.Shape) + Nd.Random.Uniform(-1, 1, x.Shape))),
        ("noise in double", 1, 1, n => [TileModes.Random(1, n, DType.Float64)], Check.List(static x =>
            x * Nd.Random.Normal(1, 0.5, x.Shape, DType.Float64) + Nd.Random.Uniform(-1, 1, x.Shape, DType.Float64) * Nd.Random.Bernoulli(0.4, x.Shape, DType.Float64))),
        ("Bernoulli", 1, 1, Vector, Check.List(static x => x * Nd.Random.Bernoulli(0.4, x.Shape))),
        ("the numbers are a result", 1, 1, Vector, static x =>
        {
            NDArray u = Nd.Random.Uniform(0, 1, x[0].Shape);
            return [u, x[0] * u];
        }),
        ("more draws than a kernel takes", 3, 1, Vector, static x =>
            [Enumerable.Range(0, 5).Aggregate(x[0], static (y, i) => y.Tanh() + 0.1 * Nd.Random.Uniform(0, i + 1, y.Shape))]),
        ("broadcast operands", 1, 2, n => [TileModes.Random(1, (3, n)), TileModes.Random(2, n), TileModes.Random(3, (3, 1))],
            static x => [(x[0] * x[1] + x[2]).Dropout(0.3)]),
        ("a transposed operand", 1, 1, n => [TileModes.Random(1, (40, n)), TileModes.Random(2, (n, 40))], static x => [(x[0] + x[1].Transpose()).Dropout(0.3)]),
        ("rows of a slice", 1, 1, n => [TileModes.Random(1, (20, n + 3))], static x => [x[0][.., 3..].Dropout(0.3) * 2]),
        ("softmax", 1, 1, n => [TileModes.Random(1, (9, n + 3))], static x => [(x[0] * 2).Softmax().Dropout(0.3) + 1]),
        ("layer norm", 1, 1, n => [TileModes.Random(1, (9, n + 3))], static x => [(x[0].Dropout(0.3) + x[0]).LayerNorm()]),
        ("one number a row", 1, 1, n => [TileModes.Random(1, (n + 30, 16))], static x => [x[0].Sum(1).Dropout(0.3).Exp()]),
        ("numbers after all rows", 2, 2, n => [TileModes.Random(1, (n + 30, 16))], static x => [x[0].Exp().Sum(1).Sum() * Nd.Random.Uniform(0, 1, x[0].Shape[0])]),
        ("mean", 1, 2, n => [TileModes.Random(1, (n, 40))], static x => [(x[0].Dropout(0.3) * x[0]).Mean()]),
        ("columns", 1, 1, n => [TileModes.Random(1, (n + 300, 40))], static x => [(x[0].Dropout(0.3) * x[0]).Sum(0)]),
        ("product", 1, 3, n => [TileModes.Random(1, (21, 30)), TileModes.Random(2, (30, n)), TileModes.Random(3, n)],
            static x => [(x[0].MatMul(x[1]) + x[2]).Relu().Dropout(0.3)]),
        ("product with wide rows", 1, 3, n => [TileModes.Random(1, (n, 30)), TileModes.Random(2, (30, 300)), TileModes.Random(3, 300)],
            static x => [(x[0].MatMul(x[1]) + x[2]).Relu().Dropout(0.3)]),
        ("convolution", 1, 3, n => [TileModes.Random(1, (2, 3, 8, n + 3)), TileModes.Random(2, (4, 3, 3, 3))], static x => [x[0].Conv2D(x[1], padding: 1).Relu().Dropout(0.3)]),
    ];

    public static TheoryData<string, int> Cases
    {
        get
        {
            TheoryData<string, int> cases = [];
            foreach ((string name, _, _, _, _) in s_functions)
                foreach (int n in (int[])[2, 16, 65, 1000]) cases.Add(name, n);
            foreach (string name in (string[])["dropout", "noise", "work around dropout"])
                foreach (int n in (int[])[1024, 1100, 40_000, 70_003]) cases.Add(name, n);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_numbers_are_those_of_eager_execution(string name, int n)
    {
        (_, _, _, Func<int, NDArray[]> make, ListFunction f) = s_functions.Single(row => row.Name == name);
        NDArray[] x = make(n);
        (IReadOnlyList<NDArray> Results, NDArray?[] Gradients, RandomState After) expected = Seeded(f, x);
        TileModes.ForEachMode(f, compiled =>
        {
            (IReadOnlyList<NDArray> results, NDArray?[] gradients, RandomState after) = Seeded(compiled.Invoke, x);
            Check.Same(expected.Results, results, $"{name}, result");
            Check.Same(expected.Gradients, gradients, $"{name}, gradient");
            Assert.Equal(expected.After, after);
        });
        using RecordScope training = Autograd.TrainMode();
        Nd.Random.Seed(Seed);
        GraphFunction graph = Graphs.Of(f, training: true, x);
        foreach (bool fuse in (bool[])[false, true])
        {
            Nd.Random.Seed(Seed);
            Check.Same(expected.Results, Plan.Build(graph, fuse).Run(x), $"{name}, {(fuse ? "fused" : "one by one")}: result");
            Assert.Equal(expected.After, Nd.Random.Place);
        }

        Nd.Random.Seed(Seed);
        Check.Same(expected.Results, Interpreter.Run(graph, x), $"{name}, interpreted: result");
    }

    public static TheoryData<string> Names => [.. s_functions.Select(static f => f.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_draw_is_no_launch(string name)
    {
        (_, int forward, int backward, Func<int, NDArray[]> make, ListFunction f) = s_functions.Single(row => row.Name == name);
        NDArray[] x = make(320);
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        using (Autograd.TrainMode()) compiled.Invoke(x);
        Assert.True(forward == compiled.Report.KernelCount, compiled.Report.ToString());
        Check.Gradients(compiled.Invoke, x);
        Assert.True(forward + backward == compiled.Report.KernelCount, compiled.Report.ToString());
    }

    [Fact]
    public void Backward_reads_the_mask_and_not_the_numbers()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x.Dropout(0.5), Check.Strict);
        NDArray x = TileModes.Random(1, 10_000);
        x.AttachGrad();
        using (Autograd.Record()) f.Invoke(x).Backward(Nd.OnesLike(x));
        Assert.Equal([4 + 4 + 1, 4 + 1 + 4], f.Report.Groups.Select(static g => g.BytesMoved / 10_000));
    }

    [Fact]
    public void A_linear_layer_with_dropout_is_one_launch_forward()
    {
        Sequential layer = new(new Linear(20, 320), new Relu(), new Dropout(0.2));
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => layer.Forward(x), Check.Strict);
        using (Autograd.TrainMode()) f.Invoke(TileModes.Random(1, (30, 20)));
        Assert.True(f.Report.KernelCount == 1, f.Report.ToString());
        Assert.Equal("MatMul", Assert.Single(f.Report.Groups, static g => g.Kind != "View").Kind);
    }

    [Fact]
    public void Dropout_costs_a_transformer_block_no_launch_forward()
    {
        NDArray x = TileModes.Random(1, (4, 16, 64));
        int[] launches = Array.ConvertAll([0, 0.1], dropout =>
        {
            TransformerBlock block = new(64, 4, dropout: dropout);
            HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => block.Forward(x), Check.Strict);
            using (Autograd.TrainMode()) f.Invoke(x);
            Assert.Equal(dropout > 0 ? 2 : 0, f.Report.Groups.Sum(static g => g.Ops.Count(static o => o == "RandomUniform")));
            return f.Report.KernelCount;
        });
        Assert.Equal(launches[0], launches[1]);
    }

    [Fact]
    public void A_draw_that_nothing_reads_only_moves_the_stream()
    {
        ListFunction f = static x =>
        {
            _ = Nd.Random.Normal(0, 1, 10_000);
            _ = Nd.Random.Permutation(100);
            return [x[0] * Nd.Random.Uniform(0, 1, x[0].Shape)];
        };
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        NDArray[] x = Vector(100);
        (IReadOnlyList<NDArray> results, _, RandomState after) = Seeded(f, x);
        (IReadOnlyList<NDArray> own, _, RandomState ownAfter) = Seeded(compiled.Invoke, x);
        Check.Same(results, own);
        Assert.Equal(after, ownAfter);
        using (Autograd.PredictMode()) compiled.Invoke(x);
        Assert.Equal(1, compiled.Report.KernelCount);
    }

    [Fact]
    public void Draws_for_kernels_and_for_the_library_keep_the_order_of_the_program()
    {
        ListFunction f = static x =>
        {
            NDArray order = Nd.Random.Permutation(50);
            NDArray y = x[0].Dropout(0.5);
            NDArray counts = Nd.Random.Poisson(3, 50);
            NDArray z = y * Nd.Random.Uniform(0, 1, 50);
            NDArray gamma = Nd.Random.Gamma(2, 1, 50);
            return [z + Nd.Random.Normal(0, 1, 50), order, counts, gamma, Nd.Random.RandInt(0, 9, 50), Nd.Random.Bernoulli(0.5, 50, DType.Int32), x[0].Dropout(0.1)];
        };
        NDArray[] x = Vector(50);
        (IReadOnlyList<NDArray> results, NDArray?[] gradients, RandomState after) = Seeded(f, x);
        (IReadOnlyList<NDArray> own, NDArray?[] ownGradients, RandomState ownAfter) = Seeded(f.Hybridize(Check.Strict).Invoke, x);
        Check.Same(results, own);
        Check.Same(gradients, ownGradients);
        Assert.Equal(after, ownAfter);
    }

    [Fact]
    public void A_call_that_throws_gives_the_numbers_back()
    {
        NDArray table = Nd.Ones((4, 2));
        ListFunction f = x => [x[0].Dropout(0.5), table.Take(x[1]), x[0] * Nd.Random.Normal(0, 1, x[0].Shape)];
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        NDArray x = TileModes.Random(1, 5000), good = Nd.Array([0, 3]), bad = Nd.Array([0, 9]);
        (IReadOnlyList<NDArray> results, _, _) = Seeded(f, [x, good]);
        Check.Same(results, Seeded(compiled.Invoke, [x, good]).Results);
        RandomState before = Nd.Random.Place;
        using (Autograd.TrainMode()) Assert.Throws<ArgumentOutOfRangeException>(() => compiled.Invoke([x, bad]));
        Assert.Equal(before, Nd.Random.Place);
    }

    [Theory]
    [InlineData(20, 320)]
    [InlineData(20, 31)]
    public void A_product_decides_about_drawn_numbers(int m, int n)
    {
        Func<NDArray, NDArray, NDArray> f = (x, w) => Nd.Random.Uniform(0, 1, (m, n)) < Nd.Sigmoid(x.MatMul(w));
        (NDArray x, NDArray w) = (TileModes.Random(1, (m, 30)), TileModes.Random(2, (30, n)));
        Nd.Random.Seed(Seed);
        NDArray expected = f(x, w);
        HybridFunction<Func<NDArray, NDArray, NDArray>> compiled = f.Hybridize(Check.Strict);
        for (int call = 0; call < 2; call++)
        {
            Nd.Random.Seed(Seed);
            Check.Same(expected, compiled.Invoke(x, w));
        }
    }

    [Fact]
    public void An_accelerator_draws_the_same_numbers()
    {
        ListFunction f = static x =>
        {
            _ = Nd.Random.Uniform(0, 1, 100);
            NDArray y = x[0].Dropout(0.5), order = Nd.Random.Permutation(20, x[0].Device);
            return [y, order, y * Nd.Random.Bernoulli(0.5, y.Shape, device: x[0].Device)];
        };
        NDArray[] x = Vector(300);
        using RecordScope training = Autograd.TrainMode();
        Nd.Random.Seed(Seed);
        IReadOnlyList<NDArray> expected = f(x);
        RandomState after = Nd.Random.Place;
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        for (int call = 0; call < 2; call++)
        {
            Nd.Random.Seed(Seed);
            Check.Same(expected, [.. compiled.Invoke([x[0].To(Device.Debug)]).Select(static y => y.To(Device.Cpu))]);
            Assert.Equal(after, Nd.Random.Place);
        }
    }

    [Fact]
    public void Two_threads_call_one_function()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => x + Nd.Random.Uniform(0, 1, x.Shape), Check.Strict);
        NDArray x = Nd.Zeros(3000);
        f.Invoke(x);
        Nd.Random.Seed(Seed);
        NDArray[] alone = [.. Enumerable.Range(0, 40).Select(_ => f.Invoke(x))];
        Nd.Random.Seed(Seed);
        System.Collections.Concurrent.ConcurrentBag<NDArray> together = [];
        Parallel.For(0, 2, _ =>
        {
            for (int i = 0; i < 20; i++) together.Add(f.Invoke(x));
        });
        Assert.Equal(alone.Select(static a => a[0].Item<float>()).Order(), together.Select(static a => a[0].Item<float>()).Order());
    }

    private static NDArray[] Vector(int n) => [TileModes.Random(1, n)];

    private static (IReadOnlyList<NDArray> Results, NDArray?[] Gradients, RandomState After) Seeded(ListFunction f, NDArray[] x)
    {
        Nd.Random.Seed(Seed);
        (IReadOnlyList<NDArray> results, NDArray?[] gradients) = Check.Gradients(f, x);
        return (results, gradients, Nd.Random.Place);
    }
}
