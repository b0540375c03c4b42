using System.Linq.Expressions;

namespace Fusion.Kernels;

/// <summary>What a <see cref="TreeLane"/> writes into: the target, the variables and the statements of a loop body under construction.</summary>
internal sealed class TreeBuilder(TreeTarget target, string prefix = "t") : IDisposable
{
    [ThreadStatic]
    private static TreeBuilder? s_current;

    private readonly Dictionary<Expression, ParameterExpression> _known = new(ExpressionEquality.Instance);
    private TreeBuilder? _outer;

    /// <summary>Writes on registers of the processor.</summary>
    public TreeBuilder(int width, bool is64, string prefix = "t")
        : this(new VectorTarget(VectorMethods.For(width, is64)), prefix)
    {
    }

    /// <summary>The builder of this thread, between <see cref="Enter"/> and <see cref="Dispose"/>.</summary>
    public static TreeBuilder Current => s_current ?? throw new InvalidOperationException("A TreeLane needs a current TreeBuilder.");

    public TreeTarget Target { get; } = target;

    public List<ParameterExpression> Variables { get; private init; } = [];

    public List<Expression> Statements { get; } = [];

    /// <summary>
    /// Every fused multiply-add is a statement: two bodies that are written in turn then take the steps of a polynomial in turn, and share its constants while they are at hand.
    /// </summary>
    public bool StepByStep { get; init; }

    /// <summary>
    /// A value that formulas name is computed once, however many of them name it: what they read must not change from one statement to the next.
    /// </summary>
    public bool SharesValues { get; init; }

    /// <summary>Operators written so far, constants and loads not counted.</summary>
    public int OperatorCount { get; set; }

    /// <summary>Makes this the builder of the thread until <see cref="Dispose"/>.</summary>
    public TreeBuilder Enter()
    {
        (_outer, s_current) = (s_current, this);
        return this;
    }

    public void Dispose() => (s_current, _outer) = (_outer, null);

    /// <summary>A builder of the statements of a branch: the variables are this one's.</summary>
    public TreeBuilder Branch(TreeTarget target) => new(target, prefix) { Variables = Variables, StepByStep = StepByStep };

    /// <summary>A variable that holds <paramref name="value"/>: a new one, unless values are shared and it is known.</summary>
    public ParameterExpression Let(Expression value)
    {
        if (!SharesValues) return Assign(value);
        if (_known.TryGetValue(value, out ParameterExpression? variable)) return variable;
        variable = Assign(value);
        _known.Add(value, variable);
        return variable;
    }

    /// <summary>A variable that holds <paramref name="value"/> from here on.</summary>
    public ParameterExpression Assign(Expression value)
    {
        ParameterExpression variable = Expression.Variable(value.Type, prefix + Variables.Count);
        Variables.Add(variable);
        Statements.Add(Expression.Assign(variable, value));
        return variable;
    }
}
