using Fusion.NN;

namespace Fusion.Tests.Training;

/// <summary>Trains one drawing eagerly, with the whole step compiled, and with the network compiled, on batches of changing size: all bits agree.</summary>
internal static class TrainingCheck
{
    private static readonly int[] s_batches = [4, 4, 3, 4, 1, 4], s_wideBatches = [64, 64, 37];

    /// <summary>What differs first, or null.</summary>
    public static string? Difference(int seed, Device? device = null, bool wide = false)
    {
        RandomTraining eager = new(seed, device, wide), whole = new(seed, device, wide), network = new(seed, device, wide);
        HybridFunction<Func<NDArray, NDArray, NDArray>> step = new Func<NDArray, NDArray, NDArray>(whole.Step).Hybridize(new HybridOptions { FallbackToEager = false });
        network.Network.Hybridize();
        int[] batches = wide ? s_wideBatches : s_batches;
        for (int i = 0; i < batches.Length; i++)
        {
            (NDArray x, NDArray y) = eager.Batch(seed + i, batches[i]);
            NDArray expected = eager.Step(x, y);
            string? difference = Difference("whole step", expected, step.Invoke(x, y), eager, whole) ?? Difference("network", expected, network.Step(x, y), eager, network);
            if (difference is not null) return $"seed {seed}, step {i}, {difference}; {eager}";
        }

        return null;
    }

    private static string? Difference(string what, NDArray expected, NDArray actual, RandomTraining eager, RandomTraining other)
    {
        if (Bits.Difference(expected, actual) is { } loss) return $"{what}, loss: {loss}";
        if (eager.Optimizer.LearningRate != other.Optimizer.LearningRate) return $"{what}: the learning rate is {other.Optimizer.LearningRate}, expected {eager.Optimizer.LearningRate}";
        foreach (((string name, NDArray? value), (_, NDArray? own)) in eager.State.Zip(other.State))
            if (Bits.Difference(value, own) is { } difference) return $"{what}, {name}: {difference}";
        return null;
    }
}
