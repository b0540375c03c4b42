using System.Linq.Expressions;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.Intrinsics.X86;

namespace Fusion.Kernels;

/// <summary>
/// A kernel as expression trees: pointers and scalars read before the loop, then the statements of the loop's body, which computes one register
/// or several. Expression trees are not DAGs, so a value used more than once is a variable; a value used once stands where it is used.
/// </summary>
/// <remarks>
/// A body is a chain of dependent instructions, and the processor's window holds few chains, fewer where a core is shared: several registers
/// side by side, statement by statement, keep it busy (measured: up to twice as fast). Registers without elements are the last one that has some, computed
/// again to the same bits; all loads come before all stores, so that works in place too.
/// </remarks>
internal sealed class KernelTree
{
    /// <summary>Bodies of more operators than this compute two registers at a time.</summary>
    public const int PairedFrom = 28;

    /// <summary>With the 32 registers of 512 bits, bodies of more operators than the first and at most the second compute four at a time.</summary>
    private const int FourFrom = 10, FourTo = 71;

    /// <summary>Of two registers, a body of at most so many operators takes the steps of its formula in turn: see <see cref="TreeBuilder.StepByStep"/>.</summary>
    private const int StepByStepTo = 80;

    /// <summary>So many constants stay in registers throughout the loop; of more the JIT would keep some in memory and others of the body, too.</summary>
    private const int KeptConstants = 13;

    /// <summary>An operator of more operators than this is a formula with constants of its own.</summary>
    private const int FormulaFrom = 10;

    /// <summary>In a body of several registers a statement has at most so many operators, or they would not be interleaved.</summary>
    private const int StatementOperators = 8;

    private static readonly MethodInfo s_pointer = typeof(KernelMemory).GetMethod(nameof(KernelMemory.Pointer))!;

    private static readonly MethodInfo s_fence = ((Action)Sse.StoreFence).Method;

    private static readonly ParameterExpression s_target = Expression.Parameter(typeof(object));

    private readonly KernelSpec _spec;
    private readonly VectorMethods _vector;
    private readonly ParameterExpression[] _pointers;
    private readonly ParameterExpression?[] _scalars;
    private readonly int[] _uses;
    private readonly List<ParameterExpression> _variables = [];

    private readonly bool _streams;

