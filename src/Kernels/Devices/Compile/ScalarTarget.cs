using System.Diagnostics.CodeAnalysis;
using System.Linq.Expressions;
using System.Reflection;

namespace Fusion.Kernels;

/// <summary>
/// One number of a device kernel: each operation is a call of the method of <see cref="DeviceMath"/> with its name. Masks are nodes of type bool, and
/// become patterns only where a formula mixes them with numbers. Elements of <see cref="DType.UInt8"/> are int nodes, cut to a byte after each operation.
/// </summary>
internal sealed class ScalarTarget : TreeTarget
{
    // Branches cost what their bodies do: bodies with one are not to be repeated for several elements.
    private const int BranchOperators = 200;

    private static readonly ScalarTarget[] s_targets = [.. Enum.GetValues<DType>().Select(type => new ScalarTarget(type))];

    private readonly DType _type;

    private ScalarTarget(DType type)
    {
        _type = type;
        Element = type switch
        {
            DType.Float32 => typeof(float),
            DType.Float64 => typeof(double),
            DType.Int64 => typeof(long),
            _ => typeof(int),
        };
    }

    public override bool Is64 => _type is DType.Float64 or DType.Int64;

    public override bool IsInteger => !_type.IsFloat;

    /// <summary>The type of the nodes of numbers.</summary>
    public Type Element { get; }

    public static ScalarTarget For(DType type) => s_targets[(int)type];

    public override TreeLane Const(double value)
    {
        if (IsInteger) return Bits((long)value);
        // A literal of what is not a normal number or 0 may come out as something else: the pattern cannot.
        if (_type == DType.Float64)
        {
            long pattern = BitConverter.DoubleToInt64Bits(value);
            return pattern == 0 || double.IsNormal(value) ? new(Expression.Constant(value)) : Bits(pattern);
        }

        float single = (float)value;
        int bits = BitConverter.SingleToInt32Bits(single);
        return bits == 0 || float.IsNormal(single) ? new(Expression.Constant(single)) : Bits(bits);
    }

    public override TreeLane Bits(long pattern) => _type switch
    {
        DType.Float32 => new(Call(nameof(DeviceMath.FromBits), Expression.Constant((int)pattern))),
        DType.Float64 => new(Call(nameof(DeviceMath.FromBits), Expression.Constant(pattern))),
        DType.Int64 => new(Expression.Constant(pattern)),
        DType.Int32 => new(Expression.Constant((int)pattern)),
        _ => new(Expression.Constant((int)(byte)pattern)),
    };

    public override TreeLane Write(LaneOp op, params ReadOnlySpan<TreeLane> a) => op switch
    {
        LaneOp.Select => Select(a[0].Node, a[1].Node, a[2].Node),
        LaneOp.And or LaneOp.Or or LaneOp.Xor or LaneOp.Not => Bitwise(op, a),
        LaneOp.Negate => Cut(Method(op, a)),
        LaneOp.Add or LaneOp.Subtract or LaneOp.Multiply => Cut(Method(op, a)),
        LaneOp.Abs when _type == DType.UInt8 => a[0],
        LaneOp.Floor or LaneOp.Ceiling or LaneOp.Round or LaneOp.Truncate when IsInteger => a[0],
        LaneOp.ScaleB => LaneFallback.ScaleB(a[0], a[1]),
        LaneOp.Remainder => ScalarBranches.Remainder(this, TreeLane.Let(a[0]), TreeLane.Let(a[1])),
        LaneOp.LargeAngle => ScalarBranches.LargeAngle(this, a[0].Node, TreeLane.Let(a[1]), a[2]),
        LaneOp.AddInteger => Pattern(Expression.Add(ToBits(a[0]), ToBits(a[1]))),
        LaneOp.SubtractInteger => Pattern(Expression.Subtract(ToBits(a[0]), ToBits(a[1]))),
        LaneOp.ShiftLeft => Pattern(Expression.LeftShift(ToBits(a[0]), a[1].Node)),
        LaneOp.ShiftRightArithmetic => Pattern(Expression.RightShift(ToBits(a[0]), a[1].Node)),
        LaneOp.ShiftRightLogical => Pattern(Call(nameof(DeviceMath.ShiftRightLogical), ToBits(a[0]), a[1].Node)),
        LaneOp.ToInteger => Pattern(Call(nameof(DeviceMath.Truncated), AsNumber(a[0].Node))),
        LaneOp.FromInteger => Counted(Call(nameof(DeviceMath.Nearest), ToBits(a[0]))),
        _ => Method(op, a),
    };

