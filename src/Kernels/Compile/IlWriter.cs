using System.Linq.Expressions;
using System.Reflection;
using System.Reflection.Emit;

namespace Fusion.Kernels;

/// <summary>
/// Writes trees as IL, plainly. It knows the nodes that kernels are made of and no others. Devices' compilers read IL, and neither delegates nor dynamic methods; kernels of
/// the processor are compiled from it in a third of the time that <c>LambdaExpression.Compile</c> takes, whose trees cannot load through a pointer except by a call.
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
                Choose(choice, Statement);
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
                Call(call);
                if (call.Type != typeof(void)) il.Emit(OpCodes.Pop);
                break;
            case DefaultExpression:
                break;
            default:
                throw Unknown(node);
        }
    }

    private void Choose(ConditionalExpression choice, Action<Expression> write)
    {
        Label otherwise = il.DefineLabel(), end = il.DefineLabel();
        Value(choice.Test);
        il.Emit(OpCodes.Brfalse, otherwise);
        write(choice.IfTrue);
        il.Emit(OpCodes.Br, end);
        il.MarkLabel(otherwise);
        write(choice.IfFalse);
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
                Call(call);
                break;
            case ConditionalExpression choice:
                Choose(choice, Value);
                break;
            case UnaryExpression { Method: { } method } unary:
                Value(unary.Operand);
                il.Emit(OpCodes.Call, method);
                break;
            case UnaryExpression { NodeType: ExpressionType.Convert, Method: null } conversion:
                Value(conversion.Operand);
                il.Emit(Conversion(conversion.Type));
                break;
            case BinaryExpression binary:
                Value(binary.Left);
                Value(binary.Right);
                if (binary.Method is { } called) il.Emit(OpCodes.Call, called);
                else il.Emit(Operation(binary.NodeType));
                break;
            default:
                throw Unknown(node);
        }
    }

    private void Call(MethodCallExpression call)
    {
        if (call.Method.DeclaringType == typeof(KernelMemory) && TryAccess(call)) return;
        foreach (Expression value in call.Arguments) Value(value);
        il.Emit(OpCodes.Call, call.Method);
    }

    // What reads or writes memory as it is, in place: to inline a method that does so takes the JIT as long as ten operators.
    private bool TryAccess(MethodCallExpression call)
    {
        switch (call.Method.Name.TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9'))
        {
            case nameof(KernelMemory.Pointer) when call.Arguments[1] is ConstantExpression { Value: int operand }:
                Value(call.Arguments[0]);
                il.Emit(OpCodes.Ldc_I4, operand * nint.Size);
                il.Emit(OpCodes.Add);
                il.Emit(OpCodes.Ldind_I);
                return true;
            case "Load":
                Address(call.Arguments[0], call.Arguments[1], call.Type);
                il.Emit(OpCodes.Unaligned, (byte)1);
                il.Emit(OpCodes.Ldobj, call.Type);
                return true;
            case "Store":
                Type type = call.Arguments[0].Type;
                Address(call.Arguments[1], call.Arguments[2], type);
                Value(call.Arguments[0]);
                il.Emit(OpCodes.Unaligned, (byte)1);
                il.Emit(OpCodes.Stobj, type);
                return true;
            default:
                return false;
        }
    }

    private void Address(Expression start, Expression index, Type register)
    {
        Value(start);
        Value(index);
        il.Emit(OpCodes.Conv_I);
        il.Emit(OpCodes.Ldc_I4, register.GenericTypeArguments[0] == typeof(double) ? sizeof(double) : sizeof(float));
        il.Emit(OpCodes.Mul);
        il.Emit(OpCodes.Add);
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
                throw new NotSupportedException($"A kernel has no constants of type {value.GetType()}.");
        }
    }

    private static OpCode Conversion(Type type) => type.Name switch
    {
        nameof(Single) => OpCodes.Conv_R4,
        nameof(Double) => OpCodes.Conv_R8,
        nameof(Int32) => OpCodes.Conv_I4,
        nameof(Int64) => OpCodes.Conv_I8,
        _ => throw new NotSupportedException($"A kernel does not convert to {type}."),
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
        _ => throw new NotSupportedException($"A kernel has no {type} nodes."),
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

    private static NotSupportedException Unknown(Expression node) => new($"A kernel has no {node.NodeType} nodes.");
}
