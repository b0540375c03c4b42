namespace Fusion;

/// <summary>
/// Where the launches of a plan have an array of the program itself for an operand, instead of a handle that is pointed to its memory: a call has nothing to do for it then,
/// unless other memory takes its place for that call.
/// </summary>
/// <param name="places">Operands of launches, and positions among them; none: the launches have a handle.</param>
internal readonly struct OperandPlaces(IReadOnlyList<(NDArray[] Operands, int Index)> places)
{
    private readonly (NDArray[] Operands, int Index)[] _places = [.. places];

    public bool IsEmpty => _places.Length == 0;

    public void Set(NDArray array)
    {
        foreach ((NDArray[] operands, int index) in _places) operands[index] = array;
    }
}
