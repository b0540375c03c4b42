using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>The entry point of this assembly: the test runner does not use it; a test that needs another environment starts it as a process of its own.</summary>
internal static class ChildProgram
{
    public static int Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["report"]: return Report();
            case ["train"]: return Train();
            case ["train", "no-dynamic-code"]:
                // Before anything asks: the runtime reads the switch once.
                AppContext.SetSwitch("System.Runtime.CompilerServices.RuntimeFeature.IsDynamicCodeSupported", false);
                return Train();
            default: return 2;
        }
    }

    private static int Report()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x * 2 + x.Size, new HybridOptions { FallbackToEager = false });
        NDArray x = Nd.Full(3, 2);
        x.AttachGrad();
        using (Autograd.Record()) f.Invoke(x).Backward();
        f.Clear();
        Console.WriteLine($"{f.Invoke(x).ToArray<float>()[0]} {x.Grad!.ToArray<float>()[0]} {f.Report.KernelCount} {f.Report.FallbackReason}");
        return 0;
    }

    // Eager and hybridized steps, then a second derivative through a compiled function, all as one checksum each.
    private static int Train()
    {
        (string eager, _) = Train(hybridize: false);
        (string hybridized, HybridReport? report) = Train(hybridize: true);
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => (Nd.Gelu(x) * Nd.Sin(x)).Softmax() / (1 + x.Square()));
        NDArray x = Nd.Linspace(-3, 3, 1001);
        x.AttachGrad();
        using (Autograd.Record())
        {
            NDArray first = Autograd.Grad(f.Invoke(x), x, createGraph: true);
            first.Square().Sum().Backward();
        }

        Console.WriteLine($"{Checksum([x.Grad!])} {eager} {hybridized} {report!.FellBack} {report.CompileCount > 0} {RuntimeFeature.IsDynamicCodeSupported}");
        return 0;
    }

    private static (string Checksum, HybridReport? Report) Train(bool hybridize)
    {
        Nd.Random.Seed(11);
        Sequential network = new(new Linear(20, 33), new LayerNorm(33), new Gelu(), new Dropout(0.25), new Linear(33, 7));
        Adam optimizer = new(network.Parameters, 0.01);
        Func<NDArray, NDArray, NDArray> step = (inputs, labels) =>
        {
            NDArray loss;
            using (Autograd.Record()) loss = Loss.SoftmaxCrossEntropy(network.Forward(inputs), labels);
            loss.Backward();
            optimizer.Step();
            return loss;
        };
        HybridFunction<Func<NDArray, NDArray, NDArray>>? compiled = hybridize ? step.Hybridize() : null;
        NDArray x = Nd.Random.Normal(0, 1, (50, 20)), y = Nd.Random.RandInt(0, 7, 50);
        NDArray loss = x;
        for (int i = 0; i < 5; i++) loss = (compiled?.Invoke ?? step)(x, y);
        return (Checksum([loss, .. network.Parameters.Values]), compiled?.Report);
    }

    private static string Checksum(IEnumerable<NDArray> arrays)
    {
        byte[] bytes = [.. arrays.SelectMany(static a => MemoryMarshal.AsBytes<float>(a.ToArray<float>()).ToArray())];
        return Convert.ToHexString(SHA256.HashData(bytes))[..16];
    }

    /// <summary>The output of the program's report with an environment variable.</summary>
    public static string Run(string variable, string value) => Run(["report"], (variable, value));

    /// <summary>The output of the program above.</summary>
    public static string Run(string[] arguments, params ReadOnlySpan<(string Variable, string Value)> environment)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!, ["exec", typeof(ChildProgram).Assembly.Location, .. arguments]) { RedirectStandardOutput = true };
        if (!Path.GetFileNameWithoutExtension(start.FileName).Equals("dotnet", StringComparison.OrdinalIgnoreCase)) start.FileName = "dotnet";
        foreach ((string variable, string value) in environment) start.Environment[variable] = value;
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(30_000));
        Assert.Equal(0, process.ExitCode);
        return output.Trim();
    }
}
