namespace Fusion;

/// <summary>
/// A compiled function. Call it as <c>f.Invoke(x)</c>; inside <c>Autograd.Record()</c> a call is one differentiable node of the tape, to any order.
/// </summary>
/// <typeparam name="TDelegate">The type of the function that was hybridized.</typeparam>
public sealed class HybridFunction<TDelegate>
    where TDelegate : Delegate
{
    private readonly HybridEngine _engine;

    internal HybridFunction(HybridEngine engine, TDelegate invoke)
    {
        _engine = engine;
        Invoke = invoke;
        Report = new HybridReport(engine);
    }

    /// <summary>The compiled function: one delegate for the life of this object. It may be called by several threads at once.</summary>
    public TDelegate Invoke { get; }

    /// <summary>What was fused, why and why not, and how often it was compiled.</summary>
    public HybridReport Report { get; }

    /// <summary>Every compiled kernel as C# that compiles.</summary>
    public string ToCSharp() => _engine.ToCSharp();

    /// <summary>
    /// Every compiled kernel, of contiguous arrays, as NVIDIA's intermediate code for compute capability 8.0: what a GPU runs. No GPU is needed.
    /// Numbers are those that are computed with: on a GPU, conversions of half precision are kernels of their own.
    /// </summary>
    public string ToPtx() => _engine.ToPtx();

    /// <summary>Forgets all variants; the next call traces again.</summary>
    public void Clear() => _engine.Clear();
}
