using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>Runs a function eagerly and hybridized at every vector width, on one and two threads, and compares bits.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TileModes
{
    public const string Name = "Tiles at every vector width and thread count";

    /// <summary>Sizes around the register widths, and one of several tiles.</summary>
    public static int[] Sizes => [1, 7, 16, 31, 64, 65, 1000];

    /// <summary>Asserts equal bits in every mode; returns the report of the last one.</summary>
    internal static HybridReport AssertSame(ListFunction f, params NDArray[] inputs)
    {
        IReadOnlyList<NDArray> expected = f(inputs);
        return ForEachMode(f, compiled => Check.Same(expected, compiled.Invoke(inputs), Mode));
    }

    /// <summary>As <see cref="AssertSame"/>, for results and gradients.</summary>
    internal static HybridReport AssertSameGradients(ListFunction f, params NDArray[] inputs)
    {
        (IReadOnlyList<NDArray> expected, NDArray?[] expectedGradients) = Check.Gradients(f, inputs);
        return ForEachMode(f, compiled =>
        {
            (IReadOnlyList<NDArray> results, NDArray?[] gradients) = Check.Gradients(compiled.Invoke, inputs);
            Check.Same(expected, results, Mode);
            Check.Same(expectedGradients, gradients, $"{Mode}, gradient");
        });
    }

    internal static NDArray Random(int seed, Shape shape, DType dtype = DType.Float32) => TestArrays.Uniform(shape, seed, dtype);

    private static string Mode => $"width {SimdWidth.Current}, {WorkerPool.Threads} thread(s), result";

    /// <summary>Compiled anew in every mode, and called twice.</summary>
    internal static HybridReport ForEachMode(ListFunction f, Action<HybridFunction<ListFunction>> check)
    {
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        (int width, int threads) = (SimdWidth.Current, WorkerPool.Threads);
        try
        {
            foreach (int w in new[] { 512, 256, 128 }.Where(static w => w <= SimdWidth.Hardware))
            {
                foreach (int t in new[] { 1, 2 })
                {
                    SimdWidth.Current = w;
                    WorkerPool.Threads = t;
                    compiled.Clear();
                    for (int call = 0; call < 2; call++) check(compiled);
                }
            }
        }
        finally
        {
            SimdWidth.Current = width;
            WorkerPool.Threads = threads;
        }

        return compiled.Report;
    }
}
