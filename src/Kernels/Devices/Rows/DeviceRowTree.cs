using System.Linq.Expressions;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>
/// A row kernel as expression trees. A team of threads works on a row: thread t has the lanes of <see cref="ReduceTree"/> from LanesPerThread·t on, and
/// takes their elements in order; the lanes are folded in shared memory in the order of the tree. A team that is a part of a warp folds the lanes of a short
/// row by shuffles instead: thread t has lanes t, t + team …, so that the first steps of the tree are its own. So reductions have the processor's bits, whatever the
/// grid. A long row is worked on by all teams of a group, a block of the tree each.
/// </summary>
/// <remarks>
/// Parameters: the rows, the length, then for each operand its array or number, followed if it is an array by its row stride and if its rows are mapped
/// by their divisor and period.
/// </remarks>
internal sealed partial class DeviceRowTree
{
    private readonly DeviceRowKey _key;
    private readonly RowSpec _spec;
    private readonly ScalarTarget _target;
    private readonly List<ParameterExpression> _parameters = [];
    private readonly ParameterExpression[] _operands;
    private readonly ParameterExpression?[] _rowStrides, _divisors, _periods;

    // Of the row at hand: where each operand's row starts, its labels, and the values that there is one of.
    private readonly ParameterExpression?[] _starts, _labels;
    private readonly TreeLane?[] _rowValues;
    private readonly ParameterExpression _rows = Parameter("rows"), _length = Parameter("length");
    private readonly ParameterExpression _row = Variable("row"), _end = Variable("end"), _team = Variable("team"), _thread = Variable("thread");
    private readonly List<ParameterExpression> _shared = [];
    private int _parts; // written so far, for names

    private DeviceRowTree(DeviceRowKey key)
    {
        (_key, _spec, _target) = (key, key.Spec, ScalarTarget.For(key.Spec.Type));
        int operands = _spec.OperandCount;
        (_operands, _rowStrides, _divisors) = (new ParameterExpression[operands], new ParameterExpression?[operands], new ParameterExpression?[operands]);
        (_periods, _starts, _labels) = (new ParameterExpression?[operands], new ParameterExpression?[operands], new ParameterExpression?[operands]);
        _rowValues = new TreeLane?[_spec.ValueCount];
        _parameters.AddRange([_rows, _length]);
        for (int k = 0; k < operands; k++) Declare(k);
    }

    public IReadOnlyList<ParameterExpression> Parameters => _parameters;

    public List<Expression> Statements { get; } = [];

    public static DeviceRowTree Build(DeviceRowKey key)
    {
        DeviceRowTree tree = new(key);
        tree.Write();
        return tree;
    }

    private void Declare(int k)
    {
        bool isInput = k < _spec.Inputs.Length;
        if (isInput && _spec.Inputs[k].Kind == RowInputKind.Number)
        {
            _operands[k] = _spec.Inputs[k].IsMask ? Expression.Parameter(typeof(int), "m" + k) : Expression.Parameter(_target.Element, "c" + k);
            _parameters.Add(_operands[k]);
            return;
        }

        Type type = _key.HasLongLabels(k) ? typeof(ArrayView<long>) : DeviceTypes.View(_spec.OperandType(k));
        _operands[k] = Expression.Parameter(type, "v" + k);
        _rowStrides[k] = Parameter("stride" + k);
        _parameters.AddRange([_operands[k], _rowStrides[k]!]);
        if (!_key.IsMapped(k)) return;
        (_divisors[k], _periods[k]) = (Parameter("divisor" + k), Parameter("period" + k));
        _parameters.AddRange([_divisors[k]!, _periods[k]!]);
    }

    private void Write()
    {
        for (int r = 0; r < _spec.MostReductions && _key.Shuffled == 0; r++)
        {
            // 64 lanes and 8 sums of them a team; the results of a long row's blocks.
            int size = (_key.Teams * (ReduceTree.Lanes + 8)) + (_key.Long ? DeviceRowKey.MaxBlocks : 0);
            _shared.Add(Expression.Variable(DeviceTypes.View(_spec.Type), "shared" + r));
            Assign(Statements, _shared[r], Expression.Call(
                DeviceTypes.Close(typeof(SharedMemory).GetMethod(nameof(SharedMemory.Allocate), [typeof(int)])!, _target.Element), Expression.Constant(size)));
        }

        ParameterExpression inGroup = Variable("inGroup");
        Assign(Statements, inGroup, RowCall(nameof(DeviceRowMemory.ThreadInGroup)));
        Assign(Statements, _team, Expression.RightShift(inGroup, Expression.Constant(int.Log2(_key.TeamSize))));
        Assign(Statements, _thread, Expression.And(inGroup, Expression.Constant(_key.TeamSize - 1)));

        // All teams of a group go through the same number of turns, since they meet at barriers.
        Expression rowsPerGroup = Expression.Constant(_key.Long ? 1 : _key.Teams);
        ParameterExpression first = Variable("first");
        using TreeBuilder body = new TreeBuilder(_target, "r").Enter();
        WriteRow(body, first);
        Statements.AddRange(TreeLoop.For(first, Expression.Multiply(RowCall(nameof(DeviceRowMemory.GroupIndex)), rowsPerGroup), _rows,
            Expression.Multiply(RowCall(nameof(DeviceRowMemory.Groups)), rowsPerGroup), body.Statements));
    }

