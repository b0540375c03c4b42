// Fusion, eager and hybridized, against LibTorch on this machine: dotnet run -c Release --project bench/Peers -- [--quick] [--threads 1,2] [--filter text] [--out folder] [--json]
using System.Globalization;
using Fusion.Peers;
using Fusion.Peers.Cases;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
Options options = Options.Parse(args);
if (TorchSide.Unavailable() is { } reason)
{
    Console.Error.WriteLine($"LibTorch cannot be loaded: {reason}");
    Console.Error.WriteLine("On Debian 12, TorchSharp 0.107's library asks for a newer libstdc++ (GLIBCXX_3.4.32) than the system has; docs/benchmarks.md says what to do.");
    return 2;
}

PeerCase[] cases =
[
    .. Overhead.All, .. Elementwise.All, .. Chains.All, .. Rows.All, .. MatrixProducts.All, .. Convolutions.All, .. Optimizers.All, .. TrainingSteps.All,
];
cases = [.. cases.Where(c => (!options.Quick || c.IsQuick) && (options.Filter is null || $"{c.Area}: {c.Name}".Contains(options.Filter, StringComparison.OrdinalIgnoreCase)))];
Report report = new(options);
foreach (int threads in options.Threads)
{
    TorchSide.SetThreads(threads);
    report.Limits(threads, Limits.CopyBandwidth(256 << 20, threads), Limits.CopyBandwidth(1 << 20, threads), Limits.FmaPeak(threads));
    foreach (PeerCase one in cases) report.Add(PeerRun.Run(one, threads, options.Quick));
}

report.Save();
return report.AllAgree ? 0 : 1;
