// Fusion, eager and hybridized, against LibTorch, ONNX Runtime, loops written by hand and the limits of this machine:
// dotnet run -c Release --project bench/Peers -- [--quick] [--threads 1,2] [--registers 128|256] [--filter text] [--out folder] [--json file] [--publish]
// The sweep over the whole operator table: --filter operators
using System.Diagnostics;
using System.Globalization;
using Fusion.Peers;
using Fusion.Peers.Cases;
using Fusion.Peers.Memory;
using Fusion.Peers.Networks;
using Fusion.Peers.Onnx;
using Fusion.Peers.Reports;
using Fusion.Peers.Table;

const double SmallBytes = 32 * 1024;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args.Length > 0 && args[0] == ChildProcess.Option) return ChildProcess.Answer(args[1..]);

long start = Stopwatch.GetTimestamp();
Options options = Options.Parse(args);
if (Registers.AreOthers(options)) return Registers.Run(options.Registers!.Value, args);

if (TorchArrays.Unavailable() is { } reason)
{
    Console.Error.WriteLine($"LibTorch cannot be loaded: {reason}");
    Console.Error.WriteLine(TorchArrays.Hint);
    return 2;
}

if (OnnxSide.Unavailable is { } missing) Console.WriteLine($"ONNX Runtime is left out: {missing}");

PeerCase[] cases =
[
    .. Overhead.All, .. Elementwise.All, .. Chains.All, .. RandomNumbers.All, .. Rows.All, .. MatrixProducts.All, .. Convolutions.All, .. Optimizers.All, .. TrainingSteps.All,
    .. Inference.All, .. Latency.All, .. CostGrowth.All, .. Operators.All,
];
Report report = new(options);
foreach (int threads in options.Threads)
{
    TorchSide.SetThreads(threads);
    Limits limits = Limits.Measure(threads);
    report.Add(limits);
    foreach (PeerCase one in cases)
        if (options.Includes(one.Area, one.Name, one.IsQuick) && !(options.Quick && threads != options.Threads[0] && IsSerial(one))) report.Add(PeerRun.Run(one, limits, options.Quick));
}

// Each of these is a process of its own.
foreach (TrainingRow row in PeakMemory.Rows(options.Quick))
    if (options.Includes(PeakMemory.Area, row.Name)) report.Add(PeakMemory.Run(row, options.Threads[0]));
foreach (Network network in NetworkTable.All)
    if (options.Includes(FirstCall.Area, network.Name, network.Onnx is not null && network.IsQuick)) report.Add(FirstCall.Run(network, options.Threads[0], options.Quick));

report.Save();
Console.WriteLine($"{Stopwatch.GetElapsedTime(start).TotalSeconds:F0} s");
return report.IsRight ? 0 : 1;

// Nothing is handed to a second thread there.
static bool IsSerial(PeerCase one) =>
    one.Area is Overhead.Area or Latency.Area or CostGrowth.Area || (one.Area is Elementwise.Area && one.Work.Bytes < SmallBytes);
