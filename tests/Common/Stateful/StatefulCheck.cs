namespace Fusion.Tests.Stateful;

/// <summary>Runs a program eagerly and hybridized, each in a world of its own.</summary>
internal static class StatefulCheck
{
    /// <summary>What differs first, or null.</summary>
    public static string? Difference(StatefulProgram program)
    {
        StatefulWorld eager = new(program), compiled = new(program);
        HybridFunction<Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>>> f = Hybrid.Hybridize((IReadOnlyList<NDArray> x) => program.Run(x, compiled));
        Nd.Random.Seed(5);
        RandomState random = Nd.Random.Place;
        for (int i = 0; i < program.Calls.Length; i++)
        {
            Nd.Random.Place = random;
            StatefulOutcome expected = program.Calls[i].Run(eager, x => program.Run(x, eager), apart: null);
            RandomState after = Nd.Random.Place;
            Nd.Random.Place = random;
            StatefulOutcome actual = program.Calls[i].Run(compiled, f.Invoke, expected.AreApart);
            random = after;

            // A compiled call that throws changes nothing; one that runs eagerly leaves what it has done so far.
            bool failed = expected.Error is not null && actual.Error is not null;
            if (expected.Difference(actual) is { } difference && !(failed && actual.Change() is null && difference.StartsWith("after the call", StringComparison.Ordinal)))
                return $"call {i}{(f.Report.FellBack ? $", eagerly ({f.Report.FallbackReason})" : string.Empty)}: {difference}";
            if (failed || expected.LaterError is not null) return null;
        }

        return null;
    }
}
