using System.Linq.Expressions;
using System.Reflection;
using System.Reflection.Emit;

namespace Fusion.Kernels;

/// <summary>
/// Writes trees as IL, plainly. It knows the nodes that kernels are made of and no others. Devices' compilers read IL, and neither delegates nor dynamic methods; for kernels of
/// the processor it takes less time than <c>LambdaExpression.Compile</c>, whose trees cannot load through a pointer but by a call (see <see cref="RegisterAccess"/>).
/// </summary>
internal sealed class IlWriter
{
    private readonly ILGenerator _il;
    private readonly IReadOnlyList<ParameterExpression> _parameters;
    private readonly RegisterAccess? _access;
    private readonly Dictionary<ParameterExpression, LocalBuilder> _locals = [];
    private readonly Dictionary<LabelTarget, Label> _labels = [];

    /// <param name="il">Where it goes.</param>
    /// <param name="parameters">The method's.</param>
    /// <param name="vector">The registers of a kernel of the processor.</param>
    public IlWriter(ILGenerator il, IReadOnlyList<ParameterExpression> parameters, VectorMethods? vector = null)
    {
        (_il, _parameters) = (il, parameters);
        _access = vector is null ? null : new RegisterAccess(il, vector, Value);
    }

    /// <summary>The statements, and the return.</summary>
    public void Write(IEnumerable<Expression> statements)
    {
        foreach (Expression statement in statements) Statement(statement);
        _il.Emit(OpCodes.Ret);
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
                _il.Emit(OpCodes.Stloc, Local(variable));
                break;
            case ConditionalExpression choice:
                Choose(choice, Statement);
                break;
            case LoopExpression loop:
                Label top = _il.DefineLabel();
                _il.MarkLabel(top);
                Statement(loop.Body);
                _il.Emit(OpCodes.Br, top);
                if (loop.BreakLabel is { } end) _il.MarkLabel(Target(end));
                break;
            case GotoExpression jump:
                _il.Emit(OpCodes.Br, Target(jump.Target));
                break;
            case MethodCallExpression call:
                Call(call);
                if (call.Type != typeof(void)) _il.Emit(OpCodes.Pop);
                break;
            case DefaultExpression:
                break;
            default:
                throw Unknown(node);
        }
    }

    private void Choose(ConditionalExpression choice, Action<Expression> write)
    {
        Label otherwise = _il.DefineLabel(), end = _il.DefineLabel();
        Value(choice.Test);
        _il.Emit(OpCodes.Brfalse, otherwise);
        write(choice.IfTrue);
        _il.Emit(OpCodes.Br, end);
        _il.MarkLabel(otherwise);
        write(choice.IfFalse);
        _il.MarkLabel(end);
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
                if (argument >= 0) _il.Emit(OpCodes.Ldarg, (short)argument);
                else _il.Emit(OpCodes.Ldloc, Local(variable));
                break;
            case MemberExpression { Expression: { } owner, Member: FieldInfo field }:
                Value(owner);
                _il.Emit(OpCodes.Ldfld, field);
                break;
            case MethodCallExpression { Object: null } call:
                Call(call);
                break;
            case ConditionalExpression choice:
                Choose(choice, Value);
                break;
            case UnaryExpression { Method: { } method } unary:
                Value(unary.Operand);
                _il.Emit(OpCodes.Call, method);
                break;
            case UnaryExpression { NodeType: ExpressionType.Convert, Method: null } conversion:
                Value(conversion.Operand);
                _il.Emit(Conversion(conversion.Type));
                break;
            case BinaryExpression binary:
                Value(binary.Left);
                Value(binary.Right);
                if (binary.Method is { } called) _il.Emit(OpCodes.Call, called);
                else _il.Emit(Operation(binary.NodeType));
                break;
            default:
                throw Unknown(node);
        }
    }

    private void Call(MethodCallExpression call)
    {
        if (call.Method.DeclaringType == typeof(KernelMemory) && _access is not null && _access.TryWrite(call)) return;
        foreach (Expression value in call.Arguments) Value(value);
        _il.Emit(OpCodes.Call, call.Method);
    }

    private void Constant(object value)
    {
        switch (value)
        {
            case float number:
                _il.Emit(OpCodes.Ldc_R4, number);
                break;
            case double number:
                _il.Emit(OpCodes.Ldc_R8, number);
                break;
            case byte number:
                _il.Emit(OpCodes.Ldc_I4, (int)number);
                break;
            case int number:
                _il.Emit(OpCodes.Ldc_I4, number);
                break;
            case long number:
                _il.Emit(OpCodes.Ldc_I8, number);
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
        for (int i = 0; i < _parameters.Count; i++)
        {
            if (_parameters[i] == variable) return i;
        }

        return -1;
    }

    private LocalBuilder Local(ParameterExpression variable) =>
        _locals.TryGetValue(variable, out LocalBuilder? local) ? local : _locals[variable] = _il.DeclareLocal(variable.Type);

    private Label Target(LabelTarget target) => _labels.TryGetValue(target, out Label label) ? label : _labels[target] = _il.DefineLabel();

    private static NotSupportedException Unknown(Expression node) => new($"A kernel has no {node.NodeType} nodes.");
}
