namespace Fusion.Tests;

/// <summary>Plans of one function take turns with an arena; calls at the same time do not.</summary>
public sealed class ArenaPoolTests
{
    private const int Columns = 64;

    [Fact]
    public void AnArenaIsFoundAgainUnlessItIsInUseOrTooSmallAndGivenBackForALargerOne()
    {
        ArenaPool pool = new();
        Arena first = pool.Find(100_000);
        Assert.Same(first, pool.Find(100_000));
        Assert.Same(first, pool.Find(5));
        Assert.True(first.TryTake());
        Assert.False(first.TryTake());
        Arena second = pool.Find(100);
        Assert.NotSame(first, second);
        Assert.Equal(100, second.Bytes);
        first.Leave();
        Arena larger = pool.Find(100_001);
        Assert.Equal(150_000, larger.Bytes);
        Assert.Same(larger, pool.Find(150_000));
        Assert.False(first.TryTake());
        Assert.Equal(150_000, pool.Bytes);
        GC.KeepAlive(second);
    }

    [Fact]
    public void AllShapesAndTheirGradientsShareOneArena()
    {
        const int Shapes = 30;
        ListFunction f = Check.List(Function);
        HybridEngine engine = new(f, Check.Strict, "shapes");
        ListFunction compiled = x => engine.Invoke([.. x]);
        long largest = 0;
        for (int i = 1; i <= Shapes; i++)
        {
            NDArray x = TestArrays.Uniform((i * 10, Columns), i);
            Check.Same(f([x]), compiled([x]), $"{i}");
            Check.Same(Check.Gradients(f, x).Gradients, Check.Gradients(compiled, x).Gradients, $"{i}, gradient");
            largest = Math.Max(largest, engine.Last!.Plans.Max(static p => p.Placement.ArenaBytes));
        }

        // The smaller ones again: each finds its variant, and the memory of another one.
        for (int i = Shapes; i >= 1; i--)
        {
            NDArray x = TestArrays.Uniform((i * 10, Columns), i);
            Check.Same(f([x]), compiled([x]), $"{i}, again");
        }

        Assert.Equal(2 * Shapes, engine.VariantCount);
        Assert.InRange(engine.Arenas.Bytes, largest, largest * 3 / 2);
        GC.KeepAlive(engine);
    }

    private static NDArray Function(NDArray x) => (x.MatMul(x.Transpose()).Softmax().MatMul(x) + x).Tanh().MatMul(x.Transpose()).Sum(0);
}
