using Fusion.Tests;

namespace Fusion.Gpu;

/// <summary>Every case of the operator table on the device: values at all sizes, gradients, compiled.</summary>
internal static class OperatorTable
{
    /// <summary>True if nothing is wrong.</summary>
    public static bool Run(Device device, string filter, Report report)
    {
        int passed = 0;
        List<string> failures = [];
        foreach (OpCase test in OpCases.All.Where(c => c.Title.Contains(filter, StringComparison.OrdinalIgnoreCase)))
        {
            Check(test, "values", () => DeviceCheck.Values(test, device, large: device != Device.Debug));
            if (test.Order > 0) Check(test, "gradients", () => DeviceCheck.Gradients(test, device));
            Check(test, "compiled", () => DeviceCheck.Compiled(test, device));
        }

        report.Checks("Operator table", passed, failures);
        return failures.Count == 0;

        void Check(OpCase test, string what, Func<string?> check)
        {
            string? failure;
            try
            {
                failure = check();
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                failure = $"{e.GetType().Name}: {e.Message}";
            }

            if (failure is null)
            {
                passed++;
                return;
            }

            failures.Add($"{test.Title}, {what}: {failure.ReplaceLineEndings(" ")}");
            Console.Error.WriteLine(failures[^1]);
        }
    }
}
