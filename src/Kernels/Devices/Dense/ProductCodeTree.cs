using System.Linq.Expressions;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>What the code on the elements of a product depends on.</summary>
/// <param name="Spec">The body.</param>
/// <param name="Accesses">Three bits an operand, the inputs first: its <see cref="ProductAccess"/>.</param>
/// <param name="Keeps">The product itself is written, too.</param>
/// <param name="Quads">Operands are aligned so that four elements can be moved at a time.</param>
internal readonly record struct ProductCodeKey(KernelSpec Spec, ulong Accesses, bool Keeps, bool Quads)
{
    /// <summary>The most operands, the product among the inputs: three bits each.</summary>
    public const int MaxOperands = 21;

    public ProductAccess Access(int operand) => (ProductAccess)((Accesses >> (3 * operand)) & 7);
}

/// <summary>
/// An element-wise kernel on the elements of a product as expression trees: the bodies of the two methods of <see cref="IProductCode{T}"/>, with the steps of
/// <see cref="DeviceElementTree"/> and hence its bits.
/// </summary>
internal sealed class ProductCodeTree
{
    // Longer code is not copied for every row of a thread's tile.
    private const int ShortOperators = 12;

    private readonly ProductCodeKey _key;
    private readonly KernelSpec _spec;
    private readonly DType _type;
    private readonly ScalarTarget _target;
    private readonly int[] _uses;
    private readonly ParameterExpression _operands = Expression.Parameter(typeof(ProductOperands), "operands");
    private readonly ParameterExpression _index = Expression.Parameter(typeof(int), "i");
    private readonly Type _quartet;

    private ProductCodeTree(ProductCodeKey key)
    {
        (_key, _spec, _uses) = (key, key.Spec, KernelBody.CountUses(key.Spec));
        _type = _spec.Is64 ? DType.Float64 : DType.Float32;
        _target = ScalarTarget.For(_type);
        _quartet = _spec.Is64 ? typeof(Quartet<double>) : typeof(Quartet<float>);
        (One, int operators) = WriteOne();
        Quad = WriteQuad();
        IsLong = operators > ShortOperators;
    }

    /// <summary>Parameters and statements for one element.</summary>
    public (ParameterExpression[] Parameters, List<Expression> Statements) One { get; }

    /// <summary>Parameters and statements for four.</summary>
    public (ParameterExpression[] Parameters, List<Expression> Statements) Quad { get; }

    public bool IsLong { get; }

    public static ProductCodeTree Build(ProductCodeKey key) => new(key);

    private bool HasRows => Enumerable.Range(0, _spec.Inputs.Length).Any(k => _key.Access(k) is ProductAccess.Mapped or ProductAccess.PerRow && _uses[k] > 0);

    private ((ParameterExpression[], List<Expression>), int) WriteOne()
    {
        ParameterExpression target = Expression.Parameter(DeviceTypes.View(_type), "target"), value = Expression.Parameter(DeviceTypes.Memory(_type), "value");
        using TreeBuilder builder = new TreeBuilder(_target).Enter();
        (Expression row, Expression column) = Place(builder, _index);
        TreeLane[] values = KernelBody.Write(_spec, _uses, k => new(_key.Access(k) switch
        {
            ProductAccess.Product => value,
            ProductAccess.Own => Load(k, _index),
            ProductAccess.One => Load(k, Expression.Constant(0)),
            ProductAccess.Host => Number(k),
            _ => Load(k, Mapped(k, row, column)),
        }));
        List<Expression> stores = [];
        if (_key.Keeps) stores.Add(DeviceTypes.Call(nameof(DeviceMemory.Store), _type, target, _index, value));
        for (int k = 0; k < _spec.Outputs.Length; k++)
        {
            int operand = _spec.Inputs.Length + k;
            Expression result = TreeLane.Let(values[_spec.Outputs[k]]).Node;
            stores.Add(IsMask(operand)
                ? DeviceTypes.Call(nameof(DeviceMemory.StoreMask), Field(operand, nameof(ProductOperand.View)), _index, result)
                : DeviceTypes.Call(nameof(DeviceMemory.Store), _type, View(operand), _index, result));
        }

        return (([_operands, target, _index, value], [.. builder.Statements, .. stores]), builder.OperatorCount);
    }

