using System.Linq.Expressions;

namespace Fusion.Kernels;

/// <summary>
/// What the operations of a <see cref="TreeLane"/> become: intrinsics on a register of the processor (<see cref="VectorTarget"/>), or methods on one
/// number that a device's compiler knows (<see cref="ScalarTarget"/>).
/// </summary>
internal abstract class TreeTarget
{
    /// <summary>The element is 64 bits wide.</summary>
    public abstract bool Is64 { get; }

    /// <summary>A product with a power of two is one instruction.</summary>
    public virtual bool HasScaleB => false;

    /// <summary>Elements are integers; only the operations of <see cref="ElementOp.SupportsInteger"/> have a meaning.</summary>
    public virtual bool IsInteger => false;

    public abstract TreeLane Const(double value);

    public abstract TreeLane Bits(long pattern);

    /// <summary>The operation on these arguments.</summary>
    public abstract TreeLane Write(LaneOp op, params ReadOnlySpan<TreeLane> arguments);

    /// <summary><see cref="ILane{L}.LogEdges"/>.</summary>
    public virtual TreeLane LogEdges(TreeLane x, TreeLane y) => Formulas.LogEdges(x, y);

    /// <summary>Free to repeat: a name or a constant.</summary>
    public abstract bool IsTrivial(Expression node);

    /// <summary>A node that is one operator.</summary>
    protected static TreeLane Counted(Expression node)
    {
        TreeBuilder.Current.OperatorCount++;
        return new(node);
    }
}
