using System.Diagnostics;

namespace Fusion.Tests;

/// <summary>The entry point of this assembly: the test runner does not use it; a test that needs another environment starts it as a process of its own.</summary>
internal static class ChildProgram
{
    public static int Main(string[] arguments)
    {
        if (arguments is not ["report"]) return 2;
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x * 2 + x.Size, new HybridOptions { FallbackToEager = false });
        NDArray x = Nd.Full(3, 2);
        x.AttachGrad();
        using (Autograd.Record()) f.Invoke(x).Backward();
        f.Clear();
        Console.WriteLine($"{f.Invoke(x).ToArray<float>()[0]} {x.Grad!.ToArray<float>()[0]} {f.Report.KernelCount} {f.Report.FallbackReason}");
        return 0;
    }

    /// <summary>Runs the program above with an environment variable; its output.</summary>
    public static string Run(string variable, string value)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!, ["exec", typeof(ChildProgram).Assembly.Location, "report"]) { RedirectStandardOutput = true };
        if (!Path.GetFileNameWithoutExtension(start.FileName).Equals("dotnet", StringComparison.OrdinalIgnoreCase)) start.FileName = "dotnet";
        start.Environment[variable] = value;
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(30_000));
        Assert.Equal(0, process.ExitCode);
        return output.Trim();
    }
}
