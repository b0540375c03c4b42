using System.Linq.Expressions;

namespace Fusion.Kernels;

/// <summary>
/// A lane that computes nothing: its operations write the expression tree of one register or of one number into the current <see cref="TreeBuilder"/>,
/// as its <see cref="TreeTarget"/> spells them.
/// </summary>
internal readonly struct TreeLane(Expression node) : ILane<TreeLane>
{
    public Expression Node { get; } = node;

    public static bool Is64 => Target.Is64;

    public static bool HasScaleB => Target.HasScaleB;

    /// <summary>Elements are integers.</summary>
    public static bool IsInteger => Target.IsInteger;

    private static TreeTarget Target => TreeBuilder.Current.Target;

    public static TreeLane Const(double value) => Target.Const(value);

    public static TreeLane Bits(long pattern) => Target.Bits(pattern);

    public static TreeLane operator +(TreeLane a, TreeLane b) => Target.Write(LaneOp.Add, a, b);

    public static TreeLane operator -(TreeLane a, TreeLane b) => Target.Write(LaneOp.Subtract, a, b);

    public static TreeLane operator *(TreeLane a, TreeLane b) => Target.Write(LaneOp.Multiply, a, b);

    public static TreeLane operator /(TreeLane a, TreeLane b) => Target.Write(LaneOp.Divide, a, b);

    public static TreeLane operator -(TreeLane a) => Target.Write(LaneOp.Negate, a);

    public static TreeLane Fma(TreeLane a, TreeLane b, TreeLane c) => Target.Write(LaneOp.Fma, a, b, c);

    public static TreeLane MinNative(TreeLane a, TreeLane b) => Target.Write(LaneOp.MinNative, a, b);

    public static TreeLane MaxNative(TreeLane a, TreeLane b) => Target.Write(LaneOp.MaxNative, a, b);

    public static TreeLane Sqrt(TreeLane a) => Target.Write(LaneOp.Sqrt, a);

    public static TreeLane Abs(TreeLane a) => Target.Write(LaneOp.Abs, a);

    public static TreeLane Round(TreeLane a) => Target.Write(LaneOp.Round, a);

    public static TreeLane Floor(TreeLane a) => Target.Write(LaneOp.Floor, a);

    public static TreeLane Ceiling(TreeLane a) => Target.Write(LaneOp.Ceiling, a);

    public static TreeLane Truncate(TreeLane a) => Target.Write(LaneOp.Truncate, a);

    public static TreeLane ScaleB(TreeLane x, TreeLane n) => Target.Write(LaneOp.ScaleB, x, n);

    public static TreeLane Remainder(TreeLane a, TreeLane b) => Target.Write(LaneOp.Remainder, a, b);

    public static TreeLane LargeAngle(AngleFunction function, TreeLane x, TreeLane value) =>
        Target.Write(LaneOp.LargeAngle, new TreeLane(Expression.Constant((int)function)), x, value);

    public static TreeLane LogEdges(TreeLane x, TreeLane y) => Target.LogEdges(x, y);

    public static TreeLane Less(TreeLane a, TreeLane b) => Target.Write(LaneOp.Less, a, b);

    public static TreeLane LessOrEqual(TreeLane a, TreeLane b) => Target.Write(LaneOp.LessOrEqual, a, b);

    public static TreeLane Greater(TreeLane a, TreeLane b) => Target.Write(LaneOp.Greater, a, b);

    public static TreeLane GreaterOrEqual(TreeLane a, TreeLane b) => Target.Write(LaneOp.GreaterOrEqual, a, b);

    public static TreeLane Equal(TreeLane a, TreeLane b) => Target.Write(LaneOp.Equal, a, b);

    public static TreeLane NotEqual(TreeLane a, TreeLane b) => Target.Write(LaneOp.NotEqual, a, b);

    public static TreeLane Select(TreeLane mask, TreeLane a, TreeLane b) => Target.Write(LaneOp.Select, mask, a, b);

    public static TreeLane And(TreeLane a, TreeLane b) => Target.Write(LaneOp.And, a, b);

    public static TreeLane Or(TreeLane a, TreeLane b) => Target.Write(LaneOp.Or, a, b);

    public static TreeLane Xor(TreeLane a, TreeLane b) => Target.Write(LaneOp.Xor, a, b);

    public static TreeLane Not(TreeLane a) => Target.Write(LaneOp.Not, a);

    public static TreeLane AddInteger(TreeLane a, TreeLane b) => Target.Write(LaneOp.AddInteger, a, b);

    public static TreeLane SubtractInteger(TreeLane a, TreeLane b) => Target.Write(LaneOp.SubtractInteger, a, b);

    public static TreeLane ShiftLeft(TreeLane a, int count) => Target.Write(LaneOp.ShiftLeft, a, Count(count));

    public static TreeLane ShiftRightArithmetic(TreeLane a, int count) => Target.Write(LaneOp.ShiftRightArithmetic, a, Count(count));

    public static TreeLane ShiftRightLogical(TreeLane a, int count) => Target.Write(LaneOp.ShiftRightLogical, a, Count(count));

    public static TreeLane ToInteger(TreeLane a) => Target.Write(LaneOp.ToInteger, a);

    public static TreeLane FromInteger(TreeLane a) => Target.Write(LaneOp.FromInteger, a);

    /// <summary>⌊a/b⌋ of integers.</summary>
    public static TreeLane FloorDivide(TreeLane a, TreeLane b) => Target.Write(LaneOp.FloorDivide, a, b);

    /// <summary>The remainder of <see cref="FloorDivide"/>.</summary>
    public static TreeLane Mod(TreeLane a, TreeLane b) => Target.Write(LaneOp.Mod, a, b);

    public static TreeLane Let(TreeLane a) => Target.IsTrivial(a.Node) ? a : new(TreeBuilder.Current.Let(a.Node));

    private static TreeLane Count(int count) => new(Expression.Constant(count));
}
