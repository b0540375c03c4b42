using System.Linq.Expressions;

namespace Fusion.Kernels;

// One pass over the elements of a row: what is reduced, and in the last pass what is stored.
internal sealed partial class DeviceRowTree
{
    private const string LaneNames = "abcd";

    private static readonly int s_blockShift = int.Log2(ReduceTree.Block);

    private void WritePass(TreeBuilder body, int pass)
    {
        int[] reductions = [.. _spec.Reductions(pass)];
        bool stores = pass == _spec.LastPass && _spec.Outputs.ToArray().Any(v => _spec.Scope(v) == RowScope.Element);
        if (reductions.Length == 0 && !stores) return;
        List<Expression> to = body.Statements;
        int[] uses = Uses(reductions, stores);
        if (!_key.Long)
        {
            ParameterExpression[][] sums = Sums(to, reductions, $"p{pass}");
            WriteElements(to, reductions, sums, uses, stores, Expression.Constant(0), _end);
            Fold(body, reductions, sums);
            return;
        }

        // Blocks in turn, one a team; then their results, by every team alike.
        ParameterExpression blocks = Variable($"blocks{pass}"), turn = Variable($"turn{pass}"), block = Variable($"block{pass}");
        ParameterExpression from = Variable($"from{pass}"), until = Variable($"until{pass}");
        Assign(to, blocks, Expression.RightShift(Expression.Add(_length, Expression.Constant(ReduceTree.Block - 1)), Expression.Constant(s_blockShift)));
        using (TreeBuilder inner = new TreeBuilder(_target, $"l{pass}_").Enter())
        {
            List<Expression> each = inner.Statements;
            Assign(each, block, Expression.Add(turn, _team));
            Assign(each, from, Expression.LeftShift(block, Expression.Constant(s_blockShift)));
            Assign(each, until, RowCall(nameof(DeviceRowMemory.Min), _end, Expression.Add(from, Expression.Constant(ReduceTree.Block))));
            ParameterExpression[][] sums = Sums(each, reductions, $"p{pass}");
            WriteElements(each, reductions, sums, uses, stores, from, until);
            Fold(inner, reductions, sums);
            for (int r = 0; r < reductions.Length; r++)
            {
                Expression store = SharedStore(r, Expression.Add(Expression.Constant(Partials), block), RowValue(reductions[r]).Node);
                Expression isFirst = Expression.IfThen(Expression.LessThan(_thread, Expression.Constant(1)), store);
                each.Add(Expression.IfThen(Expression.LessThan(block, blocks), isFirst));
            }

            Loop(to, turn, Expression.Constant(0), blocks, Expression.Constant(_key.Teams), each);
        }

        if (reductions.Length == 0) return;
        to.Add(RowCall(nameof(DeviceRowMemory.Barrier)));
        ParameterExpression[][] totals = Sums(to, reductions, $"q{pass}");
        for (int j = 0; j < _key.LanesPerThread; j++)
        {
            ParameterExpression index = Variable($"k{pass}{LaneNames[j]}");
            using TreeBuilder inner = new TreeBuilder(_target, $"m{pass}{LaneNames[j]}").Enter();
            for (int r = 0; r < reductions.Length; r++)
            {
                TreeLane partial = new(SharedLoad(r, Expression.Add(Expression.Constant(Partials), index)));
                Assign(inner.Statements, totals[r][j], Kind(reductions[r]).Combine(new(totals[r][j]), partial).Node);
            }

            Loop(to, index, FirstElement(j), blocks, Expression.Constant(ReduceTree.Lanes), inner.Statements);
        }

        Fold(body, reductions, totals);
    }

    // Where the results of a long row's blocks lie in shared memory: after the teams' lanes.
    private int Partials => _key.Teams * (ReduceTree.Lanes + 8);

    private RowReduction Kind(int value) => _spec.Steps[value - _spec.Inputs.Length].Reduction;

    // Variables for the lanes of this thread.
    private ParameterExpression[][] Sums(List<Expression> to, int[] reductions, string name)
    {
        ParameterExpression[][] sums = new ParameterExpression[reductions.Length][];
        for (int r = 0; r < sums.Length; r++)
        {
            sums[r] = new ParameterExpression[_key.LanesPerThread];
            for (int j = 0; j < sums[r].Length; j++)
            {
                sums[r][j] = Expression.Variable(_target.Element, $"{name}sum{r}{LaneNames[j]}");
                Assign(to, sums[r][j], TreeLane.Const(Kind(reductions[r]).Identity()).Node);
            }
        }

        return sums;
    }

