using System.Diagnostics;
using System.Globalization;

namespace Fusion.Peers.Memory;

/// <summary>This program once more, for measurements that need a process of their own: <c>--child question case side threads</c> prints one number.</summary>
internal static class ChildProcess
{
    public const string Option = "--child";

    /// <summary>The number that a child printed; null when it could not.</summary>
    public static double? Ask(string question, string name, string side, int threads)
    {
        using Process child = Process.Start(Command([Option, question, name, side, threads.ToString(CultureInfo.InvariantCulture)], isRead: true))!;
        string output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return child.ExitCode == 0 && double.TryParse(output.Trim(), CultureInfo.InvariantCulture, out double value) ? value : null;
    }

    /// <summary>How this program is started with other arguments: as "dotnet Peers.dll" or as the program itself.</summary>
    public static ProcessStartInfo Command(IEnumerable<string> arguments, bool isRead = false)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!) { RedirectStandardOutput = isRead };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath)!.Equals("dotnet", StringComparison.OrdinalIgnoreCase)) start.ArgumentList.Add(typeof(ChildProcess).Assembly.Location);
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        return start;
    }

    /// <summary>The child's part.</summary>
    public static int Answer(string[] arguments)
    {
        (string question, string name, string side) = (arguments[0], arguments[1], arguments[2]);
        // Only the asked side is touched: the other's library is never loaded.
        FusionRuntime.NumThreads = int.Parse(arguments[3], CultureInfo.InvariantCulture);
        if (side == Contender.Torch) TorchSharp.torch.set_num_threads(FusionRuntime.NumThreads);
        double? value = question == PeakMemory.Question ? PeakMemory.Measure(name, side) : FirstCall.Measure(name, side);
        if (value is null) return 1;
        Console.WriteLine(value.Value.ToString("R", CultureInfo.InvariantCulture));
        return 0;
    }
}
