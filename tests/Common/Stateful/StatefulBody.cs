namespace Fusion.Tests.Stateful;

/// <summary>Statements that a <see cref="StatefulBlocks">block</see> runs as a function: of what it adds to the values that were there before.</summary>
internal sealed class StatefulBody(StatefulProgram program, StatefulWorld world, IReadOnlyList<NDArray> values, IReadOnlyList<NDArray> inputs, int from, int to, bool pure)
{
    /// <summary>Where in the program it begins.</summary>
    public int Place => from;

    public StatefulWorld World => world;

    /// <summary>The same statements, of what is passed and captured only.</summary>
    public StatefulBody Alone => new(program, world, world.Captured, world.Captured, from, to, pure);

    public StatefulBody FirstHalf => new(program, world, values, inputs, from, (from + to) / 2, pure);

    public StatefulBody SecondHalf => new(program, world, values, inputs, (from + to) / 2, to, pure);

    /// <summary>The same statements without those that change something: they may run twice.</summary>
    public StatefulBody Pure => new(program, world, values, inputs, from, to, pure: true);

    /// <summary>The last value.</summary>
    public NDArray Run(params IReadOnlyList<NDArray> added)
    {
        List<NDArray> own = [.. values, .. added];
        program.Execute(own, [.. inputs, .. added], world, from, to, pure);
        return own[^1];
    }
}