    // How often the pass uses each value of an element.
    private int[] Uses(int[] reductions, bool stores)
    {
        int[] uses = new int[_spec.ValueCount];
        foreach (int reduction in reductions) uses[_spec.Steps[reduction - _spec.Inputs.Length].Value]++;
        if (stores)
        {
            foreach (int output in _spec.Outputs)
            {
                if (_spec.Scope(output) == RowScope.Element) uses[output]++;
            }
        }

        for (int v = _spec.ValueCount - 1; v >= _spec.Inputs.Length; v--)
        {
            if (uses[v] == 0 || _spec.Scope(v) != RowScope.Element) continue;
            foreach (int argument in _spec.Arguments(v)) uses[argument]++;
        }

        return uses;
    }

    // The elements of this thread in [from, until), which begins at a lane 0.
    private void WriteElements(List<Expression> to, int[] reductions, ParameterExpression[][] sums, int[] uses, bool stores, Expression from, Expression until)
    {
        int number = _loops;
        if (_key.Quads)
        {
            ParameterExpression quad = Variable("q" + number);
            Expression start = Expression.Add(Expression.RightShift(from, Expression.Constant(2)), _thread);
            Loop(to, quad, start, Expression.RightShift(until, Expression.Constant(2)), Expression.Constant(ReduceTree.Lanes / 4), Quads(quad, number, reductions, sums, uses, stores));
            return;
        }

        for (int j = 0; j < _key.LanesPerThread; j++)
        {
            ParameterExpression index = Variable($"i{number}{LaneNames[j]}");
            using TreeBuilder inner = new TreeBuilder(_target, $"e{number}{LaneNames[j]}").Enter();
            TreeLane[] values = Evaluate(uses, index, k => new(Load(k, Expression.Add(_starts[k]!, index))));
            Accumulate(inner.Statements, reductions, sums, values, j);
            if (stores) ForOutputs((operand, value) => inner.Statements.Add(Store(operand, Expression.Add(_starts[operand]!, index), Element(values, value).Node)));
            Loop(to, index, Expression.Add(from, FirstElement(j)), until, Expression.Constant(ReduceTree.Lanes), inner.Statements);
        }
    }

    // Four elements side by side, one of each lane.
    private List<Expression> Quads(ParameterExpression quad, int number, int[] reductions, ParameterExpression[][] sums, int[] uses, bool stores)
    {
        List<Expression> body = [];
        ParameterExpression?[] loaded = new ParameterExpression?[_spec.Inputs.Length];
        for (int k = 0; k < loaded.Length; k++)
        {
            if (uses[k] == 0 || _spec.Inputs[k].Kind != RowInputKind.Elements) continue;
            Expression place = Expression.Add(Expression.RightShift(_starts[k]!, Expression.Constant(2)), quad);
            Expression load = _spec.Inputs[k].IsMask
                ? DeviceTypes.Call(nameof(DeviceMemory.LoadBytes), _operands[k], place)
                : DeviceTypes.Call(nameof(DeviceMemory.LoadQuad), _spec.Type, _operands[k], place);
            loaded[k] = Expression.Variable(load.Type, $"x{number}_{k}");
            Assign(body, loaded[k]!, load);
        }

        TreeLane[][] values = new TreeLane[4][];
        for (int j = 0; j < 4; j++)
        {
            using TreeBuilder inner = new TreeBuilder(_target, $"e{number}{LaneNames[j]}").Enter();
            (int which, Expression lane) = (j, Expression.Constant(j));
            Expression index = Expression.Add(Expression.LeftShift(quad, Expression.Constant(2)), lane);
            values[j] = Evaluate(uses, index, k => new(_spec.Inputs[k].IsMask
                ? DeviceTypes.Call(nameof(DeviceMemory.MaskOf), loaded[k]!, lane)
                : DeviceTypes.Element(loaded[k]!, _spec.Type, which)));
            Accumulate(inner.Statements, reductions, sums, values[j], j);
            if (stores) ForOutputs((_, value) => values[j][value] = TreeLane.Let(Element(values[j], value)));
            body.AddRange(inner.Statements);
        }

        if (stores)
        {
            ForOutputs((operand, value) =>
            {
                Expression place = Expression.Add(Expression.RightShift(_starts[operand]!, Expression.Constant(2)), quad);
                Expression[] arguments = [_operands[operand], place, .. values.Select(lane => lane[value].Node)];
                body.Add(_spec.OperandType(operand) == DType.Bool
                    ? DeviceTypes.Call(nameof(DeviceMemory.StoreMasks), arguments)
                    : DeviceTypes.Call(nameof(DeviceMemory.StoreQuad), _spec.Type, arguments));
            });
        }

        return body;
    }