    private KernelTree(KernelSpec spec, int width, bool streams)
    {
        _streams = streams;
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

    /// <summary>All registers of a turn have elements while <see cref="Index"/> is below it.</summary>
    public static ParameterExpression Last { get; } = Expression.Variable(typeof(long), "last");

    /// <summary>Elements that one turn of the loop computes.</summary>
    public int Step { get; private set; }

    /// <summary>How far <see cref="Last"/> is before the end.</summary>
    public int Overlap => Step - _vector.Count;

    /// <summary>
    /// Where constants stay in registers: assignments of the distances from the first register of a turn to the others. They stand before the loop, whose test comes last, and are
    /// repeated for what is left: of such a loop the JIT takes the constants out. Else empty; then the body begins with the places of the registers.
    /// </summary>
    public List<BinaryExpression> Distances { get; } = [];

    /// <summary>Constants stay in registers throughout the loop.</summary>
    public bool KeepsConstants => Distances.Count > 0;

    /// <summary>Assignments of the variables that live outside the loop.</summary>
    public List<BinaryExpression> Prologue { get; } = [];

    /// <summary>The statements of the loop body but for the advance of the index; every variable is assigned once, before its uses.</summary>
    public List<Expression> Body { get; } = [];

    /// <summary>Operators for one register.</summary>
    public int OperatorCount { get; private set; }

    /// <summary>The registers that a turn computes in the end: see <see cref="TieredLoop"/>.</summary>
    /// <param name="operators">Of the body.</param>
    /// <param name="width">Bits of a register.</param>
    public static int RegistersOf(int operators, int width) => width == 512 && operators is > FourFrom and <= FourTo ? 4 : operators > PairedFrom ? 2 : 1;

    /// <param name="spec">What is computed.</param>
    /// <param name="width">Bits of a register.</param>
    /// <param name="several">As many registers a turn as <see cref="RegistersOf"/> says, not one.</param>
    /// <param name="streams">Numbers are stored past the caches.</param>
    public static KernelTree Build(KernelSpec spec, int width, bool several = true, bool streams = false)
    {
        KernelTree tree = new(spec, width, streams);
        (TreeBuilder one, List<Expression> stores) = tree.Write(Index, "t", int.MaxValue, spec.Outputs.Length > 1, stepByStep: false);
        tree.OperatorCount = one.OperatorCount;
        int registers = several ? RegistersOf(one.OperatorCount, width) : 1;
        if (registers > 1)
        {
            bool keepsConstants = registers == 4 && tree.CountConstants([.. one.Statements, .. stores]) <= KeptConstants;
            tree.WriteSeveral(registers, keepsConstants, stepByStep: registers == 4 || (one.OperatorCount <= StepByStepTo && HasOneFormula(spec)));
            return tree;
        }

        tree.Step = tree._vector.Count;
        tree.Add(one.Statements, one.Variables);
        tree.Body.AddRange(stores);
        return tree;
    }

    /// <summary>The kernel's machine code.</summary>
    public ElementLoop Compile()
    {
        List<Expression> statements = [.. Prologue, Expression.Assign(Index, Start)], turn = [.. Body, TreeLoop.Advance(Index, Expression.Constant((long)Step))];
        if (KeepsConstants)
        {
            LabelTarget whole = Expression.Label();
            statements.Add(Expression.Assign(Last, Expression.Subtract(End, Expression.Constant((long)Overlap))));
            turn.Add(Expression.IfThenElse(Expression.LessThan(Index, Last), Expression.Empty(), Expression.Break(whole)));
            turn = [.. Distances, Expression.Loop(Expression.Block(turn), whole)];
        }

        statements.Add(TreeLoop.While(Expression.LessThan(Index, End), turn));

        // On the thread that made such stores, before it tells anybody that the results are there.
        if (_streams) statements.Add(Expression.Call(s_fence));
        return Compile(statements, _vector);
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

    // What stays in a register throughout the loop, if there is room.
    private int CountConstants(List<Expression> statements)
    {
        ConstantCounter counter = new(_vector);
        foreach (Expression statement in statements) counter.Visit(statement);
        return counter.Count + _scalars.Count(static s => s is not null);
    }

    // The statements of so many registers in turn; the bodies are the same but for the index.
    private void WriteSeveral(int registers, bool keepsConstants, bool stepByStep)
    {
        Step = registers * _vector.Count;
        List<TreeBuilder> bodies = [];
        List<Expression> stores = [];
        ParameterExpression index = Index;
        Expression distance = Expression.Constant(0L);
        for (int r = 0; r < registers; r++)
        {
            if (r > 0)
            {
                // A register without elements is the one before.
                ParameterExpression next = Expression.Variable(typeof(long), "i" + r);
                Expression far = Expression.Constant((long)(r * _vector.Count)), place = Expression.Add(Index, far), exists = Expression.LessThan(place, End);
                if (keepsConstants)
                {
                    ParameterExpression own = Expression.Variable(typeof(long), "d" + r);
                    Distances.Add(Expression.Assign(own, Expression.Condition(exists, far, distance)));
                    distance = own;
                    place = Expression.Add(Index, own);
                }
                else
                {
                    place = Expression.Condition(exists, place, index);
                }

                Add([Expression.Assign(next, place)], [next]);
                index = next;
            }

            (TreeBuilder body, List<Expression> its) = Write(index, "tuvw"[r].ToString(), StatementOperators, true, stepByStep);
            bodies.Add(body);
            stores.AddRange(its);
        }

        for (int k = 0; k < bodies[0].Statements.Count; k++) Add(bodies.Select(body => body.Statements[k]), []);
        foreach (TreeBuilder body in bodies) Add([], body.Variables);
        Body.AddRange(stores);
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
            string store = _spec.IsMask(value) ? "StoreMask" : _spec.Halves[k] is not null ? "StoreHalf" : _streams ? "Stream" : "Store";
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

    // Different constants in all elements of a register.
    private sealed class ConstantCounter(VectorMethods vector) : ExpressionVisitor
    {
        private readonly HashSet<Expression> _known = new(ExpressionEquality.Instance);

        public int Count => _known.Count;

        protected override Expression VisitMethodCall(MethodCallExpression node)
        {
            if (node.Arguments is not [ConstantExpression]) return base.VisitMethodCall(node);
            if (node.Method == vector.Create || node.Method == vector.CreateInteger) _known.Add(node);
            return node;
        }
    }
}
