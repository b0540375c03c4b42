namespace Fusion.Tests;

/// <summary>Runs a function eagerly and hybridized and asserts that every bit agrees.</summary>
internal static class Check
{
    public static readonly HybridOptions Strict = new() { FallbackToEager = false };

    public static void Same(NDArray? expected, NDArray? actual, string what = "the value")
    {
        string? difference = Bits.Difference(expected, actual);
        Assert.True(difference is null, $"{what}: {difference}");
    }

    public static void Same(IReadOnlyList<NDArray?> expected, IReadOnlyList<NDArray?> actual, string what = "the value")
    {
        Assert.Equal(expected.Count, actual.Count);
        for (int i = 0; i < expected.Count; i++) Same(expected[i], actual[i], $"{what} {i}");
    }

    public static ListFunction List(Func<NDArray, NDArray> f) => x => [f(x[0])];

    public static ListFunction List(Func<NDArray, NDArray, NDArray> f) => x => [f(x[0], x[1])];

    public static ListFunction List(Func<NDArray, NDArray, NDArray, NDArray> f) => x => [f(x[0], x[1], x[2])];

    /// <summary>Results without recording, of the first and of a later call.</summary>
    public static HybridReport Forward(ListFunction f, params NDArray[] inputs)
    {
        HybridFunction<ListFunction> compiled = f.Hybridize(Strict);
        for (int call = 1; call <= 2; call++) Same(f(inputs), compiled.Invoke(inputs), $"call {call}, result");
        Assert.Equal(1, compiled.Report.CacheMisses);
        return compiled.Report;
    }

    /// <summary>Results and gradients of all floating-point inputs while recording, of the first and of a later call.</summary>
    public static HybridReport Backward(ListFunction f, params NDArray[] inputs)
    {
        HybridFunction<ListFunction> compiled = f.Hybridize(Strict);
        (IReadOnlyList<NDArray> results, NDArray?[] gradients) = Gradients(f, inputs);
        for (int call = 1; call <= 2; call++)
        {
            (IReadOnlyList<NDArray> own, NDArray?[] ownGradients) = Gradients(compiled.Invoke, inputs);
            Same(results, own, $"call {call}, result");
            Same(gradients, ownGradients, $"call {call}, gradient");
        }

        return compiled.Report;
    }

    /// <summary>Both.</summary>
    public static HybridReport Both(ListFunction f, params NDArray[] inputs)
    {
        Forward(f, inputs);
        return Backward(f, inputs);
    }

    /// <summary>Results, and gradients for head gradients that are not all the same.</summary>
    public static (IReadOnlyList<NDArray> Results, NDArray?[] Gradients) Gradients(ListFunction f, params NDArray[] inputs)
    {
        NDArray[] variables = [.. inputs.Select(static x => x.Copy())];
        foreach (NDArray variable in variables)
            if (variable.DType.IsFloat) variable.AttachGrad();
        IReadOnlyList<NDArray> results;
        using (Autograd.Record()) results = f(variables);
        NDArray[] heads = [.. results.Where(static r => r.Source is not null)];
        if (heads.Length > 0) Autograd.Backward(heads, [.. heads.Select(static (h, i) => TestArrays.Uniform(h.Shape, 50 + i, h.DType))]);
        return (results, [.. variables.Select(static v => v.Grad)]);
    }
}
