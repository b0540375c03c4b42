using System.Linq.Expressions;

namespace Fusion.Kernels;

/// <summary>
/// Trees of the same operations on the same variables: calls of static methods, operators, constants (the same bits) and variables. Others equal only themselves.
/// </summary>
internal sealed class ExpressionEquality : IEqualityComparer<Expression>
{
    public static readonly ExpressionEquality Instance = new();

    public bool Equals(Expression? x, Expression? y) => (x, y) switch
    {
        _ when ReferenceEquals(x, y) => true,
        (ConstantExpression a, ConstantExpression b) => a.Type == b.Type && Equals(Bits(a), Bits(b)),
        (UnaryExpression a, UnaryExpression b) => a.NodeType == b.NodeType && a.Type == b.Type && a.Method == b.Method && Equals(a.Operand, b.Operand),
        (BinaryExpression a, BinaryExpression b) => a.NodeType == b.NodeType && a.Method == b.Method && Equals(a.Left, b.Left) && Equals(a.Right, b.Right),
        (MethodCallExpression { Object: null } a, MethodCallExpression { Object: null } b) => a.Method == b.Method && a.Arguments.SequenceEqual(b.Arguments, this),
        _ => false,
    };

    public int GetHashCode(Expression node)
    {
        HashCode hash = default;
        hash.Add(node.NodeType);
        switch (node)
        {
            case ConstantExpression constant:
                hash.Add(Bits(constant));
                break;
            case UnaryExpression unary:
                hash.Add(GetHashCode(unary.Operand));
                break;
            case BinaryExpression binary:
                hash.Add(GetHashCode(binary.Left));
                hash.Add(GetHashCode(binary.Right));
                break;
            case MethodCallExpression { Object: null } call:
                hash.Add(call.Method);
                foreach (Expression argument in call.Arguments) hash.Add(GetHashCode(argument));
                break;
            default:
                hash.Add(System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(node));
                break;
        }

        return hash.ToHashCode();
    }

    // −0 is not 0.
    private static object? Bits(ConstantExpression constant) => constant.Value switch
    {
        float number => BitConverter.SingleToInt32Bits(number),
        double number => BitConverter.DoubleToInt64Bits(number),
        var other => other,
    };
}
