// Trains a network on real handwritten digits, first eagerly, then hybridized from the same seed: one word changes, the numbers do not.
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
Learner learner = new(Network, Seed);
Func<NDArray, NDArray, NDArray> step = learner.Step;
TrainingRun eager = Training.Run(learner, step, train, test, epochs, Seed);

Console.WriteLine("hybridized");
learner = new(Network, Seed);
step = learner.Step;
var compiled = step.Hybridize();    // forward, loss, backward and update become one plan
learner.Network.Hybridize();        // and what the accuracy is measured with another
TrainingRun hybridized = Training.Run(learner, compiled.Invoke, train, test, epochs, Seed);

bool same = Comparison.Print(eager, hybridized);
Console.WriteLine();
Console.WriteLine(compiled.Report);
Console.WriteLine("The longest kernel that fits the screen, as C#:");
Console.WriteLine("public static void " + Readable(compiled.ToCSharp()));
string picture = Path.Combine(AppContext.BaseDirectory, "digits-loss.png");
LossPlot.Save(picture, eager, hybridized);
Console.WriteLine($"loss curves: {Path.GetRelativePath(Environment.CurrentDirectory, picture)}");
return same && !compiled.Report.FellBack && (smoke || hybridized.Accuracy >= 0.95) ? 0 : 1;

static Sequential Network() => new(new Linear(64, 128), new Gelu(), new Linear(128, 128), new Gelu(), new Linear(128, 10));

// Kernels with GELU in them have formulas of several hundred columns.
static string Readable(string text) => text[..text.LastIndexOf('}')].Split("public static void ").Skip(1)
    .Where(static kernel => Array.TrueForAll(kernel.Split('\n'), static line => line.Length < 200))
    .MaxBy(static kernel => kernel.Length)!.TrimEnd();
