// Fusion, eager and hybridized, against LibTorch on this machine:
// dotnet run -c Release --project bench/Peers -- [--quick] [--threads 1,2] [--filter text] [--out folder] [--json]
// The sweep over the whole operator table: --filter operators
using System.Globalization;
using Fusion.Peers;
using Fusion.Peers.Cases;
using Fusion.Peers.Table;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
Options options = Options.Parse(args);
if (TorchArrays.Unavailable() is { } reason)
{
    Console.Error.WriteLine($"LibTorch cannot be loaded: {reason}");
    Console.Error.WriteLine(TorchArrays.Hint);
    return 2;
}

PeerCase[] cases =
[
    .. Overhead.All, .. Elementwise.All, .. Chains.All, .. Rows.All, .. MatrixProducts.All, .. Convolutions.All, .. Optimizers.All, .. TrainingSteps.All,
    .. Operators.All,
];
cases = [.. cases.Where(c => (!options.Quick || c.IsQuick) && IsAskedFor(c))];
Report report = new(options);
foreach (int threads in options.Threads)
{
    TorchSide.SetThreads(threads);
    report.Limits(threads, Limits.CopyBandwidth(256 << 20, threads), Limits.CopyBandwidth(1 << 20, threads), Limits.FmaPeak(threads));
    foreach (PeerCase one in cases) report.Add(PeerRun.Run(one, threads, options.Quick));
}

report.Save();
return report.AllAgree ? 0 : 1;

bool IsAskedFor(PeerCase c)
{
    string filter = options.Filter ?? string.Empty;
    if (c.Area == Operators.Area && !filter.StartsWith(Operators.Area, StringComparison.OrdinalIgnoreCase)) return false;
    return $"{c.Area}: {c.Name}".Contains(filter, StringComparison.OrdinalIgnoreCase);
}
