namespace Fusion;

// Loops and choices as functions of arrays. Gradients flow through what was executed. In a traced function ForEach is unrolled, and a loop or choice is
// followed: the function is compiled for the way that it went, and once more for each other way.
public static partial class Nd
{
    /// <summary>
    /// Calls the body for each slice of the data along its first axis, with the states that the call before returned; the outputs are stacked.
    /// </summary>
    /// <param name="body">Of a slice and the states, the output and the next states.</param>
    /// <param name="data">(steps, …).</param>
    /// <param name="states">The first states.</param>
    /// <exception cref="ShapeException">The data has rank 0 or no slices, or outputs differ in shape.</exception>
    public static (NDArray Outputs, IReadOnlyList<NDArray> States) ForEach(
        Func<NDArray, IReadOnlyList<NDArray>, (NDArray Output, IReadOnlyList<NDArray> States)> body, NDArray data, IReadOnlyList<NDArray> states)
    {
        ArgumentNullException.ThrowIfNull(body);
        ArgumentNullException.ThrowIfNull(states);
        if (Checked(data).Rank == 0 || data.Shape[0] == 0) throw new ShapeException($"ForEach: {data.Shape} has no slices along a first axis.");
        NDArray[] outputs = new NDArray[data.Shape[0]];
        for (int i = 0; i < outputs.Length; i++)
        {
            (outputs[i], states) = body(data[i], states);
            if (outputs[i] is null) throw ReturnedNull("ForEach", "output");
            ThrowIfNull("ForEach", states);
        }

        return (Stack(outputs), states);
    }

    /// <summary>Calls the body for each slice of the data along its first axis, with one state.</summary>
    /// <exception cref="ShapeException">The data has rank 0 or no slices, or outputs differ in shape.</exception>
    public static (NDArray Outputs, NDArray State) ForEach(Func<NDArray, NDArray, (NDArray Output, NDArray State)> body, NDArray data, NDArray state)
    {
        ArgumentNullException.ThrowIfNull(body);
        (NDArray outputs, IReadOnlyList<NDArray> states) = ForEach(
            (slice, s) =>
            {
                (NDArray output, NDArray next) = body(slice, s[0]);
                return (output, [next]);
            },
            data,
            [state]);
        return (outputs, states[0]);
    }

    /// <summary>
    /// Calls the body with the states it returned, while the condition on them holds, at most <paramref name="maxIterations"/> times. Reads the condition.
    /// </summary>
    /// <exception cref="ShapeException">The condition does not have one element.</exception>
    public static IReadOnlyList<NDArray> WhileLoop(
        Func<IReadOnlyList<NDArray>, NDArray> condition,
        Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> body,
        IReadOnlyList<NDArray> states,
        int maxIterations)
    {
        ArgumentNullException.ThrowIfNull(condition);
        ArgumentNullException.ThrowIfNull(body);
        ArgumentNullException.ThrowIfNull(states);
        Require.NotNegative(maxIterations);
        for (int i = 0; i < maxIterations && Holds(condition(states) ?? throw ReturnedNull("WhileLoop", "condition"), "WhileLoop"); i++)
        {
            states = body(states);
            ThrowIfNull("WhileLoop", states);
        }

        return states;
    }

    /// <summary>
    /// Calls the body with the state it returned, while the condition on it holds, at most <paramref name="maxIterations"/> times. Reads the condition.
    /// </summary>
    /// <exception cref="ShapeException">The condition does not have one element.</exception>
    public static NDArray WhileLoop(Func<NDArray, NDArray> condition, Func<NDArray, NDArray> body, NDArray state, int maxIterations)
    {
        ArgumentNullException.ThrowIfNull(condition);
        ArgumentNullException.ThrowIfNull(body);
        return WhileLoop(s => condition(s[0]), s => [body(s[0])], [state], maxIterations)[0];
    }

    /// <summary>
    /// The value of one of two functions, of which only that one is called. Reads the predicate; <see cref="Where(NDArray, NDArray, NDArray)"/> does not.
    /// </summary>
    /// <exception cref="ShapeException">The predicate does not have one element.</exception>
    public static NDArray Cond(NDArray predicate, Func<NDArray> then, Func<NDArray> otherwise)
    {
        ArgumentNullException.ThrowIfNull(then);
        ArgumentNullException.ThrowIfNull(otherwise);
        return (Holds(predicate, "Cond") ? then() : otherwise()) ?? throw ReturnedNull("Cond", "value");
    }

    private static void ThrowIfNull(string op, IReadOnlyList<NDArray>? states)
    {
        if (states is null) throw ReturnedNull(op, "list of states");
        for (int i = 0; i < states.Count; i++)
            if (states[i] is null) throw ReturnedNull(op, $"state {i}");
    }

    private static InvalidOperationException ReturnedNull(string op, string what) => new($"{op}: the {what} that the function returned is null.");

    private static bool Holds(NDArray predicate, string op)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        if (predicate.Size != 1) throw new ShapeException($"{op}: the condition {predicate.Shape} must have one element. Reduce it with All or Any.");
        ExecutionState state = ExecutionState.Current;
        if (state.Tracer is { } tracer) return tracer.Decide(predicate, op);
        bool holds = state.Ways?.Next() ?? Read();
        state.TakenWays?.Add(holds);
        return holds;

        bool Read()
        {
            predicate.BeginRead(op);
            return Elements.To(predicate.Detach(), DType.Bool).Item<bool>();
        }
    }
}
