using TorchSharp;
using static TorchSharp.torch;

namespace Fusion.Oracle.Programs;

/// <summary>One program on both sides, for both of its sizes.</summary>
internal sealed class ProgramComparison
{
    private const int Blurred = 9;

    public int Compared { get; private set; }

    public int Undecided { get; private set; }

    /// <summary>What differs, or null.</summary>
    public string? Failure { get; private init; }

    /// <summary>The sizes for which it differs.</summary>
    public int[] Sizes { get; private set; } = [];

    public static ProgramComparison Of(OracleProgram program)
    {
        ProgramComparison comparison = new();
        string? failure;
        try
        {
            HybridFunction<Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>>> compiled = Hybrid.Hybridize(program.Run);
            failure = comparison.Difference(program, program.Sizes, compiled) ?? comparison.Difference(program, program.OtherSizes, compiled);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            failure = $"{e.GetType().Name}: {e.Message.Split('\n')[0]} {e.StackTrace?.Split('\n')[0].Trim()}";
        }

        return new ProgramComparison { Compared = comparison.Compared, Undecided = comparison.Undecided, Sizes = comparison.Sizes, Failure = failure };
    }

    private string? Difference(OracleProgram program, int[] sizes, HybridFunction<Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>>> compiled)
    {
        Sizes = sizes;
        using DisposeScope scope = NewDisposeScope();
        NDArray[] inputs = program.Draw(sizes);
        ProgramPlan plan = program.PlanFor(inputs);
        DType coarsest = plan.Values.Select(static v => v.DType).MaxBy(Tolerance.Epsilon);
        bool twice = coarsest == DType.Float64 && !program.IsSpecial && !plan.Steps.Any(static s => s.IsOnce);
        if (TypeCheck.Difference(program, inputs) is { } types) return types;
        TheirRun theirs = TheirRun.Of(program, inputs, 0, twice);
        if (theirs.Overflows) return null;
        TheirRun[] others = [.. Enumerable.Range(1, Blurred).Select(i => TheirRun.Of(program, inputs, i, twice))];
        OurRun eager = OurRun.Of(program.Run, inputs, theirs.Heads, twice ? theirs.Again : null);
        Tolerance tolerance = new(plan.Steps.Max(static s => s.Slack));
        string? difference = Lists("result", eager.Results, theirs.Results, static o => o.Results)
            ?? Lists("gradient", eager.Gradients, theirs.Gradients, static o => o.Gradients, program.IsSpecial)
            ?? Lists("second gradient", eager.SecondGradients, theirs.SecondGradients, static o => o.SecondGradients);
        Compared += tolerance.Compared;
        Undecided += tolerance.Undecided;
        if (difference is not null) return difference;
        OurRun hybrid = OurRun.Of(compiled.Invoke, inputs, theirs.Heads, twice ? theirs.Again : null);
        if (eager.Difference(hybrid) is { } bits) return $"compiled: {bits}";
        if (Tests.Bits.Difference(eager.Results, compiled.Invoke(inputs)) is { } plain) return $"compiled, not recorded: {plain}";
        return null;

        string? Lists(string what, IReadOnlyList<NDArray> ours, List<Tensor> expected, Func<TheirRun, List<Tensor>> blurred, bool maySurpass = false)
        {
            if (ours.Count != expected.Count) return $"{what}: {ours.Count} arrays, LibTorch {expected.Count}";
            for (int i = 0; i < ours.Count; i++)
                if (tolerance.Difference($"{what} {i}", ours[i], expected[i], [.. others.Select(o => blurred(o)[i])], coarsest, maySurpass) is { } found) return found;
            return null;
        }
    }
}
