using BenchmarkDotNet.Attributes;

namespace Fusion.Benchmarks;

/// <summary>An operation whose result nobody keeps, by size: what memory without Dispose costs against the work itself.</summary>
[MemoryDiagnoser]
public class Temporaries
{
    private NDArray _x = null!, _y = null!;

    [Params(64, 4096, 16_384, 262_144, 1_048_576)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        FusionRuntime.NumThreads = 1;
        _x = Nd.Ones(Size);
        _y = Nd.Ones(Size);
    }

    [Benchmark(Baseline = true)]
    public void Dropped() => _ = _x + _y;

    [Benchmark]
    public void Disposed() => (_x + _y).Dispose();
}
