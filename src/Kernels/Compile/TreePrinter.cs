using System.Linq.Expressions;
using System.Text;

namespace Fusion.Kernels;

/// <summary>Prints the statements of a method as C#: the nodes that <see cref="IlWriter"/> knows.</summary>
internal sealed class TreePrinter
{
    private readonly StringBuilder _text = new();
    private readonly HashSet<ParameterExpression> _declared = [];

    /// <summary>The statements as a public static method.</summary>
    public static string Print(IReadOnlyList<ParameterExpression> parameters, IEnumerable<Expression> statements, string methodName)
    {
        TreePrinter printer = new();
        string list = string.Join(", ", parameters.Select(p => $"{KernelPrinter.TypeName(p.Type)} {p.Name}"));
        printer._text.AppendLine($"public static void {methodName}({list})").AppendLine("{");
        foreach (Expression statement in statements) printer.Statement(statement, 1);
        return printer._text.AppendLine("}").ToString();
    }

    private void Statement(Expression node, int depth)
    {
        switch (node)
        {
            case BlockExpression block:
                foreach (Expression statement in block.Expressions) Statement(statement, depth);
                break;
            case BinaryExpression { NodeType: ExpressionType.Assign, Left: ParameterExpression variable } assignment:
                string type = _declared.Add(variable) ? KernelPrinter.TypeName(variable.Type) + " " : "";
                Line($"{type}{variable.Name} = {KernelPrinter.Value(assignment.Right)};", depth);
                break;
            case ConditionalExpression choice:
                Branch($"if ({KernelPrinter.Value(choice.Test)})", choice.IfTrue, depth);
                if (choice.IfFalse is not DefaultExpression) Branch("else", choice.IfFalse, depth);
                break;
            case LoopExpression { Body: ConditionalExpression { IfFalse: GotoExpression } loop }:
                Branch($"while ({KernelPrinter.Value(loop.Test)})", loop.IfTrue, depth);
                break;
            case MethodCallExpression call:
                Line($"{KernelPrinter.Value(call)};", depth);
                break;
            default:
                throw new NotSupportedException($"A kernel has no {node.NodeType} nodes.");
        }
    }

    private void Branch(string head, Expression body, int depth)
    {
        Line(head, depth);
        Line("{", depth);
        Statement(body, depth + 1);
        Line("}", depth);
    }

    private void Line(string text, int depth) => _text.Append(' ', 4 * depth).AppendLine(text);
}
