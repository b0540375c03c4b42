using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;

namespace Fusion.Benchmarks;

/// <summary>Matrix products of the shapes that matter: squares, a perceptron's layers, thin ones.</summary>
[MemoryDiagnoser]
public class MatrixProduct
{
    private NDArray _a = null!, _b = null!;
    private float[] _rows = [], _columns = [], _product = [];

    public static IEnumerable<object[]> Shapes =>
    [
        [64, 64, 64], [256, 256, 256], [1024, 1024, 1024], [128, 256, 784], [128, 10, 128], [1024, 1, 1024],
    ];

    [ParamsSource(nameof(Shapes))]
    public object[] Shape { get; set; } = [];

    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        FusionRuntime.NumThreads = Threads;
        (int m, int n, int k) = ((int)Shape[0], (int)Shape[1], (int)Shape[2]);
        _a = Nd.Random.Normal(0, 1, (m, k));
        _b = Nd.Random.Normal(0, 1, (k, n));
        (_rows, _columns, _product) = (_a.ToArray<float>(), _b.Transpose().Copy().ToArray<float>(), new float[m * n]);
    }

    [Benchmark]
    public NDArray MatMul() => Nd.MatMul(_a, _b);

    /// <summary>One dot product of TensorPrimitives an element, on one thread.</summary>
    [Benchmark(Baseline = true)]
    public float[] WithTensorPrimitives()
    {
        (int rows, int columns, int inner) = ((int)Shape[0], (int)Shape[1], (int)Shape[2]);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++) _product[i * columns + j] = TensorPrimitives.Dot<float>(_rows.AsSpan(i * inner, inner), _columns.AsSpan(j * inner, inner));
        return _product;
    }
}
