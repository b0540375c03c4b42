namespace Fusion;

// The same for every number of inputs: arguments are packed into the engine's list.
public static partial class Hybrid
{
    /// <summary>Hybridizes a function of no inputs.</summary>
    public static HybridFunction<Func<NDArray>> Hybridize(this Func<NDArray> f, HybridOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(f);
        HybridEngine engine = new(_ => [f()], options ?? new HybridOptions(), NameOf(f));
        return new HybridFunction<Func<NDArray>>(engine, () => engine.Invoke([])[0]);
    }

    /// <summary>Hybridizes a function of one input.</summary>
    public static HybridFunction<Func<NDArray, NDArray>> Hybridize(this Func<NDArray, NDArray> f, HybridOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(f);
        HybridEngine engine = new(list => [f(list[0])], options ?? new HybridOptions(), NameOf(f));
        return new HybridFunction<Func<NDArray, NDArray>>(engine, x0 => engine.Invoke([x0])[0]);
    }

    /// <summary>Hybridizes a function of two inputs.</summary>
    public static HybridFunction<Func<NDArray, NDArray, NDArray>> Hybridize(this Func<NDArray, NDArray, NDArray> f, HybridOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(f);
        HybridEngine engine = new(list => [f(list[0], list[1])], options ?? new HybridOptions(), NameOf(f));
        return new HybridFunction<Func<NDArray, NDArray, NDArray>>(engine, (x0, x1) => engine.Invoke([x0, x1])[0]);
    }

    /// <summary>Hybridizes a function of three inputs.</summary>
    public static HybridFunction<Func<NDArray, NDArray, NDArray, NDArray>> Hybridize(this Func<NDArray, NDArray, NDArray, NDArray> f, HybridOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(f);
        HybridEngine engine = new(list => [f(list[0], list[1], list[2])], options ?? new HybridOptions(), NameOf(f));
        return new HybridFunction<Func<NDArray, NDArray, NDArray, NDArray>>(engine, (x0, x1, x2) => engine.Invoke([x0, x1, x2])[0]);
    }

    /// <summary>Hybridizes a function of four inputs.</summary>
    public static HybridFunction<Func<NDArray, NDArray, NDArray, NDArray, NDArray>> Hybridize(this Func<NDArray, NDArray, NDArray, NDArray, NDArray> f, HybridOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(f);
        HybridEngine engine = new(list => [f(list[0], list[1], list[2], list[3])], options ?? new HybridOptions(), NameOf(f));
        return new HybridFunction<Func<NDArray, NDArray, NDArray, NDArray, NDArray>>(engine, (x0, x1, x2, x3) => engine.Invoke([x0, x1, x2, x3])[0]);
    }

    /// <summary>Hybridizes a function of five inputs.</summary>
    public static HybridFunction<Func<NDArray, NDArray, NDArray, NDArray, NDArray, NDArray>> Hybridize(this Func<NDArray, NDArray, NDArray, NDArray, NDArray, NDArray> f, HybridOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(f);
        HybridEngine engine = new(list => [f(list[0], list[1], list[2], list[3], list[4])], options ?? new HybridOptions(), NameOf(f));
        return new HybridFunction<Func<NDArray, NDArray, NDArray, NDArray, NDArray, NDArray>>(engine, (x0, x1, x2, x3, x4) => engine.Invoke([x0, x1, x2, x3, x4])[0]);
    }

    /// <summary>Hybridizes a function of six inputs.</summary>
    public static HybridFunction<Func<NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray>> Hybridize(this Func<NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray> f, HybridOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(f);
        HybridEngine engine = new(list => [f(list[0], list[1], list[2], list[3], list[4], list[5])], options ?? new HybridOptions(), NameOf(f));
        return new HybridFunction<Func<NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray>>(engine, (x0, x1, x2, x3, x4, x5) => engine.Invoke([x0, x1, x2, x3, x4, x5])[0]);
    }

    /// <summary>Hybridizes a function of seven inputs.</summary>
    public static HybridFunction<Func<NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray>> Hybridize(this Func<NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray> f, HybridOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(f);
        HybridEngine engine = new(list => [f(list[0], list[1], list[2], list[3], list[4], list[5], list[6])], options ?? new HybridOptions(), NameOf(f));
        return new HybridFunction<Func<NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray>>(engine, (x0, x1, x2, x3, x4, x5, x6) => engine.Invoke([x0, x1, x2, x3, x4, x5, x6])[0]);
    }

    /// <summary>Hybridizes a function of eight inputs.</summary>
    public static HybridFunction<Func<NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray>> Hybridize(this Func<NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray> f, HybridOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(f);
        HybridEngine engine = new(list => [f(list[0], list[1], list[2], list[3], list[4], list[5], list[6], list[7])], options ?? new HybridOptions(), NameOf(f));
        return new HybridFunction<Func<NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray>>(engine, (x0, x1, x2, x3, x4, x5, x6, x7) => engine.Invoke([x0, x1, x2, x3, x4, x5, x6, x7])[0]);
    }
}
