// A small convolutional network after LeNet-5 on handwritten digits of 8 × 8 pixels, first eagerly, then hybridized from the same seed.
using System.Globalization;
using Digits;
using Fusion;
using Fusion.NN;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
bool smoke = args.Contains("--smoke");
int epochs = smoke ? 1 : 20;
const int Seed = 42;
(DigitsData train, DigitsData test) = DigitsData.Load(testShare: 0.2, Seed);
Console.WriteLine(Network().Summary((1, 64)));

Console.WriteLine("eager");
Learner learner = new(Network, Seed);
Func<NDArray, NDArray, NDArray> step = learner.Step;
TrainingRun eager = Training.Run(learner, step, train, test, epochs, Seed);

Console.WriteLine("hybridized");
learner = new(Network, Seed);
step = learner.Step;
var compiled = step.Hybridize();
learner.Network.Hybridize();
TrainingRun hybridized = Training.Run(learner, compiled.Invoke, train, test, epochs, Seed);

bool same = Comparison.Print(eager, hybridized);
Console.WriteLine();
Console.WriteLine(compiled.Report);
return same && !compiled.Report.FellBack && (smoke || hybridized.Accuracy >= 0.95) ? 0 : 1;

static Sequential Network() => new(
    new Picture(),
    new Conv2d(1, 16, kernel: 3, padding: 1), new Relu(), new MaxPool2d(2),     // (batch, 16, 4, 4)
    new Conv2d(16, 32, kernel: 3, padding: 1), new Relu(), new MaxPool2d(2),    // (batch, 32, 2, 2)
    new Flatten(), new Linear(128, 64), new Relu(), new Linear(64, 10));

/// <summary>Rows of 64 numbers become pictures of one channel.</summary>
internal sealed class Picture : Module
{
    protected override NDArray ForwardCore(NDArray x) => x.Reshape((-1, 1, 8, 8));
}
