namespace Fusion;

/// <summary>
/// The function takes a gradient with respect to an array from outside, of a head behind which an input or a captured array lies that was recorded outside: eagerly
/// the gradient flows through the history of that one, too. A trace, which does not see it, holds where the array does not lie in there.
/// </summary>
/// <param name="Through">The array that was recorded.</param>
/// <param name="Target">The other one.</param>
internal readonly record struct OutsidePath(OutsideArray Through, OutsideArray Target)
{
    /// <summary>It does, for these inputs.</summary>
    public bool Exists(ReadOnlySpan<NDArray> inputs) => GradientDependence.Reaches(Through.Of(inputs), Target.Of(inputs));

    /// <summary>One of the paths does.</summary>
    public static bool Exist(ReadOnlySpan<NDArray> inputs, OutsidePath[] paths)
    {
        foreach (OutsidePath path in paths)
            if (path.Exists(inputs)) return true;
        return false;
    }

    /// <summary>The paths that a trace has met. Where one captured array lies behind another one, the trace fails at once: it would go through a graph that was recorded outside.</summary>
    public static OutsidePath[] Of(GraphTracer tracer, TracedInput[] inputs)
    {
        HashSet<OutsidePath> paths = [];
        NDArray[] outside = tracer.Outside;
        foreach ((object through, object target, int index) in tracer.Passed)
        {
            int input = Array.FindIndex(inputs, i => i.IsAt(target));
            NDArray? captured = input >= 0 ? null : Array.Find(outside, a => TapeNode.Resolve(a.Source, a.SourceIndex) == (target, index));
            if (input < 0 && (captured is null || through is TapeNode)) continue;
            foreach (OutsideArray array in Behind(through)) paths.Add(new OutsidePath(array, new OutsideArray(input, captured)));
        }

        return [.. paths];

        IEnumerable<OutsideArray> Behind(object through) => through is Variable variable
            ? [new OutsideArray(Array.FindIndex(inputs, i => i.IsAt(variable)), null)]
            : outside.Where(a => ReferenceEquals(a.Source, through) || ReferenceEquals(TapeNode.Resolve(a.Source, a.SourceIndex).Source, through)).Select(static a => new OutsideArray(-1, a));
    }
}

/// <summary>An array that a function does not make.</summary>
/// <param name="Input">Which input it is; −1: it is a captured one.</param>
/// <param name="Captured">Which.</param>
internal readonly record struct OutsideArray(int Input, NDArray? Captured)
{
    /// <summary>The array of a call.</summary>
    public NDArray Of(ReadOnlySpan<NDArray> inputs) => Captured ?? inputs[Input];
}
