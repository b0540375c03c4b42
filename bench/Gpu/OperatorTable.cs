using Fusion.Tests;

namespace Fusion.Gpu;

/// <summary>Every case of the operator table on the device: values at all sizes, gradients, compiled.</summary>
internal static class OperatorTable
{
    /// <summary>True if nothing is wrong.</summary>
    public static bool Run(Device device, string filter, Report report)
    {
        Checks checks = new("Operator table");
        foreach (OpCase test in OpCases.All.Where(c => c.Title.Contains(filter, StringComparison.OrdinalIgnoreCase)))
        {
            checks.Passes($"{test.Title}, values", () => DeviceCheck.Values(test, device, large: device != Device.Debug));
            if (test.Order > 0) checks.Passes($"{test.Title}, gradients", () => DeviceCheck.Gradients(test, device));
            checks.Passes($"{test.Title}, compiled", () => DeviceCheck.Compiled(test, device));
        }

        return checks.Write(report);
    }
}
