using System.Linq.Expressions;

namespace Fusion.Kernels;

/// <summary>Loops as trees.</summary>
internal static class TreeLoop
{
    /// <summary><c>while (test) { body }</c></summary>
    public static LoopExpression While(Expression test, IEnumerable<Expression> body)
    {
        LabelTarget done = Expression.Label();
        return Expression.Loop(Expression.IfThenElse(test, Expression.Block(typeof(void), body), Expression.Break(done)), done);
    }

    /// <summary><c>for (index = from; index &lt; until; index += step) { body }</c></summary>
    public static Expression[] For(ParameterExpression index, Expression from, Expression until, Expression step, IEnumerable<Expression> body) =>
        [Expression.Assign(index, from), While(Expression.LessThan(index, until), [.. body, Advance(index, step)])];

    /// <summary><c>index += step</c></summary>
    public static BinaryExpression Advance(ParameterExpression index, Expression step) => Expression.Assign(index, Expression.Add(index, step));
}
