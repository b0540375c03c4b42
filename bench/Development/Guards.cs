using BenchmarkDotNet.Attributes;

namespace Fusion.Benchmarks;

/// <summary>What the guards of a compiled function with ten inputs and two captured arrays cost: finding its variant among four.</summary>
[MemoryDiagnoser]
public class Guards
{
    private readonly NDArray[] _inputs = [.. Enumerable.Range(1, 10).Select(static i => Nd.Ones((4, i)))];
    private readonly NDArray[] _captured = [Nd.Ones(4), Nd.Ones(1)];
    private HybridEngine _engine = null!;

    /// <summary>The inputs carry gradients, and the call is recorded.</summary>
    [Params(false, true)]
    public bool Recorded { get; set; }

    [GlobalSetup]
    public void Trace()
    {
        _engine = new HybridEngine(x => [x[0] * _captured[0].Sum() + _captured[1]], new HybridOptions(), "guards");
        for (int batch = 1; batch < 4; batch++) _engine.Invoke([.. _inputs.Select(x => Nd.Ones((batch, x.Shape[1])))]);
        foreach (NDArray x in _inputs)
            if (Recorded) x.AttachGrad();
        Autograd.SetRecording(Recorded);
        _engine.Invoke(_inputs);
    }

    /// <summary>The variant of the call before.</summary>
    [Benchmark]
    public object? Find() => _engine.Find(_inputs, ExecutionState.Current);
}
