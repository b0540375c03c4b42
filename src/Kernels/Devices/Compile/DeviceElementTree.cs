using System.Linq.Expressions;

namespace Fusion.Kernels;

/// <summary>
/// An element-wise kernel for devices as expression trees: a loop over the grid, whose body is that of the description. Parameters are the number of
/// elements, then for each operand its array or number, followed if it is strided by its first element and a stride an axis, innermost first; then for
/// each axis but the outermost its size and <see cref="DeviceDivisor"/>. A kernel over many tensors has the number of elements, the operands and the first
/// group of threads of each in turn: see <see cref="DeviceTensorChoice"/>.
/// </summary>
/// <remarks>
/// Four elements a thread are four bodies side by side, loads before and stores after them, and one more body for the elements left. Long bodies are
/// bound by arithmetic and stay alone.
/// </remarks>
internal sealed class DeviceElementTree
{
    /// <summary>Bodies of more operators compute one element at a time.</summary>
    private const int QuadsUpTo = 100;

    private readonly DeviceElementKey _key;
    private readonly KernelSpec _spec;
    private readonly ScalarTarget _target;
    private readonly int[] _uses;
    private readonly ParameterExpression[] _operands;
    private readonly ParameterExpression?[] _once;
    private readonly ParameterExpression[][] _strides;
    private readonly List<ParameterExpression> _axes = [];
    private readonly List<ParameterExpression> _parameters = [];
    private readonly ParameterExpression _count = Expression.Parameter(typeof(int), "n");
    private readonly DeviceTensorChoice? _choice;

    private DeviceElementTree(DeviceElementKey key)
    {
        (_key, _spec, _target, _uses) = (key, key.Spec, ScalarTarget.For(key.Type), KernelBody.CountUses(key.Spec));
        int operands = _spec.Inputs.Length + _spec.Outputs.Length;
        (_operands, _once, _strides) = (new ParameterExpression[operands], new ParameterExpression?[operands], new ParameterExpression[operands][]);
        _parameters.Add(_count);
        for (int k = 0; k < operands; k++) Declare(k);
        if (key.Tensors > 1)
        {
            // What was declared are variables then.
            _choice = new DeviceTensorChoice(_count, _operands, key.Tensors);
            _parameters = [.. _choice.Parameters];
            Statements.AddRange(_choice.Statements);
            return;
        }

        if (_strides.All(s => s is null)) return;
        for (int d = 0; d < key.Rank - 1; d++)
        {
            foreach (string name in new[] { "size", "multiplier", "shift" }) _axes.Add(Expression.Parameter(typeof(int), name + d));
        }

        _parameters.AddRange(_axes);
    }

    /// <summary>Parameters of the method.</summary>
    public IReadOnlyList<ParameterExpression> Parameters => _parameters;

    public List<Expression> Statements { get; } = [];

    /// <summary>Elements that a thread computes in one turn: 1 or 4.</summary>
    public int PerThread { get; private set; } = 1;

    public static DeviceElementTree Build(DeviceElementKey key)
    {
        DeviceElementTree tree = new(key);
        tree.ReadOnce();
        ParameterExpression index = Expression.Variable(typeof(int), "i");
        List<Expression> single = tree.One(index, out int operators);
        if (key.Quads && operators <= QuadsUpTo)
        {
            tree.PerThread = 4;
            tree.WriteQuads(index, single);
        }
        else
        {
            tree.Assign(index, tree.Thread);
            tree.Loop(index, DeviceTypes.Call(nameof(DeviceMemory.IsBelow), index, tree._count), single);
        }

        return tree;
    }

    private Expression Thread => _choice?.Thread ?? (Expression)DeviceTypes.Call(nameof(DeviceMemory.Thread));

    private Expression Threads => _choice?.Threads ?? (Expression)DeviceTypes.Call(nameof(DeviceMemory.Threads));

    private bool IsMask(int operand) =>
        operand < _spec.Inputs.Length ? _spec.Inputs[operand].IsMask : _spec.IsMask(_spec.Outputs[operand - _spec.Inputs.Length]);

