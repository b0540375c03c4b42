namespace Fusion;

/// <summary>
/// Operands whose order changes no bit, in one order: a·b and b·a are one node, which keeps the order of the first call. Not so the larger or smaller of two
/// numbers, where ties go to the first.
/// </summary>
internal static class CanonicalOrder
{
    public static bool Commutes(Op op) => op.Name is "Add" or "Multiply" or "Equal" or "NotEqual" or "LogicalAnd" or "LogicalOr" or "LogicalXor";

    /// <summary>The operands by which a node is found: those of a commutative operator by their ids.</summary>
    public static GraphNode[] Key(Op op, GraphNode[] inputs) => inputs is [var a, var b] && a.Id > b.Id && Commutes(op) ? [b, a] : inputs;
}
