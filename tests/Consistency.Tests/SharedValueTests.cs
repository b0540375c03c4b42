using Fusion.Tests.Values;

namespace Fusion.Tests;

/// <summary>
/// Arrays are values: random views and writes in place, by functions, hybridized ones and their callers, against arrays that share nothing.
/// <c>FUSION_SOAK=100000 dotnet test tests/Consistency.Tests -c Release --filter SharedValueTests</c> runs as many.
/// </summary>
public sealed class SharedValueTests
{
    private static readonly int s_programs = int.TryParse(Environment.GetEnvironmentVariable("FUSION_SOAK"), out int count) ? count : 500;

    [Fact]
    public void NobodySeesAWriteToAnotherArray()
    {
        for (int seed = 0; seed < s_programs; seed++)
            if (ValueCheck.Difference(seed) is { } difference) Assert.Fail($"seed {seed}: {difference}");
    }
}
