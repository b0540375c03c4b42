using Fusion.Peers.Networks;
using static TorchSharp.torch;

namespace Fusion.Peers.Cases;

/// <summary>Whole steps: forward, loss, backward, update. What is compared are the losses of the first steps, each of which depends on the updates before.</summary>
internal static class TrainingSteps
{
    public const string Area = "training steps";

    private const int Compared = 3;

    public static IEnumerable<PeerCase> All => TrainingRow.All.Select(static row => new PeerCase(Area, row.Name, () =>
    {
        Func<NDArray> step = row.Ours();
        Func<Tensor> theirs = row.Theirs();
        return
        [
            Losses(FusionSide.Hybridized(row.Ours())), Losses(FusionSide.Eager(step)), Losses(TorchSide.Contender(theirs)),
        ];
    })
    {
        IsQuick = row.IsQuick,
        Tolerance = row.Tolerance,
        Work = row.Work,
        Exact = () => Losses(TorchSide.Contender(row.Theirs(ScalarType.Float64))).Result!(),
    });

    private static Contender Losses(Contender step) => step with { Result = () => [.. Enumerable.Range(0, Compared).SelectMany(_ => step.Result!())] };
}
