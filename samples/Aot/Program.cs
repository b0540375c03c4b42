// Trains a small network eagerly and hybridized. Compiled just in time or ahead of time (dotnet publish), it prints the same checksums.
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Fusion;
using Fusion.NN;
using Fusion.Optim;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
int steps = args.Contains("--smoke") ? 50 : 500;
Console.WriteLine($"dynamic code: {(RuntimeFeature.IsDynamicCodeCompiled ? "yes, kernels are compiled" : "no, plans run the loops that were compiled ahead of time")}");

(string eager, _) = Train(steps, hybridize: false);
(string hybridized, HybridReport? report) = Train(steps, hybridize: true);
Console.WriteLine($"a step: {report!.OpCount} operators in {report.KernelCount} launches, {report.CompileCount} kernel(s) compiled");
Console.WriteLine($"weights after {steps} steps: eager {eager}, hybridized {hybridized}");
return eager == hybridized && !report.FellBack ? 0 : 1;

// Learns y = sin x from noisy points.
static (string Weights, HybridReport? Report) Train(int steps, bool hybridize)
{
    Nd.Random.Seed(7);
    Sequential network = new(new Linear(1, 32), new Gelu(), new Linear(32, 32), new Tanh(), new Linear(32, 1));
    Adam optimizer = new(network.Parameters, learningRate: 1e-2);
    NDArray x = Nd.Random.Uniform(-3, 3, (256, 1));
    NDArray y = x.Sin() + 0.05 * Nd.Random.Normal(0, 1, (256, 1));
    Func<NDArray, NDArray, NDArray> step = (inputs, targets) =>
    {
        NDArray loss;
        using (Autograd.Record()) loss = Loss.MeanSquaredError(network.Forward(inputs), targets);
        loss.Backward();
        optimizer.Step();
        return loss;
    };
    HybridFunction<Func<NDArray, NDArray, NDArray>>? compiled = hybridize ? step.Hybridize() : null;
    for (int i = 1; i <= steps; i++)
    {
        float loss = (compiled?.Invoke ?? step)(x, y).Item<float>();
        if (i == 1 || i == steps) Console.WriteLine($"  {(hybridize ? "hybridized" : "eager")}, step {i}: loss {loss:F6}");
    }

    return (Checksum(network.Parameters.Values), compiled?.Report);
}

// FNV-1a over all bytes: whoever has one other bit has another number.
static string Checksum(IEnumerable<NDArray> arrays)
{
    ulong hash = 14695981039346656037;
    foreach (NDArray array in arrays)
        foreach (byte value in MemoryMarshal.AsBytes<float>(array.ToArray<float>())) hash = (hash ^ value) * 1099511628211;
    return hash.ToString("x16");
}
