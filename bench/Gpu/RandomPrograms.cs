using Fusion.Tests.RandomGraphs;
using Fusion.Tests.Stateful;
using Fusion.Tests.Training;

namespace Fusion.Gpu;

/// <summary>
/// Random programs on the device: compiled they give the bits of eager execution there, forward, backward, of second order, and when shapes change;
/// so do functions with state, and trainings of random networks.
/// </summary>
internal static class RandomPrograms
{
    /// <summary>True if no program differs.</summary>
    public static bool Run(Device device, int first, int count, Report report)
    {
        Checks checks = new("Random programs");
        for (int seed = first; seed < first + count; seed++)
        {
            RandomProgram program = Draw(new Random(seed), device);
            if (!checks.Passes($"program {seed}", () => Difference(program))) Console.Error.WriteLine(program);
        }

        for (int seed = first; seed < first + count; seed++)
        {
            StatefulProgram program = StatefulGenerator.Next(new Random(seed)) with { Device = device };
            if (!checks.Passes($"stateful program {seed}", () => StatefulCheck.Difference(program))) Console.Error.WriteLine(program);
        }

        for (int seed = first; seed < first + count / 2; seed++) checks.Passes($"training {seed}", () => TrainingCheck.Difference(seed, device));
        for (int seed = first; seed < first + count / 4; seed++) checks.Passes($"wide training {seed}", () => TrainingCheck.Difference(seed, device, wide: true));
        return checks.Write(report);
    }

    private static RandomProgram Draw(Random random, Device device)
    {
        Instruction[] body = [.. Enumerable.Range(0, random.Next(1, 13))
            .Select(_ => new Instruction(random.Next(200), random.Next(12), random.Next(12), random.Next(8)))];
        int sizes = RandomProgram.Sizes.Length;
        return new RandomProgram(body, random.Next(12), random.Next(sizes), random.Next(sizes), random.Next(4) == 0) { Device = device };
    }

    private static string? Difference(RandomProgram program)
    {
        NDArray[] inputs = program.Inputs(), others = program.Inputs((program.Rows + 1) % RandomProgram.Sizes.Length);
        HybridFunction<Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>>> f = Hybrid.Hybridize(program.Run, new HybridOptions { FallbackToEager = false });
        return Of("forward", g => ProgramRun.Forward(g, inputs))
            ?? Of("backward", g => ProgramRun.Backward(g, inputs, program.Matrix))
            ?? Of("other shapes", g => ProgramRun.Forward(g, others))
            ?? Of("second order", g => ProgramRun.SecondOrder(g, inputs));

        string? Of(string what, Func<Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>>, ProgramRun> run) =>
            run(program.Run).Difference(run(f.Invoke)) is { } difference ? $"{what}: {difference}" : null;
    }
}
