using System.Runtime.InteropServices;

namespace Digits;

/// <summary>What two training runs from one seed have in common, and what they do not.</summary>
internal static class Comparison
{
    /// <summary>Prints the comparison; true if every loss and every weight has the same bits.</summary>
    public static bool Print(TrainingRun eager, TrainingRun hybridized)
    {
        bool losses = SameBits(eager.Losses, hybridized.Losses), weights = SameBits(eager.Weights, hybridized.Weights);
        Console.WriteLine();
        Console.WriteLine($"losses identical step by step: {(losses ? "yes" : "NO")} ({eager.Losses.Length} steps)");
        Console.WriteLine($"final weights identical bit by bit: {(weights ? "yes" : "NO")} ({eager.Weights.Length} numbers)");
        Console.WriteLine($"test accuracy: eager {eager.Accuracy:P1}, hybridized {hybridized.Accuracy:P1}");
        Console.WriteLine($"time per step: eager {eager.MedianStep:F3} ms, hybridized {hybridized.MedianStep:F3} ms, {eager.MedianStep / hybridized.MedianStep:F2}× faster");
        return losses && weights;
    }

    private static bool SameBits(float[] a, float[] b) => MemoryMarshal.AsBytes<float>(a).SequenceEqual(MemoryMarshal.AsBytes<float>(b));
}
