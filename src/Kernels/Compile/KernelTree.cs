using System.Linq.Expressions;
using System.Reflection;
using System.Reflection.Emit;

namespace Fusion.Kernels;

/// <summary>
/// A kernel as expression trees: pointers and scalars read before the loop, then the statements of the loop's body, which computes one register
/// or two. Expression trees are not DAGs, so a value used more than once is a variable; a value used once stands where it is used.
/// </summary>
/// <remarks>
/// A long body is a long chain of dependent instructions, and the processor's window no longer reaches into the next iteration: two registers
/// side by side, statement by statement, keep it busy (measured: up to twice as fast from some 30 operators on). If the last register
/// has no partner, it is computed twice, to the same bits; all loads come before all stores, so that works in place too.
/// </remarks>
internal sealed class KernelTree
{
    /// <summary>Bodies of more operators than this compute two registers at a time.</summary>
    public const int PairedFrom = 28;

    /// <summary>A paired body of at most so many operators takes the steps of its formula in turn: see <see cref="TreeBuilder.StepByStep"/>.</summary>
    private const int StepByStepTo = 80;

    /// <summary>An operator of more operators than this is a formula with constants of its own.</summary>
    private const int FormulaFrom = 10;

    /// <summary>In a paired body a statement has at most so many operators, or the two registers would not be interleaved.</summary>
    private const int StatementOperators = 8;

    private static readonly MethodInfo s_pointer = typeof(KernelMemory).GetMethod(nameof(KernelMemory.Pointer))!;

    private static readonly ParameterExpression s_target = Expression.Parameter(typeof(object));

    private readonly KernelSpec _spec;
    private readonly VectorMethods _vector;
    private readonly ParameterExpression[] _pointers;
    private readonly ParameterExpression?[] _scalars;
    private readonly int[] _uses;
    private readonly List<ParameterExpression> _variables = [];

    private KernelTree(KernelSpec spec, int width)
    {
        (_spec, _vector, _uses) = (spec, VectorMethods.For(width, spec.Is64), KernelBody.CountUses(spec));
        _pointers = new ParameterExpression[spec.Inputs.Length + spec.Outputs.Length];
        _scalars = new ParameterExpression?[spec.Inputs.Length];
        for (int k = 0; k < _pointers.Length; k++)
            _pointers[k] = Outside("p" + k, Expression.Call(s_pointer, Table, Expression.Constant(k)));
        for (int k = 0; k < _scalars.Length; k++)
        {
            if (spec.Inputs[k].IsScalar && _uses[k] > 0)
                _scalars[k] = Outside("s" + k, Expression.Call(_vector.Memory("Broadcast" + (spec.Inputs[k].IsMask ? "Mask" : spec.Inputs[k].Half?.ToString())), _pointers[k]));
        }
    }

    public static ParameterExpression Table { get; } = Expression.Parameter(typeof(nint), "table");

    public static ParameterExpression Start { get; } = Expression.Parameter(typeof(long), "start");

    public static ParameterExpression End { get; } = Expression.Parameter(typeof(long), "end");

    /// <summary>The first element of the register.</summary>
    public static ParameterExpression Index { get; } = Expression.Variable(typeof(long), "i");

    /// <summary>The first element of the second register, or <see cref="Index"/> again if there is none.</summary>
    public static ParameterExpression PairIndex { get; } = Expression.Variable(typeof(long), "j");

    /// <summary>Elements that one turn of the loop computes.</summary>
    public int Step { get; private set; }

    /// <summary>Assignments of the variables that live outside the loop.</summary>
    public List<BinaryExpression> Prologue { get; } = [];

    /// <summary>The statements of the loop body but for the advance of the index; every variable is assigned once, before its uses.</summary>
    public List<Expression> Body { get; } = [];

    /// <summary>Operators for one register.</summary>
    public int OperatorCount { get; private set; }

    /// <param name="spec">What is computed.</param>
    /// <param name="width">Bits of a register.</param>
    /// <param name="paired">A long body computes two registers.</param>
    public static KernelTree Build(KernelSpec spec, int width, bool paired = true)
    {
        KernelTree tree = new(spec, width);
        (TreeBuilder one, List<Expression> stores) = tree.Write(Index, "t", int.MaxValue, spec.Outputs.Length > 1, stepByStep: false);
        tree.OperatorCount = one.OperatorCount;
        if (!paired || one.OperatorCount <= PairedFrom)
        {
            tree.Step = tree._vector.Count;
            tree.Add(one.Statements, one.Variables);
        }
        else
        {
            tree.Step = 2 * tree._vector.Count;
            stores = tree.Pair(one.OperatorCount <= StepByStepTo && HasOneFormula(spec));
        }
        tree.Body.AddRange(stores);
        return tree;
    }

