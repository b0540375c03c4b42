using System.Linq.Expressions;

namespace Fusion.Kernels;

/// <summary>The two operations of lanes that are a branch on a device: what is rare is computed by whom it concerns.</summary>
internal static class ScalarBranches
{
    /// <summary>The remainder in line, or digit by digit where the quotient is too large: <see cref="DeviceRemainder"/>.</summary>
    public static TreeLane Remainder(ScalarTarget target, TreeLane a, TreeLane b)
    {
        TreeBuilder builder = TreeBuilder.Current;
        TreeLane quotient = TreeLane.Let(a / b);
        TreeLane simple = TreeLane.Let(LaneFallback.IsSimpleRemainder(quotient, b));
        ParameterExpression result = builder.Assign(LaneFallback.SimpleRemainder(a, b, quotient).Node);
        Expression exact = ScalarTarget.Call(typeof(DeviceRemainder), nameof(DeviceRemainder.Exact), a.Node, b.Node);
        builder.Statements.Add(Expression.IfThen(TreeLane.Not(simple).Node, Expression.Assign(result, exact)));
        ScalarTarget.CountBranch();
        return new(result);
    }

    /// <summary>The function of a large angle, by way of double as <see cref="AngleReduction"/> does it.</summary>
    public static TreeLane LargeAngle(ScalarTarget target, Expression function, TreeLane x, TreeLane value)
    {
        TreeBuilder builder = TreeBuilder.Current;
        ParameterExpression result = builder.Assign(value.Node);
        Expression isLarge = AngleReduction.IsLarge(x).Node;
        Expression body = Evaluate(builder, function, x.Node, result);
        builder.Statements.Add(Expression.IfThen(isLarge, body));
        ScalarTarget.CountBranch();
        return new(result);
    }

    private static BlockExpression Evaluate(TreeBuilder builder, Expression function, Expression x, ParameterExpression result)
    {
        using TreeBuilder branch = builder.Branch(ScalarTarget.For(DType.Float64)).Enter();
        ParameterExpression angle = branch.Assign(x.Type == typeof(double) ? x : Expression.Convert(x, typeof(double)));
        ParameterExpression rest = branch.Assign(ScalarTarget.Call(typeof(DeviceAngles), nameof(DeviceAngles.Rest), angle));
        ParameterExpression quadrant = branch.Assign(ScalarTarget.Call(typeof(DeviceAngles), nameof(DeviceAngles.Quadrant), angle));
        TreeLane sine = TreeLane.Let(Formulas.SinePolynomial(new TreeLane(rest))), cosine = TreeLane.Let(Formulas.CosinePolynomial(new TreeLane(rest)));
        Expression value = ScalarTarget.Call(typeof(DeviceAngles), nameof(DeviceAngles.Combine), function, angle, quadrant, sine.Node, cosine.Node);
        if (x.Type != typeof(double)) value = Expression.Convert(value, typeof(float));
        return Expression.Block(typeof(void), [.. branch.Statements, Expression.Assign(result, value)]);
    }
}