    private void WriteRow(TreeBuilder body, ParameterExpression first)
    {
        List<Expression> to = body.Statements;
        ParameterExpression mine = _key.Long ? first : Variable("mine");
        if (!_key.Long) Assign(to, mine, Expression.Add(first, _team));
        // A team without a row reads the last one, and neither goes over its elements nor stores.
        Assign(to, _row, RowCall(nameof(DeviceRowMemory.Min), mine, Expression.Subtract(_rows, Expression.Constant(1))));
        Assign(to, _end, ScalarTarget.Call(nameof(DeviceMath.Select), Expression.LessThan(mine, _rows), _length, Expression.Constant(0)));
        for (int k = 0; k < _operands.Length; k++) ReadRow(to, k);
        WriteRowValues(0);
        KeepElements(body);
        for (int pass = 0; pass <= _spec.LastPass; pass++)
        {
            WritePass(body, pass);
            WriteRowValues(pass + 1);
        }

        List<Expression> stores = [];
        for (int k = 0; k < _spec.Outputs.Length; k++)
        {
            int operand = _spec.Inputs.Length + k, value = _spec.Outputs[k];
            if (!_spec.IsElements(operand)) stores.Add(Store(operand, _starts[operand]!, RowValue(value).Node));
        }

        if (stores.Count == 0) return;
        ParameterExpression lead = _key.Long ? Variable("lead") : _thread;
        if (_key.Long) Assign(to, lead, Expression.Or(_thread, _team));
        Expression isStoring = Expression.LessThan(lead, Expression.Constant(1));
        Expression store = Expression.IfThen(isStoring, Expression.Block(typeof(void), stores));
        to.Add(Expression.IfThen(Expression.LessThan(mine, _rows), store));
    }

    // Where the row is in an operand, and what there is one of.
    private void ReadRow(List<Expression> to, int k)
    {
        if (_rowStrides[k] is null) return;
        Expression row = _row;
        if (_key.IsMapped(k)) row = Expression.Modulo(Expression.Divide(_row, _divisors[k]!), _periods[k]!);
        _starts[k] = Variable("start" + k);
        Assign(to, _starts[k]!, Expression.Multiply(row, _rowStrides[k]!));
        if (k >= _spec.Inputs.Length || _spec.Inputs[k].Kind != RowInputKind.Label) return;
        _labels[k] = Variable("label" + k);
        Assign(to, _labels[k]!, ScalarTarget.Call(typeof(DeviceRowMemory), nameof(DeviceRowMemory.Label), _operands[k], _starts[k]!, _length));
    }

    // The values of a row that so many passes make known; inputs, with the first of them.
    private void WriteRowValues(int depth)
    {
        for (int v = 0; v < _spec.ValueCount; v++)
        {
            if (_rowValues[v] is not null || _spec.Scope(v) == RowScope.Element || _spec.Depth(v) != depth) continue;
            if (v < _spec.Inputs.Length)
            {
                if (_spec.Inputs[v].Kind == RowInputKind.PerRow) _rowValues[v] = TreeLane.Let(new(Load(v, _starts[v]!)));
                if (_spec.Inputs[v].Kind == RowInputKind.Number)
                    _rowValues[v] = new(_spec.Inputs[v].IsMask ? DeviceTypes.Call(nameof(DeviceMemory.IsSet), _operands[v]) : _operands[v]);
                continue;
            }

            RowStep step = _spec.Steps[v - _spec.Inputs.Length];
            _rowValues[v] = step.Kind switch
            {
                RowStepKind.Element => Apply(step.Element, RowValue),
                RowStepKind.Length => TreeLane.Let(new(Expression.Convert(_length, _target.Element))),
                RowStepKind.AtLabel => TreeLane.Let(new(ScalarTarget.Call(
                    typeof(DeviceRowMemory), nameof(DeviceRowMemory.AtLabel), _operands[step.Value], _starts[step.Value]!, _labels[step.Label]!))),
                _ => throw new InvalidOperationException("Reductions are written by their pass."),
            };
        }
    }

    private TreeLane RowValue(int value) => _rowValues[value] ?? throw new InvalidOperationException($"Value {value} is not known yet.");

    private static TreeLane Apply(KernelStep step, Func<int, TreeLane> argument) => TreeLane.Let(KernelBody.Apply(step, argument));

    private MethodCallExpression Load(int k, Expression index) => _spec.OperandType(k) == DType.Bool
        ? DeviceTypes.Call(nameof(DeviceMemory.LoadMask), _operands[k], index)
        : DeviceTypes.Call(nameof(DeviceMemory.Load), _spec.Type, _operands[k], index);

    private MethodCallExpression Store(int k, Expression index, Expression value) => _spec.OperandType(k) == DType.Bool
        ? DeviceTypes.Call(nameof(DeviceMemory.StoreMask), _operands[k], index, value)
        : DeviceTypes.Call(nameof(DeviceMemory.Store), _spec.Type, _operands[k], index, value);

    private static void Assign(List<Expression> to, ParameterExpression variable, Expression value) => to.Add(Expression.Assign(variable, value));

    private static MethodCallExpression RowCall(string method, params Expression[] arguments) => ScalarTarget.Call(typeof(DeviceRowMemory), method, arguments);

    private static ParameterExpression Parameter(string name) => Expression.Parameter(typeof(int), name);

    private static ParameterExpression Variable(string name) => Expression.Variable(typeof(int), name);
}
