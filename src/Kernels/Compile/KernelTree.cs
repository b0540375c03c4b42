using System.Linq.Expressions;

namespace Fusion.Kernels;

/// <summary>
/// A kernel as expression trees: pointers and scalars read before the loop, then the statements of one register's worth of elements.
/// Expression trees are not DAGs, so a value used more than once is a variable; a value used once stands where it is used.
/// </summary>
internal sealed class KernelTree
{
    private readonly KernelSpec _spec;
    private readonly TreeBuilder _builder;
    private readonly TreeLane[] _values;

    private KernelTree(KernelSpec spec, TreeBuilder builder) => (_spec, _builder, _values) = (spec, builder, new TreeLane[spec.ValueCount]);

    public static ParameterExpression Table { get; } = Expression.Parameter(typeof(nint), "table");

    public static ParameterExpression Start { get; } = Expression.Parameter(typeof(long), "start");

    public static ParameterExpression End { get; } = Expression.Parameter(typeof(long), "end");

    /// <summary>The first element of the register.</summary>
    public static ParameterExpression Index { get; } = Expression.Variable(typeof(long), "i");

    /// <summary>Elements in one register.</summary>
    public int Step => _builder.Vector.Count;

    /// <summary>Assignments of the variables that live outside the loop.</summary>
    public List<BinaryExpression> Prologue { get; } = [];

    /// <summary>The statements of the loop body but for the advance of the index; every variable is assigned once, before its uses.</summary>
    public IReadOnlyList<Expression> Body => _builder.Statements;

    /// <summary>Operators of the body, formulas expanded.</summary>
    public int OperatorCount => _builder.OperatorCount;

    public static KernelTree Build(KernelSpec spec, int width)
    {
        using TreeBuilder builder = new TreeBuilder(width, spec.Is64).Enter();
        KernelTree tree = new(spec, builder);
        tree.Write();
        return tree;
    }

    public Expression<ElementLoop> ToLambda()
    {
        LabelTarget done = Expression.Label();
        Expression advance = Expression.AddAssign(Index, Expression.Constant((long)Step));
        Expression loop = Expression.Loop(Expression.IfThenElse(Expression.LessThan(Index, End), Expression.Block([.. Body, advance]), Expression.Break(done)), done);
        IEnumerable<ParameterExpression> variables = [.. Prologue.Select(a => (ParameterExpression)a.Left), Index, .. _builder.Variables];
        return Expression.Lambda<ElementLoop>(Expression.Block(variables, [.. Prologue, Expression.Assign(Index, Start), loop]), Table, Start, End);
    }

    private void Write()
    {
        int[] uses = CountUses();
        ParameterExpression[] pointers = new ParameterExpression[_spec.Inputs.Length + _spec.Outputs.Length];
        for (int k = 0; k < pointers.Length; k++)
            pointers[k] = Outside("p" + k, Expression.Call(typeof(KernelMemory), nameof(KernelMemory.Pointer), null, Table, Expression.Constant(k)));

        for (int k = 0; k < _spec.Inputs.Length; k++)
        {
            if (uses[k] == 0) continue;
            KernelInput input = _spec.Inputs[k];
            if (input.IsScalar)
            {
                Expression value = Expression.Call(_builder.Vector.Memory(input.IsMask ? "BroadcastMask" : "Broadcast"), pointers[k]);
                _values[k] = new TreeLane(Outside("s" + k, value));
            }
            else
            {
                Keep(k, uses[k], new TreeLane(Expression.Call(_builder.Vector.Memory(input.IsMask ? "LoadMask" : "Load"), pointers[k], Index)));
            }
        }

        for (int k = 0; k < _spec.Steps.Length; k++)
        {
            int value = _spec.Inputs.Length + k;
            if (uses[value] > 0) Keep(value, uses[value], Apply(_spec.Steps[k]));
        }

        WriteOutputs(pointers.AsSpan(_spec.Inputs.Length));
    }

    private TreeLane Apply(KernelStep step)
    {
        if (step.Op is not { } op) return TreeLane.Const(step.Constant);
        Span<TreeLane> arguments = new TreeLane[op.Arity];
        for (int i = 0; i < arguments.Length; i++) arguments[i] = _values[step[i]];
        return op.Emit(arguments);
    }

    // An output may be the very memory of an input: all loads come before the first store, which holds for a single output anyway.
    private void WriteOutputs(ReadOnlySpan<ParameterExpression> pointers)
    {
        List<Expression> stores = [];
        for (int k = 0; k < pointers.Length; k++)
        {
            int value = _spec.Outputs[k];
            TreeLane lane = pointers.Length > 1 ? TreeLane.Let(_values[value]) : _values[value];
            stores.Add(Expression.Call(_builder.Vector.Memory(_spec.IsMask(value) ? "StoreMask" : "Store"), lane.Node, pointers[k], Index));
        }
        _builder.Statements.AddRange(stores);
    }

    private void Keep(int value, int uses, TreeLane lane) => _values[value] = uses > 1 ? TreeLane.Let(lane) : lane;

    private ParameterExpression Outside(string name, Expression value)
    {
        ParameterExpression variable = Expression.Variable(value.Type, name);
        Prologue.Add(Expression.Assign(variable, value));
        return variable;
    }

    // Uses by outputs and by steps that are themselves used.
    private int[] CountUses()
    {
        int[] uses = new int[_spec.ValueCount];
        foreach (int output in _spec.Outputs) uses[output]++;
        for (int k = _spec.Steps.Length - 1; k >= 0; k--)
        {
            KernelStep step = _spec.Steps[k];
            if (step.Op is null || uses[_spec.Inputs.Length + k] == 0) continue;
            for (int i = 0; i < step.Op.Arity; i++) uses[step[i]]++;
        }
        return uses;
    }
}
