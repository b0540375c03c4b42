// Trains a network on real handwritten digits, first eagerly, then hybridized from the same seed: one word changes, the losses do not.
using System.Globalization;
using Digits;
using Fusion;
using Fusion.NN;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
bool smoke = args.Contains("--smoke");
int epochs = smoke ? 3 : 40;
const int Seed = 42;
(DigitsData train, DigitsData test) = DigitsData.Load(testShare: 0.2, Seed);
Console.WriteLine($"{train.Count} images to learn from, {test.Count} to test with, {epochs} epochs, {FusionRuntime.NumThreads} thread(s)");

Console.WriteLine("eager");
Nd.Random.Seed(Seed);
Sequential network = Training.Network();
Func<NDArray, NDArray, NDArray> loss = (images, labels) => Loss.SoftmaxCrossEntropy(network.Forward(images), labels);
TrainingRun eager = Training.Run(network, loss, train, test, epochs, Seed);

Console.WriteLine("hybridized");
Nd.Random.Seed(Seed);
network = Training.Network();
HybridFunction<Func<NDArray, NDArray, NDArray>> fused = loss.Hybridize();
TrainingRun hybridized = Training.Run(network, fused.Invoke, train, test, epochs, Seed);

bool identical = eager.Losses.AsSpan().SequenceEqual(hybridized.Losses);
Console.WriteLine();
Console.WriteLine($"losses identical step by step: {(identical ? "yes" : "NO")} ({eager.Losses.Length} steps)");
Console.WriteLine($"test accuracy: eager {eager.Accuracy:P1}, hybridized {hybridized.Accuracy:P1}");
Console.WriteLine($"time per step: eager {eager.MedianStep:F3} ms, hybridized {hybridized.MedianStep:F3} ms, {eager.MedianStep / hybridized.MedianStep:F2}× faster");
Console.WriteLine();
Console.WriteLine(fused.Report);
Console.WriteLine("The first fused kernel as C#:");
Console.WriteLine(FirstKernel(fused.ToCSharp()));
string picture = Path.Combine(AppContext.BaseDirectory, "digits-loss.png");
LossPlot.Save(picture, eager, hybridized);
Console.WriteLine($"loss curves: {Path.GetRelativePath(Environment.CurrentDirectory, picture)}");
return identical && (smoke || hybridized.Accuracy >= 0.95) ? 0 : 1;

static string FirstKernel(string text)
{
    int start = text.IndexOf("public static void", StringComparison.Ordinal);
    int end = text.IndexOf("public static void", start + 1, StringComparison.Ordinal);
    return end < 0 ? text[start..] : text[start..end].TrimEnd();
}
