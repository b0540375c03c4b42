using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Fusion.Peers.Cases;

/// <summary>Random numbers and what is made of them. The sides draw different ones: what is compared are how many of the results are not 0, their mean and their mean square.</summary>
internal static class RandomNumbers
{
    public const string Area = "random numbers";

    public static IEnumerable<PeerCase> All =>
    [
        .. from size in new[] { 102_400, 1_024_000 }
           from one in Of(size)
           select one,
    ];

    private static IEnumerable<PeerCase> Of(int size)
    {
        yield return Moments(Row("uniform", size, 1, static x => Nd.Random.Uniform(0, 1, x[0].Shape), static t => rand_like(t[0])).Forward());
        yield return Moments(Row("normal", size, 1, static x => Nd.Random.Normal(0, 1, x[0].Shape), static t => randn_like(t[0])).Forward());
        yield return Moments(Row("x + normal noise", size, 2, static x => x[0] + 0.1 * Nd.Random.Normal(0, 1, x[0].Shape), static t => t[0] + 0.1f * randn_like(t[0])).Forward());
        yield return Moments(Row("dropout", size, 4, static x => x[0].Dropout(0.5), static t => F.dropout(t[0], 0.5, true)).WithBackward());
        yield return Moments(Row("dropout(relu(a + b))", size, 6, static x => (x[0] + x[1]).Relu().Dropout(0.5), static t => F.dropout(F.relu(t[0] + t[1]), 0.5, true), 2).WithBackward());
    }

    private static Pair Row(string name, int size, int arrays, Func<NDArray[], NDArray> ours, Func<Tensor[], Tensor> theirs, int inputs = 1) =>
        new(Area, $"{name}, {size:N0}", () => [.. Enumerable.Range(1, inputs).Select(i => FusionSide.Normal(size, (ulong)i))], ours, theirs)
        {
            IsCompiled = true,
            IsQuick = size < 1_000_000,
            Tolerance = 0.05,
            Work = Work.Floats((double)arrays * size),
        };

    private static PeerCase Moments(PeerCase one) => one with
    {
        Prepare = () => [.. one.Prepare().Select(static c => c with { Result = () => Moments(c.Result!()) })],
        Exact = () => Moments(one.Exact!()),
    };

    private static double[] Moments(double[] x) => [x.Count(static v => v != 0) / (double)x.Length, x.Average(), x.Average(static v => v * v)];
}
