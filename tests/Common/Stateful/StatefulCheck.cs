using Fusion.Kernels;

namespace Fusion.Tests.Stateful;

/// <summary>Runs a program eagerly and hybridized, each in a world of its own.</summary>
internal static class StatefulCheck
{
    /// <summary>What differs first, or null.</summary>
    public static string? Difference(StatefulProgram program)
    {
        int width = SimdWidth.Current, asked = 0;
        SimdWidth.Current = Math.Min(128 << program.Seed / 4 % 3, SimdWidth.Hardware);
        if (program.Seed / 16 % 8 == 1) KernelCompiler.FaultOfThread = spec => spec.Steps.Length > 1 && asked++ % 2 == 0 ? "a test" : null;
        try
        {
            return Compare(program);
        }
        finally
        {
            SimdWidth.Current = width;
            KernelCompiler.FaultOfThread = null;
        }
    }

    private static string? Compare(StatefulProgram program)
    {
        // The whole function is hybridized, or only those inside of it.
        bool whole = program.Seed % 4 != 3;
        HybridVerify verify = (program.Seed % 16) switch { 1 => HybridVerify.FirstCall, 2 => HybridVerify.Always, _ => HybridVerify.Off };
        bool nested = Array.Exists(program.Body, static s => s.Name == "HybridOf");
        bool counts = !Array.Exists(program.Body, static s => s.Name == "Clip");
        StatefulWorld eager = new(program) { CountsGradientWrites = counts }, compiled = new(program, hybridizes: true) { CountsGradientWrites = counts };
        Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> function = x => program.Run(x, compiled);
        HybridFunction<Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>>> f = function.Hybridize(new HybridOptions { Verify = verify, CompileInBackground = program.Seed / 16 % 8 == 2, MaxVariants = program.Seed / 16 % 4 == 3 ? 1 : 64 });
        if (whole) function = f.Invoke;
        Nd.Random.Seed(5);
        RandomState random = Nd.Random.Place;
        List<(StatefulCall Call, RandomState Random, bool Apart)> good = [];
        for (int i = 0; i < program.Calls.Length; i++)
        {
            Nd.Random.Place = random;
            StatefulOutcome expected = program.Calls[i].Run(eager, x => program.Run(x, eager), apart: null);
            RandomState after = Nd.Random.Place;
            Nd.Random.Place = random;
            StatefulOutcome actual = program.Calls[i].Run(compiled, function, expected.AreApart);

            if (expected.IsFaultOfData && expected.Error!.Message != actual.Error?.Message) return null;

            // A compiled call that throws changes nothing, also one inside of a function that runs eagerly; one that runs eagerly leaves what it has done so far.
            bool failed = expected.Error is not null && actual.Error is not null, unchanged = actual.Change() is null;
            if (expected.Difference(actual) is { } difference && !(failed && (unchanged || nested) && difference.StartsWith("after the call", StringComparison.Ordinal)))
                return $"call {i}{(f.Report.FellBack ? $", eagerly ({f.Report.FallbackReason})" : string.Empty)}: {difference}";
            if ((failed && !unchanged) || expected.LaterError is not null) return null;
            if (failed)
            {
                // Nothing has happened: the same up to here for the eager function.
                eager = new StatefulWorld(program) { CountsGradientWrites = counts };
                foreach ((StatefulCall call, RandomState place, bool apart) in good)
                {
                    Nd.Random.Place = place;
                    call.Run(eager, x => program.Run(x, eager), apart);
                }

                continue;
            }

            good.Add((program.Calls[i], random, expected.AreApart));
            random = after;
        }

        return null;
    }
}
