using System.Linq.Expressions;

namespace Fusion.Kernels;

/// <summary>
/// A row kernel of the processor as expression trees: a loop over rows, in it a loop over the columns for each of the <see cref="RowPasses"/>. What there is one
/// of for a row is a register of equal elements.
/// </summary>
/// <remarks>
/// Reductions are those of <see cref="ReduceTree"/>: element i belongs to lane i mod 64, and a pass takes the 64 lanes in as many sweeps as it needs registers
/// for them. The bits are those of the operators one by one. A whole register is stored at the end of a row, over what comes behind it.
/// <para>
/// The table has the pointers of the operands for row 0, then the bytes from row to row of each, then the numbers of <see cref="RowTable"/>.
/// </para>
/// </remarks>
internal sealed partial class RowTree
{
    private const int Lanes = ReduceTree.Lanes;

    // Of so many rows at a time, two in turn have room in the first-level cache.
    private const int NearRows = 5;

    private readonly RowSpec _spec;
    private readonly RowPasses _passes;
    private readonly VectorMethods _vector;
    private readonly VectorTarget _target;
    private readonly ParameterExpression[] _rows;
    private readonly ParameterExpression[] _kept;
    private readonly TreeLane?[] _ofRow;
    private readonly ParameterExpression[] _lanes;
    private readonly ParameterExpression _columns = Expression.Variable(typeof(long), "n"), _full = Expression.Variable(typeof(long), "full");
    private readonly ParameterExpression _mask = Expression.Variable(typeof(nint), "mask");
    private readonly ParameterExpression?[] _ahead;
    private readonly List<Expression> _statements = [];
    private readonly bool _isNear;
    private int _names;

    private RowTree(RowSpec spec, RowPasses passes, int width)
    {
        (_spec, _passes, _vector) = (spec, passes, VectorMethods.For(width, spec.Is64));
        _target = new VectorTarget(_vector);
        _rows = [.. Enumerable.Range(0, spec.OperandCount).Select(static k => Expression.Variable(typeof(nint), "q" + k))];
        _ahead = new ParameterExpression?[spec.OperandCount];
        _kept = [.. passes.Kept.Select(static v => Expression.Variable(typeof(nint), "k" + v))];
        _lanes = [.. Enumerable.Range(0, passes.MostReductions).Select(static r => Expression.Variable(typeof(nint), "lanes" + r))];
        _ofRow = new TreeLane?[spec.ValueCount];
        _isNear = Enumerable.Range(0, spec.OperandCount).Count(spec.IsElements) + _kept.Length <= NearRows;
    }

    /// <summary>The whole method, for the parameters of an <see cref="ElementLoop"/>, whose elements are rows.</summary>
    public static List<Expression> Build(RowSpec spec, RowPasses passes, int width)
    {
        RowTree tree = new(spec, passes, width);
        tree.Write();
        return tree._statements;
    }

    private void Write()
    {
        int operands = _spec.OperandCount;
        ParameterExpression row = Expression.Variable(typeof(long), "row");
        ParameterExpression[] pointers = new ParameterExpression[operands], strides = new ParameterExpression[operands];
        for (int k = 0; k < operands; k++)
        {
            if (!IsRead(k)) continue;
            Assign(_statements, pointers[k] = Expression.Variable(typeof(nint), "p" + k), Entry(nameof(KernelMemory.Pointer), k));
            Assign(_statements, strides[k] = Expression.Variable(typeof(long), "s" + k), Entry(nameof(KernelMemory.Number), operands + k));
        }

        Assign(_statements, _columns, Entry(nameof(KernelMemory.Number), 2 * operands + RowTable.Columns));
        Assign(_statements, _full, Expression.And(_columns, Expression.Constant(~(Lanes - 1L))));
        Assign(_statements, _mask, Entry(nameof(KernelMemory.Pointer), 2 * operands + RowTable.Mask));
        for (int k = 0; k < operands; k++)
        {
            if (IsRead(k) && _passes.FirstPass(k) >= 0)
                Assign(_statements, _ahead[k] = Expression.Variable(typeof(long), "a" + k), Expression.And(strides[k], Entry(nameof(KernelMemory.Number), 2 * operands + RowTable.Ahead)));
        }

        ParameterExpression scratch = Expression.Variable(typeof(nint), "scratch"), keptBytes = Expression.Variable(typeof(long), "kept");
        Assign(_statements, scratch, Entry(nameof(KernelMemory.Pointer), 2 * operands + RowTable.Scratch));
        Assign(_statements, keptBytes, Entry(nameof(KernelMemory.Number), 2 * operands + RowTable.KeptBytes));
        for (int r = 0; r < _lanes.Length; r++) Assign(_statements, _lanes[r], Offset(scratch, Expression.Constant((long)r * Lanes * _vector.ElementSize)));
        for (int j = 0; j < _kept.Length; j++)
        {
            Expression distance = Expression.Add(Expression.Multiply(keptBytes, Expression.Constant((long)j)), Expression.Constant((long)_lanes.Length * Lanes * _vector.ElementSize));
            Assign(_statements, _kept[j], Offset(scratch, distance));
        }

        using TreeBuilder body = new TreeBuilder(_target, "r").Enter();
        WriteLength(2 * operands + RowTable.Length);
        for (int k = 0; k < operands; k++)
        {
            if (!IsRead(k)) continue;
            Assign(body.Statements, _rows[k], Offset(pointers[k], Expression.Multiply(row, strides[k])));
            if (k < _spec.Inputs.Length && _spec.Inputs[k].Kind == RowInputKind.PerRow)
                _ofRow[k] = new(body.Assign(Expression.Call(_vector.Memory(_spec.Inputs[k].IsMask ? "BroadcastMask" : "Broadcast"), _rows[k])));
        }

        for (int p = 0; p < _passes.Passes.Length; p++)
        {
            WriteOfRow(p);
            WritePass(body, p);
        }

        WriteOfRow(_passes.Passes.Length);
        for (int k = 0; k < _spec.Outputs.Length; k++)
        {
            if (_spec.Scope(_spec.Outputs[k]) == RowScope.Element) continue;
            body.Statements.Add(Expression.Call(_vector.Memory("StoreFirst"), TreeLane.Let(OfRow(_spec.Outputs[k])).Node, _rows[_spec.Inputs.Length + k]));
        }

        Loop(_statements, row, KernelTree.Start, KernelTree.End, 1, body.Statements);
    }

