namespace Fusion;

/// <summary>
/// The function takes a gradient with respect to an array from outside, of a head behind which an input lies that was recorded outside: eagerly the gradient flows
/// through the history of that input, too. A trace, which does not see it, holds where the array does not lie in there.
/// </summary>
/// <param name="Through">The input.</param>
/// <param name="Input">The array, where it is another input; −1: it is a captured one.</param>
/// <param name="Captured">Which.</param>
internal readonly record struct OutsidePath(int Through, int Input, NDArray? Captured)
{
    /// <summary>It does, for these inputs.</summary>
    public bool Exists(ReadOnlySpan<NDArray> inputs) => GradientDependence.Reaches(inputs[Through], Captured ?? inputs[Input]);

    /// <summary>One of the paths does.</summary>
    public static bool Exist(ReadOnlySpan<NDArray> inputs, OutsidePath[] paths)
    {
        foreach (OutsidePath path in paths)
            if (path.Exists(inputs)) return true;
        return false;
    }

    /// <summary>The paths that a trace has met.</summary>
    public static OutsidePath[] Of(GraphTracer tracer, TracedInput[] inputs)
    {
        HashSet<OutsidePath> paths = [];
        foreach ((Variable through, object target, int index) in tracer.Passed)
        {
            int input = Array.FindIndex(inputs, i => i.IsAt(target));
            NDArray? captured = input >= 0 ? null : tracer.Marks.FirstOrDefault(m => TapeNode.Resolve(m.Array.Source, m.Array.SourceIndex) == (target, index)).Array;
            if (input >= 0 || captured is not null) paths.Add(new OutsidePath(Array.FindIndex(inputs, i => i.IsAt(through)), input, captured));
        }

        return [.. paths];
    }
}
