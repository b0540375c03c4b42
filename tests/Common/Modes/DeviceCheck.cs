namespace Fusion.Tests;

/// <summary>
/// The cases of the operator table on a device: results where the operands are, the processor's bits where the operator is element-wise (within the case's
/// tolerance on CUDA, whose compiler may contract), within the tolerance elsewhere, since sums are added up in another order.
/// </summary>
internal static class DeviceCheck
{
    /// <summary>What is wrong with the results of a case, or null.</summary>
    public static string? Values(OpCase test, Device device, bool large = false)
    {
        foreach (DType dtype in test.DTypes)
        {
            foreach ((string label, NDArray[] inputs) in CaseInputs.Sets(test, dtype))
            {
                if (!large && label.EndsWith("large", StringComparison.Ordinal)) continue;
                NDArray expected = Seeded(() => test.Call(inputs)), actual = Seeded(() => test.Call(Move(inputs, device)));
                if (inputs.Length > 0 && !ReferenceEquals(actual.Device, device)) return $"{label}: the result is on {actual.Device}";
                if (Difference(test, expected, actual.To(Device.Cpu)) is { } difference) return $"{label}: {difference}";
            }
        }

        return null;
    }

    /// <summary>What is wrong with the gradients of a case, or null.</summary>
    public static string? Gradients(OpCase test, Device device)
    {
        CaseGradient gradient = new(test, test.Shapes[0], DType.Float32);
        ArrayFunction there = inputs => [test.Call(Move(inputs, device)).To(Device.Cpu)];
        NDArray[] expected = Seeded(() => gradient.Of(x => [test.Call(x)], test.Order)), actual = Seeded(() => gradient.Of(there, test.Order));
        return Differences(test with { Ulps = Math.Max(64, test.Ulps * 16), Scale = Math.Max(1, test.Scale) }, expected, actual);
    }

    /// <summary>What is wrong with the compiled function, or null: it gives the bits of eager execution on the device.</summary>
    public static string? Compiled(OpCase test, Device device)
    {
        NDArray[] inputs = Move(CaseInputs.Draw(test, test.Shapes[0], test.DTypes[0]), device);
        ArrayFunction compiled = TracedGraphs.Compile(x => [test.Call(x)]);
        NDArray expected = Seeded(() => test.Call(inputs)), actual = Seeded(() => compiled(inputs)[0]);
        return Bits.Difference(expected.To(Device.Cpu), actual.To(Device.Cpu));
    }

    private static string? Differences(OpCase test, NDArray[] expected, NDArray[] actual)
    {
        for (int i = 0; i < expected.Length; i++)
            if (Difference(test with { IsElementwise = false }, expected[i], actual[i]) is { } difference) return $"gradient {i}: {difference}";
        return null;
    }

    private static string? Difference(OpCase test, NDArray expected, NDArray actual)
    {
        if (expected.DType != actual.DType) return $"the result is {actual.DType}, expected {expected.DType}";
        return test.IsElementwise && !expected.Device.IsGpu ? Bits.Difference(expected, actual) : Comparison.Difference(test, actual, RefArray.Of(expected), slack: 4);
    }

    private static NDArray[] Move(NDArray[] inputs, Device device) => Array.ConvertAll(inputs, x => x?.To(device)!);

    private static T Seeded<T>(Func<T> body)
    {
        Nd.Random.Seed(20);
        return body();
    }
}
