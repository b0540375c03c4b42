namespace Fusion.Peers;

/// <summary>The contenders of Fusion: the function as it is, and with one word changed.</summary>
internal static class FusionSide
{
    public static Contender Eager(Func<NDArray> f) => Of(Contender.Eager, f);

    public static Contender Hybridized(Func<NDArray> f) => Hybridized(f, static y => y);

    /// <summary>A compiled step, and what of its effects is compared.</summary>
    public static Contender Hybridized(Func<NDArray> step, Func<NDArray, NDArray> result)
    {
        HybridFunction<Func<NDArray>> compiled = step.Hybridize();
        return Of(Contender.Hybridized, () => result(compiled.Invoke())) with
        {
            Fallback = () => compiled.Report.FellBack ? compiled.Report.FallbackReason : null,
        };
    }

    public static Contender Of(string name, Func<NDArray> f) => new(name, () => f(), () => Elements(f()));

    public static double[] Elements(NDArray x) => x.AsType(DType.Float64).ToArray<double>();

    /// <summary>Normal numbers, the same for every run.</summary>
    public static NDArray Normal(Shape shape, ulong seed, DType dtype = DType.Float32)
    {
        Nd.Random.Seed(seed);
        return Nd.Random.Normal(0, 1, shape, dtype);
    }

    public static NDArray Positive(Shape shape, ulong seed, DType dtype = DType.Float32)
    {
        Nd.Random.Seed(seed);
        return Nd.Random.Uniform(0.1, 2, shape, dtype);
    }

    /// <summary>Integers from 0 on, the same for every run.</summary>
    public static NDArray Indices(Shape shape, int count, ulong seed)
    {
        Nd.Random.Seed(seed);
        return Nd.Random.RandInt(0, count, shape).AsType(DType.Int64);
    }
}
