using BenchmarkDotNet.Attributes;
using Fusion.HandWritten;

namespace Fusion.Benchmarks;

/// <summary>Chains of element-wise operators: hand-written registers, one compiled kernel, eager operators, TensorPrimitives.</summary>
[MemoryDiagnoser]
public class ElementwiseChain
{
    private static readonly Dictionary<string, (Func<NDArray[], NDArray> Ours, Action<float[][], float[]> ByHand, Action<PrimitiveChains, float[][], float[]> Primitives)> s_chains = new()
    {
        ["a*b + c"] = (static x => x[0] * x[1] + x[2], RegisterChains.MultiplyAdd, static (p, x, y) => p.MultiplyAdd(x, y)),
        ["gated"] = (static x => Nd.Tanh(x[0] * x[1] + x[2]) * Nd.Sigmoid(x[3]) + 0.5 * x[0] - Nd.Relu(x[2]), RegisterChains.Gated, static (p, x, y) => p.Gated(x, y)),
        ["GELU"] = (static x => 0.5 * x[0] * (1 + Nd.Tanh(0.7978845608028654 * (x[0] + 0.044715 * x[0] * x[0] * x[0]))), RegisterChains.Gelu, static (p, x, y) => p.Gelu(x, y)),
        ["ten cheap"] = (static x => Nd.Maximum((x[0] - x[1]) * x[2] + (x[1] * x[3] - x[2]) * (x[0] + x[3]), x[1]) * 0.5 + x[0], RegisterChains.TenCheap,
            static (p, x, y) => p.TenCheap(x, y)),
    };

    private NDArray[] _x = [];
    private float[][] _values = [];
    private float[] _result = [];
    private PrimitiveChains _primitives = null!;
    private Func<NDArray> _fused = null!;

    public static IEnumerable<string> Chains => s_chains.Keys;

    [ParamsSource(nameof(Chains))]
    public string Chain { get; set; } = "GELU";

    [Params(2048, 102_400, 1_024_000)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        FusionRuntime.NumThreads = 1;
        Nd.Random.Seed(1);
        _x = [.. Enumerable.Range(0, 4).Select(_ => Nd.Random.Normal(0, 1, Size))];
        _values = [.. _x.Select(static x => x.ToArray<float>())];
        _result = new float[Size];
        _primitives = new PrimitiveChains(Size);
        _fused = new Func<NDArray>(Eager).Hybridize().Invoke;
    }

    /// <summary>One loop over registers of 512 bits, into an array that is kept.</summary>
    [Benchmark(Baseline = true)]
    public float[] HandWritten()
    {
        s_chains[Chain].ByHand(_values, _result);
        return _result;
    }

    [Benchmark]
    public NDArray Hybridized() => _fused();

    [Benchmark]
    public NDArray Eager() => s_chains[Chain].Ours(_x);

    [Benchmark]
    public float[] WithTensorPrimitives()
    {
        s_chains[Chain].Primitives(_primitives, _values, _result);
        return _result;
    }
}