    private DType TypeOf(int operand) => IsMask(operand) ? DType.Bool : _key.Type;

    private void Declare(int k)
    {
        bool isHost = _key.Access(k) == DeviceAccess.Host;
        Type type = !isHost ? DeviceTypes.View(TypeOf(k)) : IsMask(k) ? typeof(int) : _target.Element;
        _operands[k] = Expression.Parameter(type, (!isHost ? "v" : IsMask(k) ? "m" : "c") + k);
        _parameters.Add(_operands[k]);
        if (_key.Access(k) != DeviceAccess.Strided) return;
        IEnumerable<string> names = [$"first{k}", .. Enumerable.Range(0, _key.Rank).Select(d => $"stride{k}_{d}")];
        _strides[k] = [.. names.Select(name => Expression.Parameter(typeof(int), name))];
        _parameters.AddRange(_strides[k]);
    }

    // What does not change from element to element.
    private void ReadOnce()
    {
        for (int k = 0; k < _spec.Inputs.Length; k++)
        {
            if (_uses[k] == 0 || _key.Access(k) is not (DeviceAccess.One or DeviceAccess.Host)) continue;
            bool isHost = _key.Access(k) == DeviceAccess.Host;
            Expression value = isHost ? IsMask(k) ? DeviceTypes.Call(nameof(DeviceMemory.IsSet), _operands[k]) : _operands[k] : Load(k, Expression.Constant(0));
            _once[k] = Expression.Variable(value.Type, "s" + k);
            Assign(_once[k]!, value);
        }
    }

    // One element.
    private List<Expression> One(ParameterExpression index, out int operators)
    {
        using TreeBuilder builder = new TreeBuilder(_target).Enter();
        Expression[] indices = Indices(builder, index);
        TreeLane[] values = KernelBody.Write(_spec, _uses, k => new(_once[k] ?? (Expression)Load(k, indices[k])));
        List<Expression> stores = [];
        for (int k = 0; k < _spec.Outputs.Length; k++)
        {
            int operand = _spec.Inputs.Length + k;
            stores.Add(Store(operand, indices[operand], TreeLane.Let(values[_spec.Outputs[k]]).Node));
        }

        operators = builder.OperatorCount;
        return [.. builder.Statements, .. stores];
    }

    // Where each operand's element is.
    private Expression[] Indices(TreeBuilder builder, ParameterExpression index)
    {
        Expression[] indices = new Expression[_operands.Length];
        Array.Fill(indices, index);
        if (_strides.All(s => s is null)) return indices;
        ParameterExpression[] axes = new ParameterExpression[_key.Rank];
        ParameterExpression rest = index;
        for (int d = 0; d < _key.Rank - 1; d++)
        {
            (ParameterExpression size, ParameterExpression multiplier, ParameterExpression shift) = (_axes[3 * d], _axes[(3 * d) + 1], _axes[(3 * d) + 2]);
            ParameterExpression quotient = builder.Assign(DeviceTypes.Call(nameof(DeviceMemory.Quotient), rest, multiplier, shift));
            axes[d] = builder.Assign(Expression.Subtract(rest, Expression.Multiply(quotient, size)));
            rest = quotient;
        }

        axes[_key.Rank - 1] = rest;
        for (int k = 0; k < indices.Length; k++)
        {
            if (_strides[k] is not { } strides) continue;
            Expression place = strides[0];
            for (int d = 0; d < axes.Length; d++) place = Expression.Add(place, Expression.Multiply(axes[d], strides[d + 1]));
            indices[k] = builder.Assign(place);
        }

        return indices;
    }