    private (ParameterExpression[], List<Expression>) WriteQuad()
    {
        Type view = _spec.Is64 ? typeof(ArrayView<Quartet<double>>) : typeof(ArrayView<Quartet<float>>);
        ParameterExpression target = Expression.Parameter(view, "target"), values = Expression.Parameter(_quartet, "values");
        List<Expression> body = [];
        ParameterExpression first = Expression.Variable(typeof(int), "first");
        body.Add(Expression.Assign(first, Expression.LeftShift(_index, Expression.Constant(2))));
        Expression row, column;
        using (TreeBuilder builder = new TreeBuilder(_target, "p").Enter())
        {
            (row, column) = Place(builder, first);
            body.AddRange(builder.Statements);
        }

        Func<int, Expression>?[] loads = new Func<int, Expression>?[_spec.Inputs.Length];
        for (int k = 0; k < loads.Length; k++)
            if (_uses[k] > 0) loads[k] = LoadQuad(k, first, values, row, column, body);
        Expression[,] results = new Expression[_spec.Outputs.Length, 4];
        for (int lane = 0; lane < 4; lane++)
        {
            int at = lane;
            using TreeBuilder builder = new TreeBuilder(_target, $"{"abcd"[lane]}").Enter();
            TreeLane[] computed = KernelBody.Write(_spec, _uses, k => new(loads[k]!(at)));
            for (int k = 0; k < _spec.Outputs.Length; k++) results[k, lane] = TreeLane.Let(computed[_spec.Outputs[k]]).Node;
            body.AddRange(builder.Statements);
        }

        if (_key.Keeps) body.Add(Expression.Call(DeviceTypes.Close(typeof(DeviceMemory).GetMethod(nameof(DeviceMemory.Store))!, _quartet), target, _index, values));
        for (int k = 0; k < _spec.Outputs.Length; k++) StoreQuad(k, first, results, body);
        return ([_operands, target, _index, values], body);
    }

    // What gives the tree of a lane.
    private Func<int, Expression> LoadQuad(
        int k, ParameterExpression first, ParameterExpression values, Expression row, Expression column, List<Expression> body)
    {
        switch (_key.Access(k))
        {
            case ProductAccess.Product:
                return lane => Expression.Field(values, _spec.Is64 ? typeof(Quartet<double>) : typeof(Quartet<float>), "XYZW"[lane].ToString());
            case ProductAccess.Host:
                return _ => Number(k);
            case ProductAccess.One:
                ParameterExpression one = Keep(Load(k, Expression.Constant(0)), "s" + k, body);
                return _ => one;
            case ProductAccess.PerRow:
                ParameterExpression own = Keep(Load(k, Mapped(k, row, column)), "r" + k, body);
                return _ => own;
            case ProductAccess.Own when !_key.Quads:
                return lane => Load(k, Expression.Add(first, Expression.Constant(lane)));
            case ProductAccess.Own when IsMask(k):
                ParameterExpression bytes = Keep(DeviceTypes.Call(nameof(DeviceMemory.LoadBytes), Field(k, nameof(ProductOperand.View)), _index), "x" + k, body);
                return lane => DeviceTypes.Call(nameof(DeviceMemory.MaskOf), bytes, Expression.Constant(lane));
            case ProductAccess.Own:
                ParameterExpression quad = Keep(DeviceTypes.Call(nameof(DeviceMemory.LoadQuad), _type, View(k), _index), "x" + k, body);
                return lane => DeviceTypes.Element(quad, _type, lane);
            default:
                ParameterExpression place = Keep(Mapped(k, row, column), "at" + k, body);
                return lane => Load(k, Expression.Add(place, Expression.Constant(lane)));
        }
    }

