using System.Diagnostics;
using Fusion;
using Fusion.NN;
using Fusion.Optim;

namespace Digits;

/// <summary>What a training run leaves: losses and times step by step, and the accuracy on images that it has not seen.</summary>
internal sealed record TrainingRun(float[] Losses, double[] Milliseconds, double Accuracy)
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

/// <summary>One training loop for both runs: they differ in the function that computes the loss.</summary>
internal static class Training
{
    public const int BatchSize = 64;

    public static Sequential Network() => new(new Linear(64, 128), new Gelu(), new Linear(128, 128), new Gelu(), new Linear(128, 10));

    public static TrainingRun Run(Module network, Func<NDArray, NDArray, NDArray> loss, DigitsData train, DigitsData test, int epochs, int seed)
    {
        Adam optimizer = new(network.Parameters, learningRate: 1e-3);
        Random random = new(seed);
        List<float> losses = [];
        List<double> times = [];
        for (int epoch = 1; epoch <= epochs; epoch++)
        {
            foreach ((NDArray images, NDArray labels) in train.Batches(BatchSize, random))
            {
                long start = Stopwatch.GetTimestamp();
                NDArray value;
                using (Autograd.Record()) value = loss(images, labels);
                value.Backward();
                optimizer.Step();
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                losses.Add(value.Item<float>());
            }

            if (epoch == 1 || epoch % 10 == 0) Console.WriteLine($"  epoch {epoch,3}: loss {losses[^1]:F4}, test accuracy {Accuracy(network, test):P1}");
        }

        return new TrainingRun([.. losses], [.. times], Accuracy(network, test));
    }

    private static double Accuracy(Module network, DigitsData data)
    {
        (NDArray images, NDArray labels) = data.All();
        NDArray hits = network.Forward(images).ArgMax(1).Equal(labels);
        return hits.AsType(DType.Float64).Mean().Item<double>();
    }
}
