using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Fusion.Kernels;

/// <summary>
/// A lane that computes nothing: its operators write the expression tree of one register into the current <see cref="TreeBuilder"/>.
/// Each writes the very instruction that <see cref="Lane512{T}"/> and its sisters execute.
/// </summary>
internal readonly struct TreeLane(Expression node) : ILane<TreeLane>
{
    public Expression Node { get; } = node;

    public static bool Is64 => Vector.Is64;

    private static VectorMethods Vector => TreeBuilder.Current.Vector;

    public static TreeLane Const(double value) => new(Expression.Call(Vector.Create, Vector.Is64 ? Expression.Constant(value) : Expression.Constant((float)value)));

    public static TreeLane Bits(long pattern) =>
        AsElement(Expression.Call(Vector.CreateInteger, Vector.Is64 ? Expression.Constant(pattern) : Expression.Constant((int)pattern)));

    public static TreeLane operator +(TreeLane a, TreeLane b) => Counted(Expression.Add(a.Node, b.Node));

    public static TreeLane operator -(TreeLane a, TreeLane b) => Counted(Expression.Subtract(a.Node, b.Node));

    public static TreeLane operator *(TreeLane a, TreeLane b) => Counted(Expression.Multiply(a.Node, b.Node));

    public static TreeLane operator /(TreeLane a, TreeLane b) => Counted(Expression.Divide(a.Node, b.Node));

    public static TreeLane operator -(TreeLane a) => Xor(a, Const(-0.0));

    public static TreeLane Fma(TreeLane a, TreeLane b, TreeLane c) => Call(Vector.Ternary(nameof(Vector128.FusedMultiplyAdd)), a, b, c);

    public static TreeLane MinNative(TreeLane a, TreeLane b) =>
        Sse.IsSupported ? Call(Vector.Binary(nameof(Vector128.MinNative)), a, b) : Smaller(Let(a), Let(b));

    public static TreeLane MaxNative(TreeLane a, TreeLane b) =>
        Sse.IsSupported ? Call(Vector.Binary(nameof(Vector128.MaxNative)), a, b) : Larger(Let(a), Let(b));

    public static TreeLane Sqrt(TreeLane a) => Call(Vector.Unary(nameof(Vector128.Sqrt)), a);

    public static TreeLane Abs(TreeLane a) => Call(Vector.Unary(nameof(Vector128.Abs)), a);

    public static TreeLane Round(TreeLane a) => Call(Vector.Unary(nameof(Vector128.Round)), a);

    public static TreeLane Floor(TreeLane a) => Call(Vector.Unary(nameof(Vector128.Floor)), a);

    public static TreeLane Ceiling(TreeLane a) => Call(Vector.Unary(nameof(Vector128.Ceiling)), a);

    public static TreeLane Truncate(TreeLane a) => Call(Vector.Unary(nameof(Vector128.Truncate)), a);

    public static TreeLane ScaleB(TreeLane x, TreeLane n)
    {
        Type? holder = Vector.Width == 512 ? typeof(Avx512F) : Avx512F.VL.IsSupported ? typeof(Avx512F.VL) : null;
        return holder is null ? LaneFallback.ScaleB(x, n) : Call(holder.GetMethod(nameof(Avx512F.Scale), [Vector.Type, Vector.Type])!, x, n);
    }

    public static TreeLane Remainder(TreeLane a, TreeLane b) => Call(Vector.Memory(nameof(Remainder)), a, b);

    public static TreeLane LargeAngle(AngleFunction function, TreeLane x, TreeLane value) =>
        Counted(Expression.Call(Vector.Memory(nameof(LargeAngle)), Expression.Constant((int)function), x.Node, value.Node));

    public static TreeLane Less(TreeLane a, TreeLane b) => Call(Vector.Binary(nameof(Vector128.LessThan)), a, b);

    public static TreeLane LessOrEqual(TreeLane a, TreeLane b) => Call(Vector.Binary(nameof(Vector128.LessThanOrEqual)), a, b);

    public static TreeLane Greater(TreeLane a, TreeLane b) => Call(Vector.Binary(nameof(Vector128.GreaterThan)), a, b);

    public static TreeLane GreaterOrEqual(TreeLane a, TreeLane b) => Call(Vector.Binary(nameof(Vector128.GreaterThanOrEqual)), a, b);

    public static TreeLane Equal(TreeLane a, TreeLane b) => Call(Vector.Binary(nameof(Vector128.Equals)), a, b);

    public static TreeLane NotEqual(TreeLane a, TreeLane b) => new(Expression.OnesComplement(Equal(a, b).Node));

    public static TreeLane Select(TreeLane mask, TreeLane a, TreeLane b) => Call(Vector.Ternary(nameof(Vector128.ConditionalSelect)), mask, a, b);

    public static TreeLane And(TreeLane a, TreeLane b) => Counted(Expression.And(a.Node, b.Node));

    public static TreeLane Or(TreeLane a, TreeLane b) => Counted(Expression.Or(a.Node, b.Node));

    public static TreeLane Xor(TreeLane a, TreeLane b) => Counted(Expression.ExclusiveOr(a.Node, b.Node));

    public static TreeLane Not(TreeLane a) => Counted(Expression.OnesComplement(a.Node));

    public static TreeLane AddInteger(TreeLane a, TreeLane b) => Pattern(Expression.Add(AsInteger(a), AsInteger(b)));

    public static TreeLane SubtractInteger(TreeLane a, TreeLane b) => Pattern(Expression.Subtract(AsInteger(a), AsInteger(b)));

    public static TreeLane ShiftLeft(TreeLane a, int count) => Pattern(Expression.LeftShift(AsInteger(a), Expression.Constant(count)));

    public static TreeLane ShiftRightArithmetic(TreeLane a, int count) => Pattern(Expression.RightShift(AsInteger(a), Expression.Constant(count)));

    public static TreeLane ShiftRightLogical(TreeLane a, int count) => Pattern(Expression.Call(Vector.ShiftRightLogical, AsInteger(a), Expression.Constant(count)));

    public static TreeLane ToInteger(TreeLane a)
    {
        VectorMethods vector = Vector;
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

    public static TreeLane FromInteger(TreeLane a) => Counted(Expression.Call(Vector.ToElement, AsInteger(a)));

    public static TreeLane Let(TreeLane a) => IsTrivial(a.Node) ? a : new(TreeBuilder.Current.Assign(a.Node));

    // A name, or a constant in every element (perhaps reinterpreted): free to repeat.
    private static bool IsTrivial(Expression node) => node switch
    {
        ParameterExpression => true,
        MethodCallExpression { Arguments: [ConstantExpression] } => true,
        MethodCallExpression { Arguments: [MethodCallExpression inner] } call => call.Method == Vector.AsElement && IsTrivial(inner),
        _ => false,
    };

    private static TreeLane Smaller(TreeLane a, TreeLane b) => Select(Less(a, b), a, b);

    private static TreeLane Larger(TreeLane a, TreeLane b) => Select(Greater(a, b), a, b);

    private static TreeLane Call(MethodInfo method, TreeLane a) => Counted(Expression.Call(method, a.Node));

    private static TreeLane Call(MethodInfo method, TreeLane a, TreeLane b) => Counted(Expression.Call(method, a.Node, b.Node));

    private static TreeLane Call(MethodInfo method, TreeLane a, TreeLane b, TreeLane c) => Counted(Expression.Call(method, a.Node, b.Node, c.Node));

    private static MethodCallExpression AsInteger(TreeLane a) => Expression.Call(Vector.AsInteger, a.Node);

    private static TreeLane AsElement(Expression integers) => new(Expression.Call(Vector.AsElement, integers));

    private static TreeLane Pattern(Expression integers) => AsElement(Counted(integers).Node);

    private static TreeLane Counted(Expression node)
    {
        TreeBuilder.Current.OperatorCount++;
        return new(node);
    }
}