    private void WriteQuads(ParameterExpression index, List<Expression> single)
    {
        ParameterExpression quad = Expression.Variable(typeof(int), "q"), quads = Expression.Variable(typeof(int), "quads");
        Assign(quads, Expression.RightShift(_count, Expression.Constant(2)));
        Assign(quad, Thread);
        Assign(index, Expression.Add(Expression.LeftShift(quads, Expression.Constant(2)), quad));
        List<Expression> body = [];
        ParameterExpression?[] loaded = new ParameterExpression?[_spec.Inputs.Length];
        for (int k = 0; k < loaded.Length; k++)
        {
            if (_uses[k] == 0 || _once[k] is not null) continue;
            Expression load = IsByte(k)
                ? DeviceTypes.Call(nameof(DeviceMemory.LoadBytes), _operands[k], quad)
                : DeviceTypes.Call(nameof(DeviceMemory.LoadQuad), _key.Type, _operands[k], quad);
            loaded[k] = Expression.Variable(load.Type, "x" + k);
            body.Add(Expression.Assign(loaded[k]!, load));
        }

        Expression[,] results = new Expression[_spec.Outputs.Length, 4];
        for (int lane = 0; lane < 4; lane++) Lane(lane, loaded, body, results);
        for (int k = 0; k < _spec.Outputs.Length; k++)
        {
            int operand = _spec.Inputs.Length + k;
            Expression[] arguments = [_operands[operand], quad, results[k, 0], results[k, 1], results[k, 2], results[k, 3]];
            body.Add(IsMask(operand) ? DeviceTypes.Call(nameof(DeviceMemory.StoreMasks), arguments)
                : IsByte(operand) ? DeviceTypes.Call(nameof(DeviceMemory.StoreBytes), arguments)
                : DeviceTypes.Call(nameof(DeviceMemory.StoreQuad), _key.Type, arguments));
        }

        Loop(quad, Expression.LessThan(quad, quads), body);
        Statements.Add(Expression.IfThen(Expression.LessThan(index, _count), Expression.Block(typeof(void), single)));
    }

    private void Lane(int lane, ParameterExpression?[] loaded, List<Expression> body, Expression[,] results)
    {
        using TreeBuilder builder = new TreeBuilder(_target, $"{"abcd"[lane]}").Enter();
        TreeLane[] values = KernelBody.Write(_spec, _uses, k => new(_once[k] ?? Element(k, loaded[k]!, lane)));
        for (int k = 0; k < _spec.Outputs.Length; k++) results[k, lane] = TreeLane.Let(values[_spec.Outputs[k]]).Node;
        body.AddRange(builder.Statements);
    }

    private Expression Element(int operand, ParameterExpression loaded, int lane) =>
        IsMask(operand) ? DeviceTypes.Call(nameof(DeviceMemory.MaskOf), loaded, Expression.Constant(lane))
        : IsByte(operand) ? DeviceTypes.Call(nameof(DeviceMemory.ByteOf), loaded, Expression.Constant(lane))
        : DeviceTypes.Element(loaded, _key.Type, lane);

    private bool IsByte(int operand) => TypeOf(operand).Size == 1;

    private MethodCallExpression Load(int k, Expression index) =>
        IsMask(k) ? DeviceTypes.Call(nameof(DeviceMemory.LoadMask), _operands[k], index)
        : IsByte(k) ? DeviceTypes.Call(nameof(DeviceMemory.LoadByte), _operands[k], index)
        : DeviceTypes.Call(nameof(DeviceMemory.Load), _key.Type, _operands[k], index);

    private MethodCallExpression Store(int k, Expression index, Expression value) =>
        IsMask(k) ? DeviceTypes.Call(nameof(DeviceMemory.StoreMask), _operands[k], index, value)
        : IsByte(k) ? DeviceTypes.Call(nameof(DeviceMemory.StoreByte), _operands[k], index, value)
        : DeviceTypes.Call(nameof(DeviceMemory.Store), _key.Type, _operands[k], index, value);

    private void Assign(ParameterExpression variable, Expression value) => Statements.Add(Expression.Assign(variable, value));

    private void Loop(ParameterExpression index, Expression goOn, List<Expression> body)
    {
        ParameterExpression threads = Expression.Variable(typeof(int), "threads");
        Assign(threads, Threads);
        Statements.Add(TreeLoop.While(goOn, [.. body, TreeLoop.Advance(index, threads)]));
    }
}
