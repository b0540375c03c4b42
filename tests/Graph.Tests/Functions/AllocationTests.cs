namespace Fusion.Tests;

/// <summary>A steady call allocates its result handles and nothing else.</summary>
[Collection(nameof(ProcessState))]
public sealed class AllocationTests
{
    private const int BytesPerResult = 400;

    public static TheoryData<string> Names => ["chain", "two results", "library", "views", "captured"];

    [Theory]
    [MemberData(nameof(Names))]
    public void ASteadyCallAllocatesItsResults(string name)
    {
        NDArray w = TestArrays.Uniform((200, 200), 2);
        (ListFunction f, int results) = ((ListFunction, int))(name switch
        {
            "chain" => (Check.List(static x => ((x * 2 + 1).Tanh() - x).Exp()), 1),
            "two results" => (static x => [x[0].Exp(), x[0] * 2], 2),
            "library" => (Check.List(static x => x.MatMul(x).Softmax().MatMul(x)), 1),
            // The computed array and its view: two handles.
            "views" => (Check.List(static x => (x.Transpose()[1..] * 2).Reshape(-1)), 2),
            _ => (Check.List(x => x.MatMul(w) + w), 1),
        });
        // 160 KB: blocks of the pool, not small arrays of the garbage collector.
        NDArray[] inputs = [TestArrays.Uniform((200, 200))];
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        Assert.InRange(BytesPerCall(() => compiled.Invoke(inputs)), 0, BytesPerResult * results);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void GuardsAllocateNothing(bool recorded)
    {
        NDArray[] inputs = [.. Enumerable.Range(0, 10).Select(static i => TestArrays.Uniform((3, i + 1)))];
        NDArray captured = TestArrays.Uniform((3, 1), 20);
        HybridEngine engine = new(x => [x[0] * captured], Check.Strict, "guards");
        engine.Invoke([.. inputs.Reverse()]);
        if (recorded)
            foreach (NDArray input in inputs) input.AttachGrad();
        using RecordScope scope = recorded ? Autograd.Record() : Autograd.Pause();
        engine.Invoke(inputs);
        HybridVariant variant = engine.Last!;
        Assert.Equal(2, engine.VariantCount);
        Assert.Equal(0, BytesPerCall(() => Assert.Same(variant, engine.Find(inputs, ExecutionState.Current))));
    }

    [Fact]
    public void ASteadyCallTakesNoNativeMemoryBeyondItsResult()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => x.MatMul(x).Softmax().MatMul(x), Check.Strict);
        NDArray x = TestArrays.Uniform((200, 200));
        for (int i = 0; i < 5; i++) f.Invoke(x).Dispose();
        long before = FusionRuntime.LiveBytes;
        NDArray result = f.Invoke(x);
        Assert.InRange(FusionRuntime.LiveBytes - before, 0, 200 * 200 * 4 + 4096);
        result.Dispose();
    }

    [Fact]
    public void JoiningInputsAllocatesTheHandleOfTheResult()
    {
        HybridFunction<Func<NDArray, NDArray>> join = Hybrid.Hybridize(static (NDArray x) => Nd.Concat([x, x.Transpose(), x], 1), Check.Strict);
        HybridFunction<Func<NDArray, NDArray>> same = Hybrid.Hybridize(static (NDArray x) => x.Tanh(), Check.Strict);
        NDArray x = TestArrays.Uniform((40, 40)), wide = TestArrays.Uniform((40, 120));
        Assert.InRange(BytesPerCall(() => join.Invoke(x).Dispose()) - BytesPerCall(() => same.Invoke(wide).Dispose()), -64, 64);
    }

    private static long BytesPerCall(Action call)
    {
        const int Calls = 50;
        for (int i = 0; i < 40; i++) call();
        long best = long.MaxValue;
        for (int round = 0; round < 8; round++)
        {
            // On a busy machine the final code of a method, which boxes nothing, comes late.
            Thread.Sleep(10 * round);
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < Calls; i++) call();
            best = Math.Min(best, (GC.GetAllocatedBytesForCurrentThread() - before) / Calls);
        }

        return best;
    }
}
