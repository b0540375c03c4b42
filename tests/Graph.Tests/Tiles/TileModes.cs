using System.Runtime.InteropServices;
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
    internal static HybridReport AssertSame(Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> f, params NDArray[] inputs)
    {
        HybridFunction<Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>>> compiled = f.Hybridize();
        IReadOnlyList<NDArray> expected = f(inputs);
        ForEachMode(() =>
        {
            compiled.Clear();
            for (int run = 0; run < 2; run++) AssertBits(expected, compiled.Invoke(inputs));
        });
        Assert.Null(compiled.Report.FallbackReason);
        return compiled.Report;
    }

    /// <summary>As <see cref="AssertSame"/>, with the gradients of the summed outputs, which are compared after the outputs.</summary>
    internal static HybridReport AssertSameGradients(Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> f, params NDArray[] inputs)
    {
        HybridFunction<Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>>> compiled = f.Hybridize();
        List<NDArray> expected = Differentiate(f, inputs);
        ForEachMode(() =>
        {
            compiled.Clear();
            for (int run = 0; run < 2; run++) AssertBits(expected, Differentiate(compiled.Invoke, inputs));
        });
        Assert.Null(compiled.Report.FallbackReason);
        return compiled.Report;
    }

    internal static NDArray Random(ulong seed, Shape shape, DType dtype = DType.Float32)
    {
        Nd.Random.Seed(seed);
        return Nd.Random.Normal(0, 1, shape, dtype);
    }

    private static List<NDArray> Differentiate(Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> f, NDArray[] inputs)
    {
        NDArray[] leaves = [.. inputs.Select(static x => x.DType.IsFloat ? x.Copy() : x)];
        foreach (NDArray leaf in leaves)
            if (leaf.DType.IsFloat) leaf.AttachGrad();
        IReadOnlyList<NDArray> outputs;
        using (Autograd.Record()) outputs = f(leaves);
        Autograd.Backward([.. outputs]);
        return [.. outputs, .. leaves.Where(static x => x.DType.IsFloat).Select(static x => x.Grad!)];
    }

    private static void ForEachMode(Action body)
    {
        (int width, int threads) = (SimdWidth.Current, WorkerPool.Threads);
        try
        {
            foreach (int w in new[] { 512, 256, 128 }.Where(static w => w <= SimdWidth.Hardware))
            {
                foreach (int t in new[] { 1, 2 })
                {
                    SimdWidth.Current = w;
                    WorkerPool.Threads = t;
                    body();
                }
            }
        }
        finally
        {
            SimdWidth.Current = width;
            WorkerPool.Threads = threads;
        }
    }

    private static void AssertBits(IReadOnlyList<NDArray> expected, IReadOnlyList<NDArray> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (int i = 0; i < expected.Count; i++)
        {
            Assert.Equal(expected[i].Shape, actual[i].Shape);
            ReadOnlySpan<byte> x = Bytes(expected[i]);
            ReadOnlySpan<byte> y = Bytes(actual[i]);
            int at = x.CommonPrefixLength(y);
            string mode = $"width {SimdWidth.Current}, {WorkerPool.Threads} thread(s)";
            Assert.True(at == x.Length, $"output {i}, {expected[i].Shape}, {mode}: element {at / expected[i].DType.Size} differs.");
        }
    }

    private static ReadOnlySpan<byte> Bytes(NDArray x) => x.DType switch
    {
        DType.Float32 => MemoryMarshal.AsBytes<float>(x.ToArray<float>()),
        DType.Float64 => MemoryMarshal.AsBytes<double>(x.ToArray<double>()),
        _ => MemoryMarshal.AsBytes<bool>(x.ToArray<bool>()),
    };
}
