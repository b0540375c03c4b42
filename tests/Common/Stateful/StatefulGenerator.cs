namespace Fusion.Tests.Stateful;

/// <summary>Draws programs most of whose statements are possible, at least in the first call.</summary>
internal static class StatefulGenerator
{
    private static readonly string[] s_functions = [.. StatefulOps.Functions.Keys], s_effects = [.. StatefulOps.Effects.Keys, .. StatefulOps.OptimizerCalls.Keys],
        s_blocks = [.. StatefulBlocks.Rows.Keys];

    public static StatefulProgram Next(Random random)
    {
        StatefulCall[] calls = new StatefulCall[1 + random.Next(4)];
        int[] arguments = Arguments(random);
        for (int i = 0; i < calls.Length; i++)
        {
            if (random.Next(3) == 0) arguments = Arguments(random);
            int scope = i > 0 && random.Next(3) > 0 ? calls[i - 1].Scope : random.Next(4);
            int after = random.Next(2) * random.Next(StatefulCall.Afters), between = random.Next(3) == 0 ? random.Next(StatefulCall.Betweens) : 0;
            calls[i] = new StatefulCall(arguments, scope, after, between, random.Next(100));
        }

        StatefulProgram program = new([], [0], calls, random.Next(1000));
        int length = 1 + random.Next(10);
        for (int tries = 0; program.Body.Length < length && tries < 60; tries++)
        {
            string[] names = random.Next(12) switch { < 5 => s_functions, < 9 => s_effects, 9 => StatefulOps.Scopes, _ => s_blocks };
            Statement statement = new(names[random.Next(names.Length)], Operand(random), Operand(random), random.Next(12));
            StatefulProgram longer = program with { Body = [.. program.Body, statement] };
            StatefulWorld world = new(longer);
            if ((calls[0] with { After = 0 }).Run(world, x => longer.Run(x, world), apart: null).Error is null || random.Next(12) == 0) program = longer;
        }

        return program with { Results = [.. Enumerable.Range(0, 1 + random.Next(3)).Select(_ => random.Next(20))] };
    }

    private static int[] Arguments(Random random) => [.. Enumerable.Range(0, 3).Select(_ => random.Next(3) == 0 ? 0 : random.Next(StatefulCall.ArgumentKinds))];

    private static int Operand(Random random) => random.Next(2) == 0 ? -1 - random.Next(3) : random.Next(20);
}