    private void StoreQuad(int k, ParameterExpression first, Expression[,] results, List<Expression> body)
    {
        int operand = _spec.Inputs.Length + k;
        Expression bytes = Field(operand, nameof(ProductOperand.View));
        if (_key.Quads)
        {
            Expression[] arguments = [IsMask(operand) ? bytes : View(operand), _index, results[k, 0], results[k, 1], results[k, 2], results[k, 3]];
            body.Add(IsMask(operand)
                ? DeviceTypes.Call(nameof(DeviceMemory.StoreMasks), arguments)
                : DeviceTypes.Call(nameof(DeviceMemory.StoreQuad), _type, arguments));
            return;
        }

        for (int lane = 0; lane < 4; lane++)
        {
            Expression at = Expression.Add(first, Expression.Constant(lane));
            body.Add(IsMask(operand)
                ? DeviceTypes.Call(nameof(DeviceMemory.StoreMask), bytes, at, results[k, lane])
                : DeviceTypes.Call(nameof(DeviceMemory.Store), _type, View(operand), at, results[k, lane]));
        }
    }

    private (Expression Row, Expression Column) Place(TreeBuilder builder, ParameterExpression index)
    {
        if (!HasRows) return (index, index);
        Expression[] arguments =
        [
            Expression.Field(_operands, typeof(ProductOperands), nameof(ProductOperands.Start)),
            Expression.Field(_operands, typeof(ProductOperands), nameof(ProductOperands.Columns)), index,
        ];
        return (builder.Assign(Memory(nameof(ProductMemory.Row), arguments)), builder.Assign(Memory(nameof(ProductMemory.Column), arguments)));
    }

    private MethodCallExpression Mapped(int k, Expression row, Expression column) => Memory(
        nameof(ProductMemory.Place), Field(k, nameof(ProductOperand.Width)), Field(k, nameof(ProductOperand.Divisor)), Field(k, nameof(ProductOperand.Period)), row, column);

    // The product has no place among the operands.
    private MemberExpression Field(int operand, string field)
    {
        int place = Enumerable.Range(0, operand).Count(k => _key.Access(k) != ProductAccess.Product);
        return Expression.Field(Expression.Field(_operands, typeof(ProductOperands), "O" + place), typeof(ProductOperand), field);
    }

    private MethodCallExpression Load(int k, Expression index) => IsMask(k)
        ? DeviceTypes.Call(nameof(DeviceMemory.LoadMask), Field(k, nameof(ProductOperand.View)), index)
        : DeviceTypes.Call(nameof(DeviceMemory.Load), _type, View(k), index);

    private Expression Number(int k) => IsMask(k)
        ? Memory(nameof(ProductMemory.IsSet), Field(k, nameof(ProductOperand.Single)))
        : Field(k, _spec.Is64 ? nameof(ProductOperand.Double) : nameof(ProductOperand.Single));

    private MethodCallExpression View(int operand) => Expression.Call(
        DeviceTypes.Close(typeof(ProductMemory).GetMethod(nameof(ProductMemory.View))!, DeviceTypes.Memory(_type)), Field(operand, nameof(ProductOperand.View)));

    private bool IsMask(int operand) =>
        operand < _spec.Inputs.Length ? _spec.Inputs[operand].IsMask : _spec.IsMask(_spec.Outputs[operand - _spec.Inputs.Length]);

    private static ParameterExpression Keep(Expression value, string name, List<Expression> body)
    {
        ParameterExpression variable = Expression.Variable(value.Type, name);
        body.Add(Expression.Assign(variable, value));
        return variable;
    }

    private static MethodCallExpression Memory(string method, params Expression[] arguments) => ScalarTarget.Call(typeof(ProductMemory), method, arguments);
}
