using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;

namespace Fusion.Benchmarks;

/// <summary>What one eager operation on 64 floats costs: time, bytes and collections.</summary>
[MemoryDiagnoser]
public class EagerOverhead
{
    private readonly NDArray _x = Nd.Ones(64);
    private readonly NDArray _y = Nd.Ones(64);
    private readonly NDArray _variable = Nd.Ones(64);
    private readonly float[] _first = new float[64], _second = new float[64], _result = new float[64];

    public EagerOverhead() => _variable.AttachGrad();

    [GlobalSetup]
    public void OneThread() => FusionRuntime.NumThreads = 1;

    /// <summary>The arithmetic alone, into an array that is kept.</summary>
    [Benchmark(Baseline = true)]
    public float[] WithTensorPrimitives()
    {
        TensorPrimitives.Add(_first, _second, _result);
        return _result;
    }

    [Benchmark]
    public NDArray Add() => _x + _y;

    [Benchmark]
    public NDArray AddRecorded()
    {
        using (Autograd.Record()) return _variable + _y;
    }

    [Benchmark]
    public NDArray TanhRecorded()
    {
        using (Autograd.Record()) return Nd.Tanh(_variable);
    }

    /// <summary>Ten operators forward, ten gradient rules backward.</summary>
    [Benchmark]
    public NDArray ChainOfTenForwardAndBackward()
    {
        NDArray y = _variable;
        using (Autograd.Record())
            for (int i = 0; i < 5; i++) y = Nd.Tanh(y * _y);
        y.Backward();
        return _variable.Grad!;
    }
}
