using Fusion.Tests.Training;

namespace Fusion.Tests;

/// <summary>
/// Random networks, losses, optimizers and schedules train to the same bits eagerly, as one compiled step, and with the network compiled.
/// <c>FUSION_SOAK=10000 dotnet test tests/Consistency.Tests -c Release --filter TrainingTests</c> runs as many.
/// </summary>
[Collection(nameof(ProcessState))]
public sealed class TrainingTests
{
    private static readonly int s_trainings = int.TryParse(Environment.GetEnvironmentVariable("FUSION_SOAK"), out int count) ? count : 40;

    // A network with batch normalization inside a checkpoint: backward wrote the running statistics once more.
    [Theory]
    [InlineData(32)]
    [InlineData(49)]
    public void TrainingsThatOnceDifferedAgree(int seed) => Assert.Null(TrainingCheck.Difference(seed));

    [Fact]
    public void EagerAndCompiledTrainingAgree()
    {
        for (int seed = 0; seed < s_trainings; seed++) Assert.Null(TrainingCheck.Difference(seed));
    }

    [Fact]
    public void TheyAgreeWhereLayersAreWide()
    {
        for (int seed = 0; seed < s_trainings / 2; seed++) Assert.Null(TrainingCheck.Difference(seed, wide: true));
    }

    [Fact]
    public void TheyAgreeOnADevice()
    {
        for (int seed = 0; seed < s_trainings / 20; seed++) Assert.Null(TrainingCheck.Difference(seed, Device.Debug));
    }
}