    // Values that nothing reads have no operand.
    private bool IsRead(int operand) => operand >= _spec.Inputs.Length || _passes.IsUsed(operand);

    // The length, as a number, is the same for all rows.
    private void WriteLength(int entry)
    {
        for (int v = _spec.Inputs.Length; v < _spec.ValueCount; v++)
        {
            if (!_passes.IsUsed(v) || _spec.Steps[v - _spec.Inputs.Length].Kind != RowStepKind.Length) continue;
            ParameterExpression length = Expression.Variable(_vector.Type, "length");
            Assign(_statements, length, Expression.Call(_vector.Memory("Broadcast"), Entry(nameof(KernelMemory.Pointer), entry)));
            _ofRow[v] = new(length);
        }
    }

    // The values of the row that are known once so many passes are done.
    private void WriteOfRow(int passes)
    {
        for (int v = _spec.Inputs.Length; v < _spec.ValueCount; v++)
        {
            RowStep step = _spec.Steps[v - _spec.Inputs.Length];
            if (!_passes.IsUsed(v) || step.Kind != RowStepKind.Element || _spec.Scope(v) == RowScope.Element || _spec.Depth(v) != passes) continue;
            TreeLane value = KernelBody.Apply(step.Element, OfRow);
            _ofRow[v] = _spec.Scope(v) == RowScope.Constant && step.Element.Op is null ? value : TreeLane.Let(value);
        }
    }

    private TreeLane OfRow(int value) => _ofRow[value]!.Value;

    private static void Loop(List<Expression> to, ParameterExpression index, Expression from, Expression until, long step, IEnumerable<Expression> body) =>
        to.AddRange(TreeLoop.For(index, from, until, Expression.Constant(step), body));

    private static void Assign(List<Expression> to, ParameterExpression variable, Expression value) => to.Add(Expression.Assign(variable, value));

    private static MethodCallExpression Entry(string method, int index) =>
        Expression.Call(typeof(KernelMemory).GetMethod(method)!, KernelTree.Table, Expression.Constant(index));

    private static MethodCallExpression Offset(Expression address, Expression bytes) =>
        Expression.Call(typeof(KernelMemory).GetMethod(nameof(KernelMemory.Offset))!, address, bytes);
}

/// <summary>What stands in the table of a row kernel after the operands' pointers and strides.</summary>
internal static class RowTable
{
    /// <summary>Elements of a row.</summary>
    public const int Columns = 0;

    /// <summary>Where they lie as a number of the kernel's type.</summary>
    public const int Length = 1;

    /// <summary>The end of a register of set bits, behind which lies one of clear bits.</summary>
    public const int Mask = 2;

    /// <summary>All bits if the next row is asked for while this one is computed, otherwise none.</summary>
    public const int Ahead = 3;

    /// <summary>Memory for the lanes of reductions, then for the values that are kept.</summary>
    public const int Scratch = 4;

    /// <summary>Bytes of a value that is kept.</summary>
    public const int KeptBytes = 5;

    public const int Count = 6;
}