    /// <summary>The kernel's machine code.</summary>
    public ElementLoop Compile()
    {
        LabelTarget done = Expression.Label();
        Expression advance = Expression.Assign(Index, Expression.Add(Index, Expression.Constant((long)Step)));
        Expression loop = Expression.Loop(Expression.IfThenElse(Expression.LessThan(Index, End), Expression.Block([.. Body, advance]), Expression.Break(done)), done);
        return Compile([.. Prologue, Expression.Assign(Index, Start), loop], _vector);
    }

    /// <summary>Statements on <see cref="Table"/>, <see cref="Start"/> and <see cref="End"/> as machine code.</summary>
    public static ElementLoop Compile(IEnumerable<Expression> statements, VectorMethods vector)
    {
        if (!KernelCompiler.IsAvailable) throw KernelCompiler.NotAvailable();
        DynamicMethod method = new("Kernel", typeof(void), [typeof(object), typeof(nint), typeof(long), typeof(long)], restrictedSkipVisibility: true) { InitLocals = false };
        new IlWriter(method.GetILGenerator(), [s_target, Table, Start, End], vector).Write(statements);

        // A delegate with a target calls without moving its arguments by one place.
        return method.CreateDelegate<ElementLoop>(s_target);
    }

    // Constants that two formulas share stay in registers from the one to the other, and steps in turn have none to spare.
    private static bool HasOneFormula(KernelSpec spec)
    {
        int formulas = 0;
        foreach (KernelStep step in spec.Steps)
        {
            if (step.Op is { Weight: > FormulaFrom }) formulas++;
        }

        return formulas == 1;
    }

    // Both registers' statements in turn; the two bodies are the same but for the index. Returns the stores.
    private List<Expression> Pair(bool stepByStep)
    {
        (TreeBuilder first, List<Expression> stores) = Write(Index, "t", StatementOperators, true, stepByStep);
        (TreeBuilder second, List<Expression> secondStores) = Write(PairIndex, "u", StatementOperators, true, stepByStep);
        Expression next = Expression.Add(Index, Expression.Constant((long)_vector.Count));
        Add([Expression.Assign(PairIndex, Expression.Condition(Expression.LessThan(next, End), next, Index))], [PairIndex]);
        for (int k = 0; k < first.Statements.Count; k++) Add([first.Statements[k], second.Statements[k]], []);
        Add([], [.. first.Variables, .. second.Variables]);
        return [.. stores, .. secondStores];
    }

    private void Add(IEnumerable<Expression> statements, IEnumerable<ParameterExpression> variables)
    {
        Body.AddRange(statements);
        _variables.AddRange(variables);
    }

    // One register from element `index` on: its statements in the builder, and its stores. With keepOutputs every output is a variable, so that
    // all loads come before the first store: an output may be the very memory of an input.
    private (TreeBuilder Builder, List<Expression> Stores) Write(ParameterExpression index, string prefix, int statementOperators, bool keepOutputs, bool stepByStep)
    {
        using TreeBuilder builder = new TreeBuilder(_vector.Width, _spec.Is64, prefix) { StepByStep = stepByStep, SharesValues = true }.Enter();
        TreeLane[] values = KernelBody.Write(_spec, _uses, input => Load(input, index), statementOperators);
        List<Expression> stores = [];
        for (int k = 0; k < _spec.Outputs.Length; k++)
        {
            int value = _spec.Outputs[k];
            TreeLane lane = _spec.Halves[k] switch
            {
                DType.Float16 => Formulas.ToFloat16(values[value]),
                DType.BFloat16 => Formulas.ToBFloat16(values[value]),
                _ => values[value],
            };
            if (keepOutputs) lane = TreeLane.Let(lane);
            string store = _spec.IsMask(value) ? "StoreMask" : _spec.Halves[k] is null ? "Store" : "StoreHalf";
            stores.Add(Expression.Call(_vector.Memory(store), lane.Node, _pointers[_spec.Inputs.Length + k], index));
        }
        return (builder, stores);
    }

    private TreeLane Load(int input, ParameterExpression index)
    {
        if (_scalars[input] is { } scalar) return new(scalar);
        KernelInput operand = _spec.Inputs[input];
        string load = operand.IsMask ? "LoadMask" : operand.Half is null ? "Load" : "LoadHalf";
        TreeLane lane = new(Expression.Call(_vector.Memory(load), _pointers[input], index));
        return operand.Half switch
        {
            DType.Float16 => Formulas.FromFloat16(lane),
            DType.BFloat16 => Formulas.FromBFloat16(lane),
            _ => lane,
        };
    }

    private ParameterExpression Outside(string name, Expression value)
    {
        ParameterExpression variable = Expression.Variable(value.Type, name);
        Prologue.Add(Expression.Assign(variable, value));
        return variable;
    }
}
