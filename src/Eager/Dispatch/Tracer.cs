namespace Fusion;

/// <summary>The value of a traced array: it has a type, and no elements yet. The tracer's own subclass says what computes it.</summary>
internal abstract class SymbolicValue;

/// <summary>The seam through which the graph compiler sees operator calls. Eager knows nothing else of it.</summary>
internal abstract class Tracer
{
    /// <summary>Adds an operator call to the graph and fills <paramref name="outputs"/> with symbolic arrays.</summary>
    public abstract void Apply(Op op, ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs);

    /// <summary>The user's code wants a value. Never returns: a trace has none.</summary>
    public abstract Exception ValueRead(string operation);

    /// <summary>The user's code writes to an array. Never returns unless the tracer can express the write.</summary>
    public abstract Exception InPlaceWrite(string operation);
}
