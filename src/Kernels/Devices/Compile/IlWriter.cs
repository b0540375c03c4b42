using System.Linq.Expressions;
using System.Reflection;
using System.Reflection.Emit;

namespace Fusion.Kernels;

/// <summary>
/// Writes a lambda's trees as IL, plainly: a device's compiler reads IL, and neither delegates nor dynamic methods. It knows the nodes that device
/// kernels are made of and no others.
/// </summary>
internal sealed class IlWriter(ILGenerator il, IReadOnlyList<ParameterExpression> parameters)
{
    private readonly Dictionary<ParameterExpression, LocalBuilder> _locals = [];
    private readonly Dictionary<LabelTarget, Label> _labels = [];

    /// <summary>The statements, and the return.</summary>
    public void Write(IEnumerable<Expression> statements)
    {
        foreach (Expression statement in statements) Statement(statement);
        il.Emit(OpCodes.Ret);
    }

    private void Statement(Expression node)
    {
        switch (node)
        {
            case BlockExpression block:
                foreach (Expression statement in block.Expressions) Statement(statement);
                break;
            case BinaryExpression { NodeType: ExpressionType.Assign, Left: ParameterExpression variable } assignment:
                Value(assignment.Right);
                il.Emit(OpCodes.Stloc, Local(variable));
                break;
            case ConditionalExpression choice:
                Choose(choice);
                break;
            case LoopExpression loop:
                Label top = il.DefineLabel();
                il.MarkLabel(top);
                Statement(loop.Body);
                il.Emit(OpCodes.Br, top);
                if (loop.BreakLabel is { } end) il.MarkLabel(Target(end));
                break;
            case GotoExpression jump:
                il.Emit(OpCodes.Br, Target(jump.Target));
                break;
            case MethodCallExpression call:
                Value(call);
                if (call.Type != typeof(void)) il.Emit(OpCodes.Pop);
                break;
            case DefaultExpression:
                break;
            default:
                throw Unknown(node);
        }
    }

    private void Choose(ConditionalExpression choice)
    {
        Label otherwise = il.DefineLabel(), end = il.DefineLabel();
        Value(choice.Test);
        il.Emit(OpCodes.Brfalse, otherwise);
        Statement(choice.IfTrue);
        il.Emit(OpCodes.Br, end);
        il.MarkLabel(otherwise);
        Statement(choice.IfFalse);
        il.MarkLabel(end);
    }

    private void Value(Expression node)
    {
        switch (node)
        {
            case ConstantExpression constant:
                Constant(constant.Value!);
                break;
            case ParameterExpression variable:
                int argument = IndexOf(variable);
                if (argument >= 0) il.Emit(OpCodes.Ldarg, (short)argument);
                else il.Emit(OpCodes.Ldloc, Local(variable));
                break;
            case MemberExpression { Expression: { } owner, Member: FieldInfo field }:
                Value(owner);
                il.Emit(OpCodes.Ldfld, field);
                break;
            case MethodCallExpression { Object: null } call:
                foreach (Expression value in call.Arguments) Value(value);
                il.Emit(OpCodes.Call, call.Method);
                break;
            case UnaryExpression { NodeType: ExpressionType.Convert, Method: null } conversion:
                Value(conversion.Operand);
                il.Emit(Conversion(conversion.Type));
                break;
            case BinaryExpression { Method: null } binary:
                Value(binary.Left);
                Value(binary.Right);
                il.Emit(Operation(binary.NodeType));
                break;
            default:
                throw Unknown(node);
        }
    }

    private void Constant(object value)
    {
        switch (value)
        {
            case float number:
                il.Emit(OpCodes.Ldc_R4, number);
                break;
            case double number:
                il.Emit(OpCodes.Ldc_R8, number);
                break;
            case int number:
                il.Emit(OpCodes.Ldc_I4, number);
                break;
            case long number:
                il.Emit(OpCodes.Ldc_I8, number);
                break;
            default:
                throw new NotSupportedException($"A device kernel has no constants of type {value.GetType()}.");
        }
    }

    private static OpCode Conversion(Type type) => type.Name switch
    {
        nameof(Single) => OpCodes.Conv_R4,
        nameof(Double) => OpCodes.Conv_R8,
        nameof(Int32) => OpCodes.Conv_I4,
        nameof(Int64) => OpCodes.Conv_I8,
        _ => throw new NotSupportedException($"A device kernel does not convert to {type}."),
    };

    private static OpCode Operation(ExpressionType type) => type switch
    {
        ExpressionType.Add => OpCodes.Add,
        ExpressionType.Subtract => OpCodes.Sub,
        ExpressionType.Multiply => OpCodes.Mul,
        ExpressionType.Divide => OpCodes.Div,
        ExpressionType.Modulo => OpCodes.Rem,
        ExpressionType.And => OpCodes.And,
        ExpressionType.Or => OpCodes.Or,
        ExpressionType.ExclusiveOr => OpCodes.Xor,
        ExpressionType.LeftShift => OpCodes.Shl,
        ExpressionType.RightShift => OpCodes.Shr,
        ExpressionType.LessThan => OpCodes.Clt,
        _ => throw new NotSupportedException($"A device kernel has no {type} nodes."),
    };

    private int IndexOf(ParameterExpression variable)
    {
        for (int i = 0; i < parameters.Count; i++)
        {
            if (parameters[i] == variable) return i;
        }

        return -1;
    }

    private LocalBuilder Local(ParameterExpression variable) =>
        _locals.TryGetValue(variable, out LocalBuilder? local) ? local : _locals[variable] = il.DeclareLocal(variable.Type);

    private Label Target(LabelTarget target) => _labels.TryGetValue(target, out Label label) ? label : _labels[target] = il.DefineLabel();

    private static NotSupportedException Unknown(Expression node) => new($"A device kernel has no {node.NodeType} nodes.");
}
