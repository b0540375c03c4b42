using Fusion.HandWritten;
using static TorchSharp.torch;

namespace Fusion.Peers.Cases;

/// <summary>Chains of element-wise operators: one kernel against one call an operator, and against loops that are written by hand.</summary>
internal static class Chains
{
    public const string Area = "hybridized chains";

    /// <summary>Of fewer than five operators, and arrays that are smaller or larger than what the goal speaks of.</summary>
    public const string OtherArea = "hybridized chains, short or of other sizes";

    private delegate void Loop(float[][] x, float[] result);

    /// <summary>A chain of <paramref name="Inputs"/> arrays; the loops work on four.</summary>
    private sealed record Row(string Name, int Operators, int Inputs, Func<NDArray[], NDArray> Ours, Func<Tensor[], Tensor> Theirs, Loop ByHand, Func<PrimitiveChains, Loop> Primitives);

    private static readonly Row[] s_chains =
    [
        new("a·b + c", 2, 3, static x => x[0] * x[1] + x[2], static t => t[0] * t[1] + t[2], RegisterChains.MultiplyAdd, static p => p.MultiplyAdd),
        new("tanh(a·b + c)·sigmoid(d) + a/2 − relu(c)", 9, 4,
            static x => Nd.Tanh(x[0] * x[1] + x[2]) * Nd.Sigmoid(x[3]) + 0.5 * x[0] - Nd.Relu(x[2]),
            static t => tanh(t[0] * t[1] + t[2]) * sigmoid(t[3]) + 0.5f * t[0] - nn.functional.relu(t[2]), RegisterChains.Gated, static p => p.Gated),
        new("tanh-GELU by hand", 9, 1,
            static x => 0.5 * x[0] * (1 + Nd.Tanh(0.7978845608028654 * (x[0] + 0.044715 * x[0] * x[0] * x[0]))),
            static t => 0.5f * t[0] * (1 + tanh(0.7978845608028654f * (t[0] + 0.044715f * t[0] * t[0] * t[0]))), RegisterChains.Gelu, static p => p.Gelu),
        new("ten cheap operators", 10, 4,
            static x => Nd.Maximum((x[0] - x[1]) * x[2] + (x[1] * x[3] - x[2]) * (x[0] + x[3]), x[1]) * 0.5 + x[0],
            static t => maximum((t[0] - t[1]) * t[2] + (t[1] * t[3] - t[2]) * (t[0] + t[3]), t[1]) * 0.5f + t[0], RegisterChains.TenCheap, static p => p.TenCheap),
    ];

    public static IEnumerable<PeerCase> All =>
    [
        .. from size in new[] { 1024, 10_240, 102_400, 1_024_000, 10_240_000 }
           from row in s_chains
           select Pair(row, size) with { Others = x => Baselines(row, x) } into pair
           select pair.Forward(),
        .. from row in s_chains select (Pair(row, 102_400) with { IsQuick = row.Inputs == 1 }).WithBackward(),
    ];

    private static Pair Pair(Row row, int size) => new(row.Operators >= 5 && size is >= 10_000 and <= 1_100_000 ? Area : OtherArea, $"{row.Name}, {size:N0}", () => [.. Enumerable.Range(1, 4).Select(i => FusionSide.Normal(size, (ulong)i))], row.Ours, row.Theirs)
    {
        IsCompiled = true,
        IsQuick = row.Operators >= 5 ? size is >= 10_000 and <= 1_100_000 : size == 102_400,
        Variables = [.. Enumerable.Range(0, row.Inputs)],
        Work = Work.Floats((row.Inputs + 1.0) * size),
    };

    // On one thread: nobody writes threads by hand for a chain.
    private static Contender[] Baselines(Row row, NDArray[] inputs)
    {
        if (FusionRuntime.NumThreads > 1 || !RegisterChains.IsSupported) return [];
        float[][] x = [.. inputs.Select(static a => a.ToArray<float>())];
        float[] result = new float[x[0].Length];
        return [Baseline(Contender.HandWritten, row.ByHand), Baseline(Contender.Primitives, row.Primitives(new PrimitiveChains(result.Length)))];

        Contender Baseline(string name, Loop loop) => new(name, () => loop(x, result), () =>
        {
            loop(x, result);
            return Array.ConvertAll(result, static v => (double)v);
        });
    }
}
