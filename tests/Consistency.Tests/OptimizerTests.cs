using Fusion.Tests.Training;

namespace Fusion.Tests;

/// <summary>
/// Random optimizers with all their options, of parameters of every shape and several element types, empty ones and numbers among them: compiled steps have the
/// bits of eager ones, and these are what PyTorch's formulas give in double. And random steps of two optimizers, with updates inside of choices and loops.
/// <c>FUSION_SOAK=10000 dotnet test tests/Consistency.Tests -c Release --filter OptimizerTests</c> draws as many.
/// </summary>
[Collection(nameof(ProcessState))]
public sealed class OptimizerTests
{
    private static readonly int s_drawings = int.TryParse(Environment.GetEnvironmentVariable("FUSION_SOAK"), out int count) ? count : 150;

    [Fact]
    public void StepsFollowTheFormulasEagerlyAndCompiled()
    {
        for (int seed = 0; seed < s_drawings; seed++)
            if (OptimizerCheck.Difference(seed) is { } difference) Assert.Fail($"seed {seed}: {difference}");
    }

    [Fact]
    public void StepsOfChoicesAndLoopsAgree()
    {
        for (int seed = 0; seed < s_drawings; seed++)
            if (StepCheck.Difference(seed) is { } difference) Assert.Fail($"seed {seed}: {difference}");
    }
}
