using System.Diagnostics;
using Fusion;

namespace Digits;

/// <summary>What a training run leaves: losses and times step by step, the accuracy on images that it has not seen, and the weights.</summary>
internal sealed record TrainingRun(float[] Losses, double[] Milliseconds, double Accuracy, float[] Weights)
{
    /// <summary>The median time of a step, of the second half of the run: the first half also warms the machine up.</summary>
    public double MedianStep
    {
        get
        {
            double[] steady = [.. Milliseconds.Skip(Milliseconds.Length / 2).Order()];
            return steady[steady.Length / 2];
        }
    }
}

/// <summary>One training loop for both runs.</summary>
internal static class Training
{
    private const int BatchSize = 64;

    public static TrainingRun Run(Learner learner, Func<NDArray, NDArray, NDArray> step, DigitsData train, DigitsData test, int epochs, int seed)
    {
        Random random = new(seed);
        List<float> losses = [];
        List<double> times = [];
        for (int epoch = 1; epoch <= epochs; epoch++)
        {
            foreach ((NDArray images, NDArray labels) in train.Batches(BatchSize, random))
            {
                long start = Stopwatch.GetTimestamp();
                NDArray loss = step(images, labels);
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                losses.Add(loss.Item<float>());
            }

            if (epoch == 1 || epoch % 10 == 0) Console.WriteLine($"  epoch {epoch,3}: loss {losses[^1]:F4}, test accuracy {learner.Accuracy(test):P1}");
        }

        return new TrainingRun([.. losses], [.. times], learner.Accuracy(test), learner.Weights());
    }
}
