namespace Fusion;

/// <summary>
/// Operands whose order changes no bit, in one order: a·b and b·a are one node, which keeps the order of the first call.
/// </summary>
internal static class CanonicalOrder
{
    /// <summary>The operands by which a node is found: those of a commutative operator by their ids.</summary>
    public static GraphNode[] Key(Op op, GraphNode[] inputs) => inputs is [var a, var b] && a.Id > b.Id && op.Element is { Commutes: true } ? [b, a] : inputs;
}
