// The operator table, random programs and the speed of an accelerator:
// dotnet run -c Release --project bench/Gpu -- [--device gpu0|debug] [--only table|programs|speed] [--programs 500] [--first 0] [--filter text] [--peer pytorch.json] [--out folder]
// The peer's figures on the same machine: python3 bench/Gpu/pytorch.py > pytorch.json
using System.Globalization;
using Fusion;
using Fusion.Gpu;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
Options options = Options.Parse(args);
if (options.Device != "debug" && Device.GpuCount == 0)
{
    Console.WriteLine("There is no accelerator here: the table can be run with --device debug.");
    return 2;
}

Device device = options.Device == "debug" ? Device.Debug : Device.Gpu(int.Parse(options.Device.AsSpan("gpu".Length), CultureInfo.InvariantCulture));
Report report = new(device, options);
bool right = true;
if (options.Only is null or "table") right = OperatorTable.Run(device, options.Filter, report);
if (options.Only is null or "programs") right &= RandomPrograms.Run(device, options.First, options.Programs, report);
if (options.Only is null or "speed") Speed.Run(device, options.Filter, report);
report.Save();
return right ? 0 : 1;
