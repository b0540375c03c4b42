// Lists the devices, trains a network on real handwritten digits on the best one, and shows what runs there.
using System.Diagnostics;
using System.Globalization;
using Digits;
using Fusion;
using Fusion.NN;
using Fusion.Optim;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
bool smoke = args.Contains("--smoke");
List<Device> devices = [Device.Cpu, .. Enumerable.Range(0, Device.GpuCount).Select(Device.Gpu), Device.Debug];
foreach (Device one in devices) Console.WriteLine($"{one.Name}{(one == Device.Debug ? ": an accelerator that runs on the processor, for tests" : string.Empty)}");

// The debug device shows the same kernels, but takes a moment for every one of them.
bool real = Device.GpuCount > 0;
Device device = real ? Device.Gpu() : Device.Debug;
int steps = smoke || !real ? 3 : 1000, batch = smoke || !real ? 4 : 64;
(DigitsData train, DigitsData test) = DigitsData.Load(testShare: 0.2, seed: 42);
Console.WriteLine($"training on {device.Name}: {steps} steps of {batch} images");

Nd.Random.Seed(42);
Sequential network = new Sequential(new Linear(64, 128), new Gelu(), new Linear(128, 10)).To(device);
Adam optimizer = new(network.Parameters, learningRate: 3e-3);
Func<NDArray, NDArray, NDArray> step = (images, labels) =>
{
    NDArray loss;
    using (Autograd.Record()) loss = Loss.SoftmaxCrossEntropy(network.Forward(images), labels);
    loss.Backward();
    optimizer.Step();
    return loss;
};
var compiled = step.Hybridize(new HybridOptions { FallbackToEager = false, KeepGradients = false });

(float first, float last) = (0, 0);
Stopwatch watch = Stopwatch.StartNew();
int done = 0;
for (int epoch = 0; done < steps; epoch++)
{
    foreach ((NDArray images, NDArray labels) in train.Batches(batch, new Random(epoch)).Take(steps - done))
    {
        last = compiled.Invoke(images.To(device), labels.To(device)).Item<float>();
        if (done++ == 0) first = last;
    }
}

Console.WriteLine($"loss {first:F4} → {last:F4}, {watch.Elapsed.TotalMilliseconds / steps:F2} ms a step, {compiled.Report.KernelCount} launches a step");
if (real) Console.WriteLine($"test accuracy: {Accuracy():P1}");
Console.WriteLine(compiled.Report);
Console.WriteLine("The shortest kernel, as C# and as PTX:");
Console.WriteLine(Shortest(compiled.ToCSharp(), "public static void "));
Console.WriteLine(Shortest(compiled.ToPtx(), "// "));
return last < first && (!real || smoke || Accuracy() > 0.95) ? 0 : 1;

double Accuracy()
{
    (NDArray images, NDArray labels) = test.All();
    NDArray guesses = network.Forward(images.To(device)).ArgMax(1).To(Device.Cpu);
    return Nd.Mean(Nd.Equal(guesses, labels.AsType(guesses.DType)).AsType(DType.Float64)).Item<double>();
}

static string Shortest(string text, string start) => start + text.Split(start).Skip(1).MinBy(static kernel => kernel.Length)!.TrimEnd();
