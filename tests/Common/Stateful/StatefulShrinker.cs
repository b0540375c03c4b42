namespace Fusion.Tests.Stateful;

/// <summary>Makes a program that differs small.</summary>
internal static class StatefulShrinker
{
    public static StatefulProgram Shrink(StatefulProgram program)
    {
        while (Smaller(program).FirstOrDefault(static p => StatefulCheck.Difference(p) is not null) is { } smaller) program = smaller;
        return program;
    }

    private static IEnumerable<StatefulProgram> Smaller(StatefulProgram program)
    {
        (Statement[] body, int[] results, StatefulCall[] calls, _) = program;
        for (int i = 0; i < calls.Length && calls.Length > 1; i++) yield return program with { Calls = Without(calls, i) };
        for (int i = 0; i < body.Length; i++) yield return program with { Body = Without(body, i) };
        for (int i = 0; i < results.Length && results.Length > 1; i++) yield return program with { Results = Without(results, i) };
        for (int i = 0; i < calls.Length; i++)
        {
            StatefulCall call = calls[i];
            if (call.Between != 0) yield return With(i, call with { Between = 0 });
            if (call.After != 0) yield return With(i, call with { After = 0 });
            if (call.Scope != 0) yield return With(i, call with { Scope = 0 });
            for (int k = 0; k < call.Arguments.Length; k++)
                if (call.Arguments[k] != 0) yield return With(i, call with { Arguments = [.. call.Arguments[..k], 0, .. call.Arguments[(k + 1)..]] });
        }

        StatefulProgram With(int i, StatefulCall call) => program with { Calls = [.. calls[..i], call, .. calls[(i + 1)..]] };
    }

    private static T[] Without<T>(T[] list, int i) => [.. list[..i], .. list[(i + 1)..]];
}
