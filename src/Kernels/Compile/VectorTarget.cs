using System.Globalization;
using System.Linq.Expressions;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Fusion.Kernels;

/// <summary>One register of the processor: each operation writes the very instruction that <see cref="Lane512{T}"/> and its sisters execute.</summary>
internal sealed class VectorTarget(VectorMethods vector) : TreeTarget
{
    public override bool Is64 => vector.Is64;

    public override bool HasScaleB => vector.Width == 512 || Avx512F.VL.IsSupported;

    public override TreeLane Const(double value) => new(Expression.Call(vector.Create, Is64 ? Expression.Constant(value) : Expression.Constant((float)value)));

    public override TreeLane Bits(long pattern) =>
        AsElement(Expression.Call(vector.CreateInteger, Is64 ? Expression.Constant(pattern) : Expression.Constant((int)pattern)));

    public override TreeLane Write(LaneOp op, params ReadOnlySpan<TreeLane> a) => op switch
    {
        LaneOp.Add => Counted(Expression.Add(a[0].Node, a[1].Node)),
        LaneOp.Subtract => Counted(Expression.Subtract(a[0].Node, a[1].Node)),
        LaneOp.Multiply => Counted(Expression.Multiply(a[0].Node, a[1].Node)),
        LaneOp.Divide => Reciprocal(a[1]) is { } factor ? Counted(Expression.Multiply(a[0].Node, factor.Node)) : Counted(Expression.Divide(a[0].Node, a[1].Node)),
        LaneOp.Negate => TreeLane.Xor(a[0], Const(-0.0)),
        LaneOp.Fma => Step(Ternary(nameof(Vector128.FusedMultiplyAdd), a)),
        LaneOp.MinNative => Sse.IsSupported ? Binary(nameof(Vector128.MinNative), a) : Smaller(TreeLane.Let(a[0]), TreeLane.Let(a[1])),
        LaneOp.MaxNative => Sse.IsSupported ? Binary(nameof(Vector128.MaxNative), a) : Larger(TreeLane.Let(a[0]), TreeLane.Let(a[1])),
        LaneOp.Sqrt or LaneOp.Abs or LaneOp.Round or LaneOp.Floor or LaneOp.Ceiling or LaneOp.Truncate =>
            Counted(Expression.Call(vector.Unary(op.ToString()), a[0].Node)),
        LaneOp.ScaleB => ScaleB(a[0], a[1]),
        LaneOp.Remainder => Counted(Expression.Call(vector.Memory(nameof(LaneOp.Remainder)), a[0].Node, a[1].Node)),
        LaneOp.LargeAngle => LargeAngle(a[0], TreeLane.Let(a[1]), a[2]),
        LaneOp.Less => Binary(nameof(Vector128.LessThan), a),
        LaneOp.LessOrEqual => Binary(nameof(Vector128.LessThanOrEqual), a),
        LaneOp.Greater => Binary(nameof(Vector128.GreaterThan), a),
        LaneOp.GreaterOrEqual => Binary(nameof(Vector128.GreaterThanOrEqual), a),
        LaneOp.Equal => Binary(nameof(Vector128.Equals), a),
        LaneOp.NotEqual => new(Expression.OnesComplement(Binary(nameof(Vector128.Equals), a).Node)),
        LaneOp.Select => Ternary(nameof(Vector128.ConditionalSelect), a),
        LaneOp.And => Counted(Expression.And(a[0].Node, a[1].Node)),
        LaneOp.Or => Counted(Expression.Or(a[0].Node, a[1].Node)),
        LaneOp.Xor => Counted(Expression.ExclusiveOr(a[0].Node, a[1].Node)),
        LaneOp.Not => Counted(Expression.OnesComplement(a[0].Node)),
        LaneOp.AddInteger => Pattern(Expression.Add(AsInteger(a[0]), AsInteger(a[1]))),
        LaneOp.SubtractInteger => Pattern(Expression.Subtract(AsInteger(a[0]), AsInteger(a[1]))),
        LaneOp.ShiftLeft => Pattern(Expression.LeftShift(AsInteger(a[0]), a[1].Node)),
        LaneOp.ShiftRightArithmetic => Pattern(Expression.RightShift(AsInteger(a[0]), a[1].Node)),
        LaneOp.ShiftRightLogical => Pattern(Expression.Call(vector.ShiftRightLogical, AsInteger(a[0]), a[1].Node)),
        LaneOp.ToInteger => ToInteger(a[0]),
        LaneOp.FromInteger => Counted(Expression.Call(vector.ToElement, AsInteger(a[0]))),
        _ => throw new ArgumentOutOfRangeException(nameof(op), op, "Registers have no such operation."),
    };

    public override TreeLane LogEdges(TreeLane x, TreeLane y)
    {
        if (vector.Fixup is null) return base.LogEdges(x, y);
        Expression table = Expression.Call(vector.CreateInteger, Is64 ? Expression.Constant((long)Lane512<double>.LogTable) : Expression.Constant(Lane512<float>.LogTable));
        return Counted(Expression.Call(vector.Fixup, y.Node, x.Node, table, Expression.Constant((byte)0)));
    }