    private void ForOutputs(Action<int, int> store)
    {
        for (int k = 0; k < _spec.Outputs.Length; k++)
        {
            if (_spec.Scope(_spec.Outputs[k]) == RowScope.Element) store(_spec.Inputs.Length + k, _spec.Outputs[k]);
        }
    }

    // The values of an element that are used, in the current builder.
    private TreeLane[] Evaluate(int[] uses, Expression index, Func<int, TreeLane> load)
    {
        TreeLane[] values = new TreeLane[_spec.ValueCount];
        for (int v = 0; v < values.Length; v++)
        {
            if (uses[v] == 0 || _spec.Scope(v) != RowScope.Element) continue;
            if (v < _spec.Inputs.Length)
            {
                values[v] = TreeLane.Let(load(v));
                continue;
            }

            RowStep step = _spec.Steps[v - _spec.Inputs.Length];
            values[v] = step.Kind == RowStepKind.IsLabel
                ? new(ScalarTarget.Call(nameof(DeviceMath.Equal), index, _labels[step.Label]!))
                : Apply(step.Element, argument => Element(values, argument));
        }

        return values;
    }

    private TreeLane Element(TreeLane[] values, int value) => _spec.Scope(value) == RowScope.Element ? values[value] : RowValue(value);

    private void Accumulate(List<Expression> to, int[] reductions, ParameterExpression[][] sums, TreeLane[] values, int lane)
    {
        for (int r = 0; r < reductions.Length; r++)
        {
            TreeLane x = Element(values, _spec.Steps[reductions[r] - _spec.Inputs.Length].Value);
            Assign(to, sums[r][lane], Kind(reductions[r]).Accumulate(new(sums[r][lane]), x).Node);
        }
    }

    private BinaryExpression FirstElement(int lane) =>
        Expression.Add(Expression.Multiply(_thread, Expression.Constant(_key.LanesPerThread)), Expression.Constant(lane));

    // Lane j takes lane j + 32, then j + 16, … j + 1: to eight by eight threads of each team, the rest by every thread.
    private void Fold(TreeBuilder builder, int[] reductions, ParameterExpression[][] sums)
    {
        if (reductions.Length == 0) return;
        List<Expression> to = builder.Statements;
        Expression lanes = Expression.Multiply(_team, Expression.Constant(ReduceTree.Lanes));
        Expression eights = Expression.Add(Expression.Constant(_key.Teams * ReduceTree.Lanes), Expression.Multiply(_team, Expression.Constant(8)));
        for (int r = 0; r < reductions.Length; r++)
        {
            for (int j = 0; j < _key.LanesPerThread; j++) to.Add(SharedStore(r, Expression.Add(lanes, FirstElement(j)), sums[r][j]));
        }

        to.Add(RowCall(nameof(DeviceRowMemory.Barrier)));
        using (TreeBuilder few = new TreeBuilder(_target, $"f{_loops}_").Enter())
        {
            for (int r = 0; r < reductions.Length; r++)
            {
                int reduction = r;
                TreeLane sum = Join(Kind(reductions[r]), ReduceTree.Lanes / 8, k => new(SharedLoad(reduction, Expression.Add(lanes, Expression.Add(_thread, Expression.Constant(8 * k))))));
                few.Statements.Add(SharedStore(r, Expression.Add(eights, _thread), sum.Node));
            }

            to.Add(Expression.IfThen(Expression.LessThan(_thread, Expression.Constant(8)), Expression.Block(typeof(void), few.Statements)));
        }

        to.Add(RowCall(nameof(DeviceRowMemory.Barrier)));
        for (int r = 0; r < reductions.Length; r++)
        {
            int reduction = r;
            _rowValues[reductions[r]] = TreeLane.Let(Join(Kind(reductions[r]), 8, k => new(SharedLoad(reduction, Expression.Add(eights, Expression.Constant(k))))));
        }

        _loops++;
    }

    // An item takes the one half their number away, as lanes do.
    private static TreeLane Join(RowReduction kind, int count, Func<int, TreeLane> item)
    {
        TreeLane[] items = new TreeLane[count];
        for (int k = 0; k < count; k++) items[k] = TreeLane.Let(item(k));
        for (int half = count / 2; half > 0; half /= 2)
        {
            for (int k = 0; k < half; k++) items[k] = kind.Combine(items[k], items[k + half]);
        }

        return items[0];
    }

    private MethodCallExpression SharedLoad(int reduction, Expression index) => DeviceTypes.Call(nameof(DeviceMemory.Load), _spec.Type, _shared[reduction], index);

    private MethodCallExpression SharedStore(int reduction, Expression index, Expression value) =>
        DeviceTypes.Call(nameof(DeviceMemory.Store), _spec.Type, _shared[reduction], index, value);
}
