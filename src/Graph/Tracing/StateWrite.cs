namespace Fusion;

/// <summary>An array that a function writes in place, and the value that it has afterwards.</summary>
/// <param name="Array">The array, or null: the argument.</param>
/// <param name="Argument">The position among the arguments of the plan.</param>
/// <param name="Value">Of the array's type.</param>
/// <param name="Count">Writes that the eager function makes: by so much the version rises.</param>
internal sealed record StateWrite(NDArray? Array, int Argument, GraphNode Value, int Count)
{
    public NDArray Target(ReadOnlySpan<NDArray?> arguments) => Array ?? arguments[Argument]!;
}
