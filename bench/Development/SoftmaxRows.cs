using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;

namespace Fusion.Benchmarks;

/// <summary>Softmax of rows of 1024: TensorPrimitives row by row, eager, compiled with the scaling before it.</summary>
[MemoryDiagnoser]
public class SoftmaxRows
{
    private const int Columns = 1024;

    private NDArray _x = null!;
    private float[] _values = [], _result = [];
    private Func<NDArray> _fused = null!;

    [Params(16, 1024)]
    public int Rows { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        FusionRuntime.NumThreads = 1;
        Nd.Random.Seed(1);
        _x = Nd.Random.Normal(0, 1, (Rows, Columns));
        _values = _x.ToArray<float>();
        _result = new float[_values.Length];
        _fused = new Func<NDArray>(Eager).Hybridize().Invoke;
    }

    [Benchmark(Baseline = true)]
    public float[] WithTensorPrimitives()
    {
        for (int row = 0; row < Rows; row++)
        {
            Span<float> target = _result.AsSpan(row * Columns, Columns);
            TensorPrimitives.Multiply(_values.AsSpan(row * Columns, Columns), 0.125f, target);
            TensorPrimitives.SoftMax(target, target);
        }

        return _result;
    }

    [Benchmark]
    public NDArray Eager() => Nd.Softmax(_x * 0.125);

    [Benchmark]
    public NDArray Hybridized() => _fused();
}
