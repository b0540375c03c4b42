using System.Diagnostics;
using Fusion.Peers.Networks;
using static TorchSharp.torch;

namespace Fusion.Peers.Memory;

/// <summary>
/// The memory that a training step needs at its peak, parameters, gradients and optimizer included: in a process of its own, the most resident memory while
/// steps run, less what there was before the network was made. Before that, the libraries have run a small network.
/// </summary>
internal static class PeakMemory
{
    public const string Area = "peak memory of a training step", Question = "memory";

    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(1);

    public static IEnumerable<TrainingRow> Rows(bool quick) => TrainingRow.All.Where(row => row.IsQuick && (!quick || IsLarge(row)));

    public static PeerResult Run(TrainingRow row, int threads)
    {
        string[] sides = [Contender.Hybridized, Contender.Eager, Contender.Torch];
        Timing[] amounts = [.. sides.Select(side => (side, Bytes: ChildProcess.Ask(Question, row.Name, side, threads)))
            .Where(static s => s.Bytes is not null).Select(static s => new Timing(s.side, s.Bytes!.Value, s.Bytes.Value, s.Bytes.Value))];
        return new PeerResult(Area, row.Name, threads, amounts) { IsQuantityOfMemory = true };
    }

    public static double? Measure(string name, string side)
    {
        if (!ResidentSet.IsSupported) return null;
        TrainingRow small = new("small", NetworkTable.Perceptron("small", 4, [16, 16, 10]));
        Repeat(Step(small, side), TimeSpan.FromMilliseconds(300));
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using ResidentSet memory = new();
        long before = memory.Bytes;
        return memory.Peak(() => Repeat(Step(TrainingRow.All.Single(r => r.Name == name), side), s_duration)) - before;
    }

    private static Action Step(TrainingRow row, string side)
    {
        if (side == Contender.Torch)
        {
            Func<Tensor> theirs = row.TheirsAlone();
            return TorchSide.Scoped(() => theirs());
        }

        Func<NDArray> step = row.Ours();
        if (side == Contender.Hybridized) step = step.Hybridize().Invoke;
        return () => step();
    }

    private static void Repeat(Action run, TimeSpan duration)
    {
        Stopwatch watch = Stopwatch.StartNew();
        for (int calls = 0; calls < 3 || watch.Elapsed < duration; calls++) run();
    }

    private static bool IsLarge(TrainingRow row) => row.Name.StartsWith("LeNet", StringComparison.Ordinal) || row.Name.StartsWith("transformer", StringComparison.Ordinal);
}