    // A name, or a constant in every element (perhaps reinterpreted). Of 512 bits, a comparison of these too: the JIT computes it once, and it stays a mask
    // of the processor, where a variable would hold a register of elements.
    public override bool IsTrivial(Expression node) => node switch
    {
        ParameterExpression => true,
        MethodCallExpression { Arguments: [ConstantExpression] } => true,
        MethodCallExpression { Arguments: [MethodCallExpression inner] } call => call.Method == vector.AsElement && IsTrivial(inner),
        MethodCallExpression { Arguments: [var a, var b] } call => vector.MaskComparisons.Contains(call.Method) && IsTrivial(a) && IsTrivial(b),
        _ => false,
    };

    // 2⁻ⁿ of a constant 2ⁿ, both normal: x/2ⁿ and x·2⁻ⁿ are the same number, rounded once. A division takes as long as six products.
    private TreeLane? Reciprocal(TreeLane divisor)
    {
        if (divisor.Node is not MethodCallExpression { Arguments: [ConstantExpression { Value: var constant }] } call || call.Method != vector.Create) return null;
        double value = Convert.ToDouble(constant, CultureInfo.InvariantCulture), least = Is64 ? double.ScaleB(1, -1022) : double.ScaleB(1, -126);
        return double.IsPow2(Math.Abs(value)) && Math.Abs(value) >= least && Math.Abs(value) <= 1 / least ? Const(1 / value) : null;
    }

    private TreeLane ScaleB(TreeLane x, TreeLane n)
    {
        Type holder = vector.Width == 512 ? typeof(Avx512F) : typeof(Avx512F.VL);
        return !HasScaleB
            ? LaneFallback.ScaleB(x, n)
            : Counted(Expression.Call(holder.GetMethod(nameof(Avx512F.Scale), [vector.Type, vector.Type])!, x.Node, n.Node));
    }

    private TreeLane ToInteger(TreeLane a)
    {
        if (!vector.Is64 && vector.Width < 512) return Pattern(Expression.Call(vector.Unary(nameof(Vector128.ConvertToInt32Native)), a.Node));
        (Type? holder, string name) = vector switch
        {
            { Width: 512, Is64: false } => (typeof(Avx512F), nameof(Avx512F.ConvertToVector512Int32)),
            { Width: 512 } => (typeof(Avx512DQ), nameof(Avx512DQ.ConvertToVector512Int64)),
            _ when Avx512DQ.VL.IsSupported => (typeof(Avx512DQ.VL), $"ConvertToVector{vector.Width}Int64"),
            { Width: 128 } when AdvSimd.Arm64.IsSupported => (typeof(AdvSimd.Arm64), nameof(AdvSimd.Arm64.ConvertToInt64RoundToZero)),
            _ => ((Type?)null, ""),
        };
        return holder is null ? LaneFallback.ToInteger(a) : Pattern(Expression.Call(holder.GetMethod(name, [vector.Type])!, a.Node));
    }

    // One operator, whose mask is written here: a wrapper that computes it would take longer to inline.
    private TreeLane LargeAngle(TreeLane function, TreeLane x, TreeLane value)
    {
        int count = TreeBuilder.Current.OperatorCount;
        TreeLane large = AngleReduction.IsLarge(x);
        TreeBuilder.Current.OperatorCount = count;
        return Counted(Expression.Call(vector.Memory(nameof(LaneOp.LargeAngle)), function.Node, x.Node, value.Node, large.Node));
    }

    private static TreeLane Step(TreeLane lane) => TreeBuilder.Current.StepByStep ? TreeLane.Let(lane) : lane;

    private static TreeLane Smaller(TreeLane a, TreeLane b) => TreeLane.Select(TreeLane.Less(a, b), a, b);

    private static TreeLane Larger(TreeLane a, TreeLane b) => TreeLane.Select(TreeLane.Greater(a, b), a, b);

    private TreeLane Binary(string name, ReadOnlySpan<TreeLane> a) => Counted(Expression.Call(vector.Binary(name), a[0].Node, a[1].Node));

    private TreeLane Ternary(string name, ReadOnlySpan<TreeLane> a) => Counted(Expression.Call(vector.Ternary(name), a[0].Node, a[1].Node, a[2].Node));

    // Integers that were only called elements are taken as they are: every call costs compile time.
    private Expression AsInteger(TreeLane a) =>
        a.Node is MethodCallExpression { Arguments: [var integers] } call && call.Method == vector.AsElement ? integers : Expression.Call(vector.AsInteger, a.Node);

    private TreeLane AsElement(Expression integers) => new(Expression.Call(vector.AsElement, integers));

    private TreeLane Pattern(Expression integers) => AsElement(Counted(integers).Node);
}
