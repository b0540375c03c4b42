using Fusion.Tests.Stateful;

namespace Fusion.Tests;

/// <summary>
/// Random functions that write arrays in place, record, differentiate, attach and drop gradients, draw, branch, loop, step an optimizer, checkpoint, call
/// functions of the user's own and hybridized ones, and fail, called several times while their surroundings change: results, gradients, versions, flags,
/// random state and errors are the same eagerly and hybridized, a call that fails changes nothing, and the next one is as if it had not been.
/// <c>FUSION_SOAK=100000 dotnet test tests/Consistency.Tests -c Release --filter StatefulProgramTests</c> runs as many,
/// from the seed <c>FUSION_SEED</c> on.
/// </summary>
[Collection(nameof(ProcessState))]
public sealed class StatefulProgramTests
{
    private static readonly int s_programs = int.TryParse(Environment.GetEnvironmentVariable("FUSION_SOAK"), out int count) ? count : 300;

    private static readonly int s_first = int.TryParse(Environment.GetEnvironmentVariable("FUSION_SEED"), out int seed) ? seed : 0;

    [Fact]
    public void HybridizedFunctionsLeaveBehindWhatEagerOnesDo() => Agree(s_programs, Device.Cpu);

    [Fact]
    public void TheyDoSoOnADevice() => Agree(s_programs / 20, Device.Debug);

    private static void Agree(int programs, Device device)
    {
        for (int seed = s_first; seed < s_first + programs; seed++)
        {
            StatefulProgram program = StatefulGenerator.Next(new Random(seed)) with { Device = device };
            if (StatefulCheck.Difference(program) is null) continue;
            StatefulProgram small = StatefulShrinker.Shrink(program);
            Assert.Fail($"seed {seed}, {StatefulCheck.Difference(small)}\n{small}");
        }
    }
}