    public override bool IsTrivial(Expression node) =>
        node is ParameterExpression or ConstantExpression or MethodCallExpression { Method.Name: nameof(DeviceMath.FromBits), Arguments: [ConstantExpression] };

    /// <summary>A body with a branch in it counts as a long one.</summary>
    public static void CountBranch() => TreeBuilder.Current.OperatorCount += BranchOperators;

    /// <summary>A call of a method of <see cref="DeviceMath"/>.</summary>
    public static MethodCallExpression Call(string method, params Expression[] arguments) => Call(typeof(DeviceMath), method, arguments);

    /// <summary>A call of the overload for these arguments.</summary>
    public static MethodCallExpression Call(
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicMethods)] Type holder, string method, params Expression[] arguments) =>
        Expression.Call(holder.GetMethod(method, BindingFlags.Public | BindingFlags.Static, [.. arguments.Select(a => a.Type)])
            ?? throw new MissingMethodException(holder.Name, $"{method}({string.Join(", ", arguments.Select(a => a.Type.Name))})"), arguments);

    private TreeLane Method(LaneOp op, ReadOnlySpan<TreeLane> a)
    {
        Expression[] arguments = new Expression[a.Length];
        for (int i = 0; i < arguments.Length; i++) arguments[i] = AsNumber(a[i].Node);
        return Counted(Call(op.ToString(), arguments));
    }

    private TreeLane Select(Expression mask, Expression a, Expression b)
    {
        if (mask.Type != typeof(bool))
        {
            // A pattern as mask: bit by bit.
            TreeLane bits = TreeLane.Let(new(mask));
            return TreeLane.Or(TreeLane.And(bits, new(a)), TreeLane.And(TreeLane.Not(bits), new(b)));
        }

        if (a.Type == typeof(bool) && b.Type == typeof(bool))
        {
            TreeLane test = TreeLane.Let(new(mask));
            return TreeLane.Or(TreeLane.And(test, new(a)), TreeLane.And(TreeLane.Not(test), new(b)));
        }

        return Counted(Call(nameof(DeviceMath.Select), mask, AsNumber(a), AsNumber(b)));
    }

    private TreeLane Bitwise(LaneOp op, params ReadOnlySpan<TreeLane> a)
    {
        Expression x = a[0].Node, y = a[^1].Node;
        if (x.Type == typeof(bool) && y.Type == typeof(bool)) return Counted(op == LaneOp.Not ? Call(op.ToString(), x) : Call(op.ToString(), x, y));
        // A mask and a number: the number or nothing.
        if (op == LaneOp.And && x.Type == typeof(bool)) return Select(x, y, Const(0).Node);
        if (op == LaneOp.And && y.Type == typeof(bool)) return Select(y, x, Const(0).Node);
        if (op == LaneOp.Not) return Cut(Pattern(Call(nameof(DeviceMath.Not), ToBits(a[0]))));
        return Pattern(op switch
        {
            LaneOp.And => Expression.And(ToBits(a[0]), ToBits(a[1])),
            LaneOp.Or => Expression.Or(ToBits(a[0]), ToBits(a[1])),
            _ => Expression.ExclusiveOr(ToBits(a[0]), ToBits(a[1])),
        });
    }

    private TreeLane Cut(TreeLane a) => _type == DType.UInt8 ? new(Expression.And(a.Node, Expression.Constant(255))) : a;

    private Expression AsNumber(Expression node) => node.Type == typeof(bool) ? FromBits(MaskBits(node)) : node;

    private MethodCallExpression MaskBits(Expression mask) => Call(Is64 ? nameof(DeviceMath.MaskBits64) : nameof(DeviceMath.MaskBits32), mask);

    private Expression FromBits(Expression pattern) => IsInteger ? pattern : Call(nameof(DeviceMath.FromBits), pattern);

    private TreeLane Pattern(Expression pattern) => new(FromBits(Counted(pattern).Node));

    private Expression ToBits(TreeLane a) => a.Node switch
    {
        { } mask when mask.Type == typeof(bool) => MaskBits(mask),
        { } number when IsInteger => number,
        ConstantExpression { Value: float value } => Expression.Constant(BitConverter.SingleToInt32Bits(value)),
        ConstantExpression { Value: double value } => Expression.Constant(BitConverter.DoubleToInt64Bits(value)),
        MethodCallExpression { Method.Name: nameof(DeviceMath.FromBits) } call => call.Arguments[0],
        _ => Call(nameof(DeviceMath.ToBits), a.Node),
    };
}
