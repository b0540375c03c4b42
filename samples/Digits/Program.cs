// Trains a network on real handwritten digits, first eagerly, then hybridized from the same seed: one word changes, the numbers do not.
using System.Globalization;
using Digits;
using Fusion;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
bool smoke = args.Contains("--smoke");
int epochs = smoke ? 3 : 40;
const int Seed = 42;
(DigitsData train, DigitsData test) = DigitsData.Load(testShare: 0.2, Seed);
Console.WriteLine($"{train.Count} images to learn from, {test.Count} to test with, {epochs} epochs, {FusionRuntime.NumThreads} thread(s)");

Console.WriteLine("eager");
Learner learner = new(Seed);
Func<NDArray, NDArray, NDArray> step = learner.Step;
TrainingRun eager = Training.Run(learner, step, train, test, epochs, Seed);

Console.WriteLine("hybridized");
learner = new(Seed);
step = learner.Step;
var compiled = step.Hybridize();    // forward, loss, backward and update become one plan
learner.Network.Hybridize();        // and what the accuracy is measured with another
TrainingRun hybridized = Training.Run(learner, compiled.Invoke, train, test, epochs, Seed);

bool sameLosses = eager.Losses.AsSpan().SequenceEqual(hybridized.Losses);
bool sameWeights = Array.TrueForAll([.. eager.Weights.Zip(hybridized.Weights)], static w => BitConverter.SingleToInt32Bits(w.First) == BitConverter.SingleToInt32Bits(w.Second));
Console.WriteLine();
Console.WriteLine($"losses identical step by step: {(sameLosses ? "yes" : "NO")} ({eager.Losses.Length} steps)");
Console.WriteLine($"final weights identical bit by bit: {(sameWeights ? "yes" : "NO")} ({eager.Weights.Length} numbers)");
Console.WriteLine($"test accuracy: eager {eager.Accuracy:P1}, hybridized {hybridized.Accuracy:P1}");
Console.WriteLine($"time per step: eager {eager.MedianStep:F3} ms, hybridized {hybridized.MedianStep:F3} ms, {eager.MedianStep / hybridized.MedianStep:F2}× faster");
Console.WriteLine();
Console.WriteLine(compiled.Report);
Console.WriteLine("The longest kernel that fits the screen, as C#:");
Console.WriteLine("public static void " + Readable(compiled.ToCSharp()));
string picture = Path.Combine(AppContext.BaseDirectory, "digits-loss.png");
LossPlot.Save(picture, eager, hybridized);
Console.WriteLine($"loss curves: {Path.GetRelativePath(Environment.CurrentDirectory, picture)}");
return sameLosses && sameWeights && !compiled.Report.FellBack && (smoke || hybridized.Accuracy >= 0.95) ? 0 : 1;

// Kernels with GELU in them have formulas of several hundred columns.
static string Readable(string text) => text[..text.LastIndexOf('}')].Split("public static void ").Skip(1)
    .Where(static kernel => Array.TrueForAll(kernel.Split('\n'), static line => line.Length < 200))
    .MaxBy(static kernel => kernel.Length)!.TrimEnd();
