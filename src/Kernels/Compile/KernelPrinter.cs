using System.Globalization;
using System.Linq.Expressions;
using System.Text;

namespace Fusion.Kernels;

/// <summary>
/// Prints a kernel as C#. It knows the nodes that <see cref="KernelTree"/> and <see cref="TreeLane"/> write and no others. FastExpressionCompiler's
/// printer is general, but loses −0 and writes <c>(float)NaN</c>.
/// </summary>
internal static class KernelPrinter
{
    /// <summary>The namespaces that printed kernels need.</summary>
    public const string Usings = """
        using System;
        using System.Runtime.Intrinsics;
        using System.Runtime.Intrinsics.Arm;
        using System.Runtime.Intrinsics.X86;
        using Fusion.Kernels;

        """;

    public static string Print(KernelTree tree, string methodName)
    {
        StringBuilder text = new();
        text.AppendLine($"public static void {methodName}(nint table, long start, long end)").AppendLine("{");
        foreach (BinaryExpression assignment in tree.Prologue) text.AppendLine($"    {Statement(assignment)}");
        void Line(int depth, string line) => text.Append(' ', 4 * depth).AppendLine(line);
        int depth = tree.KeepsConstants ? 3 : 2;
        Line(1, tree.KeepsConstants ? $"for (long i = start, last = end - {tree.Overlap}; i < end;)" : $"for (long i = start; i < end; i += {tree.Step})");
        Line(1, "{");
        if (tree.KeepsConstants)
        {
            foreach (BinaryExpression distance in tree.Distances) Line(2, Statement(distance));
            Line(2, "do");
            Line(2, "{");
        }

        foreach (Expression statement in tree.Body) Line(depth, Statement(statement));
        if (tree.KeepsConstants)
        {
            Line(3, $"i += {tree.Step};");
            Line(2, "}");
            Line(2, "while (i < last);");
        }

        return text.AppendLine("    }").AppendLine("}").ToString();
    }

    private static string Statement(Expression node) => node is BinaryExpression { NodeType: ExpressionType.Assign } assignment
        ? $"{TypeName(assignment.Left.Type)} {Value(assignment.Left)} = {Value(assignment.Right)};"
        : $"{Value(node)};";

    /// <summary>An expression.</summary>
    internal static string Value(Expression node) => node switch
    {
        ParameterExpression parameter => parameter.Name!,
        ConstantExpression constant => Literal(constant.Value!),
        UnaryExpression { NodeType: ExpressionType.OnesComplement } unary => $"~{Operand(unary.Operand)}",
        UnaryExpression { NodeType: ExpressionType.Convert } conversion => $"({TypeName(conversion.Type)}){Operand(conversion.Operand)}",
        MemberExpression { Expression: { } owner } field => $"{Operand(owner)}.{field.Member.Name}",
        BinaryExpression binary => $"{Operand(binary.Left)} {Symbol(binary.NodeType)} {Operand(binary.Right)}",
        MethodCallExpression call => Call(call),
        ConditionalExpression choice => $"{Value(choice.Test)} ? {Value(choice.IfTrue)} : {Value(choice.IfFalse)}",
        _ => throw new NotSupportedException($"A kernel has no {node.NodeType} nodes."),
    };

    private static string Operand(Expression node) =>
        node is BinaryExpression or UnaryExpression or MethodCallExpression { Method.Name: "op_UnsignedRightShift" } ? $"({Value(node)})" : Value(node);

    private static string Symbol(ExpressionType type) => type switch
    {
        ExpressionType.Add => "+",
        ExpressionType.Subtract => "-",
        ExpressionType.Multiply => "*",
        ExpressionType.Divide => "/",
        ExpressionType.Modulo => "%",
        ExpressionType.And => "&",
        ExpressionType.Or => "|",
        ExpressionType.ExclusiveOr => "^",
        ExpressionType.LessThan => "<",
        ExpressionType.LeftShift => "<<",
        ExpressionType.RightShift => ">>",
        _ => throw new NotSupportedException($"A kernel has no {type} nodes."),
    };

    private static string Call(MethodCallExpression call)
    {
        if (call.Method.Name == "op_UnsignedRightShift") return $"{Operand(call.Arguments[0])} >>> {Value(call.Arguments[1])}";
        if (call.Method.Name.StartsWith("As", StringComparison.Ordinal)) return $"{Operand(call.Arguments[0])}.{call.Method.Name}()";
        // The type argument follows from a register among the arguments, if there is one.
        bool inferred = !call.Method.IsGenericMethod || call.Method.DeclaringType == typeof(DeviceMemory) || call.Arguments[0].Type.IsGenericType;
        string typeArgument = inferred ? "" : $"<{TypeName(call.Method.GetGenericArguments()[0])}>";
        return $"{TypeName(call.Method.DeclaringType!)}.{call.Method.Name}{typeArgument}({string.Join(", ", call.Arguments.Select(Value))})";
    }

    /// <summary>The name of a type of C#.</summary>
    internal static string TypeName(Type type)
    {
        if (type == typeof(float)) return "float";
        if (type == typeof(double)) return "double";
        if (type == typeof(int)) return "int";
        if (type == typeof(long)) return "long";
        if (type == typeof(nint)) return "nint";
        if (type.IsGenericType) return $"{type.Name[..type.Name.IndexOf('`')]}<{TypeName(type.GetGenericArguments()[0])}>";
        return type.IsNested ? $"{TypeName(type.DeclaringType!)}.{type.Name}" : type.Name;
    }

    private static string Literal(object value) => value switch
    {
        float f when float.IsNaN(f) => $"BitConverter.UInt32BitsToSingle(0x{BitConverter.SingleToUInt32Bits(f):X8})",
        float.PositiveInfinity => "float.PositiveInfinity",
        float.NegativeInfinity => "float.NegativeInfinity",
        float f => f.ToString("R", CultureInfo.InvariantCulture) + "f",
        double d when double.IsNaN(d) => $"BitConverter.UInt64BitsToDouble(0x{BitConverter.DoubleToUInt64Bits(d):X16})",
        double.PositiveInfinity => "double.PositiveInfinity",
        double.NegativeInfinity => "double.NegativeInfinity",
        double d => d.ToString("R", CultureInfo.InvariantCulture) + "d",
        long n => n.ToString(CultureInfo.InvariantCulture) + "L",
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new NotSupportedException($"A kernel has no constants of type {value.GetType()}."),
    };
}
