using System.Linq.Expressions;

namespace Fusion.Kernels;

// One pass over the elements of a row: what is reduced, and in the last pass what is stored.
internal sealed partial class DeviceRowTree
{
    private const string LaneNames = "abcd";

    // What a pass does: the values it reduces, how often it uses each value of an element, what it keeps for later passes, and whether it stores.
    private readonly record struct Pass(int[] Reductions, int[] Uses, int[] Kept, bool Stores);

    private static readonly int s_blockShift = int.Log2(ReduceTree.Block);

    private void WritePass(TreeBuilder body, int pass)
    {
        int[] reductions = [.. _spec.Reductions(pass)];
        bool stores = pass == _spec.LastPass && _spec.Outputs.ToArray().Any(v => _spec.Scope(v) == RowScope.Element);
        if (reductions.Length == 0 && !stores) return;
        List<Expression> to = body.Statements;
        int[] uses = Uses(reductions, stores);
        Pass each = new(reductions, uses, KeptAfter(pass, uses), stores);
        if (!_key.Long)
        {
            ParameterExpression[][] sums = Sums(to, reductions, $"p{pass}");
            WriteElements(to, each, sums, Expression.Constant(0), _end);
            _known.UnionWith(each.Kept);
            Fold(body, reductions, sums);
            return;
        }

        // Blocks in turn, one a team; then their results, by every team alike.
        ParameterExpression blocks = Variable($"blocks{pass}"), turn = Variable($"turn{pass}"), block = Variable($"block{pass}");
        ParameterExpression from = Variable($"from{pass}"), until = Variable($"until{pass}");
        Assign(to, blocks, Expression.RightShift(Expression.Add(_length, Expression.Constant(ReduceTree.Block - 1)), Expression.Constant(s_blockShift)));
        using (TreeBuilder inner = new TreeBuilder(_target, $"l{pass}_").Enter())
        {
            List<Expression> turns = inner.Statements;
            Assign(turns, block, Expression.Add(turn, _team));
            Assign(turns, from, Expression.LeftShift(block, Expression.Constant(s_blockShift)));
            Assign(turns, until, RowCall(nameof(DeviceRowMemory.Min), _end, Expression.Add(from, Expression.Constant(ReduceTree.Block))));
            ParameterExpression[][] sums = Sums(turns, reductions, $"p{pass}");
            WriteElements(turns, each, sums, from, until);
            Fold(inner, reductions, sums);
            for (int r = 0; r < reductions.Length; r++)
            {
                Expression store = SharedStore(r, Expression.Add(Expression.Constant(Partials), block), RowValue(reductions[r]).Node);
                Expression isFirst = Expression.IfThen(Expression.LessThan(_thread, Expression.Constant(1)), store);
                turns.Add(Expression.IfThen(Expression.LessThan(block, blocks), isFirst));
            }

            to.AddRange(TreeLoop.For(turn, Expression.Constant(0), blocks, Expression.Constant(_key.Teams), turns));
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

            to.AddRange(TreeLoop.For(index, FirstElement(j), blocks, Expression.Constant(ReduceTree.Lanes), inner.Statements));
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

    // The dear values that this pass computes and a later one uses, where elements stay in registers.
    private int[] KeptAfter(int pass, int[] uses)
    {
        if (_key.Chunks == 0) return [];
        int[] later = new int[_spec.ValueCount];
        for (int next = pass + 1; next <= _spec.LastPass; next++)
        {
            int[] own = Uses([.. _spec.Reductions(next)], next == _spec.LastPass);
            for (int v = 0; v < later.Length; v++) later[v] += own[v];
        }

        return [.. Enumerable.Range(_spec.Inputs.Length, _spec.Steps.Length).Where(v => uses[v] > 0 && later[v] > 0 && !_known.Contains(v)
            && _spec.Scope(v) == RowScope.Element && _spec.Steps[v - _spec.Inputs.Length].Element.Op is { Weight: >= DearWeight })];
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
            if (uses[v] == 0 || _spec.Scope(v) != RowScope.Element || _known.Contains(v)) continue;
            foreach (int argument in _spec.Arguments(v)) uses[argument]++;
        }

        return uses;
    }

    private BinaryExpression FirstElement(int lane) => _key.Shuffled > 0
        ? Expression.Add(_thread, Expression.Constant(lane * _key.TeamSize))
        : Expression.Add(Expression.Multiply(_thread, Expression.Constant(_key.LanesPerThread)), Expression.Constant(lane));

    // Lane j takes lane j + 32, then j + 16, … j + 1: to eight by eight threads of each team, the rest by every thread.
    private void Fold(TreeBuilder builder, int[] reductions, ParameterExpression[][] sums)
    {
        if (reductions.Length == 0) return;
        if (_key.Shuffled > 0)
        {
            for (int r = 0; r < reductions.Length; r++) _rowValues[reductions[r]] = Shuffle(Kind(reductions[r]), sums[r]);
            return;
        }

        List<Expression> to = builder.Statements;
        Expression lanes = Expression.Multiply(_team, Expression.Constant(ReduceTree.Lanes));
        Expression eights = Expression.Add(Expression.Constant(_key.Teams * ReduceTree.Lanes), Expression.Multiply(_team, Expression.Constant(8)));
        for (int r = 0; r < reductions.Length; r++)
        {
            for (int j = 0; j < _key.LanesPerThread; j++) to.Add(SharedStore(r, Expression.Add(lanes, FirstElement(j)), sums[r][j]));
        }

        to.Add(RowCall(nameof(DeviceRowMemory.Barrier)));
        using (TreeBuilder few = new TreeBuilder(_target, $"f{_parts}_").Enter())
        {
            for (int r = 0; r < reductions.Length; r++)
            {
                int reduction = r;
                Expression mine = Expression.Add(lanes, _thread);
                TreeLane sum = Join(
                    Kind(reductions[r]), ReduceTree.Lanes / 8, k => new(SharedLoad(reduction, Expression.Add(mine, Expression.Constant(8 * k)))));
                few.Statements.Add(SharedStore(r, Expression.Add(eights, _thread), sum.Node));
            }

            to.Add(Expression.IfThen(Expression.LessThan(_thread, Expression.Constant(8)), Expression.Block(typeof(void), few.Statements)));
        }

        to.Add(RowCall(nameof(DeviceRowMemory.Barrier)));
        for (int r = 0; r < reductions.Length; r++)
        {
            int reduction = r;
            TreeLane total = Join(Kind(reductions[r]), 8, k => new(SharedLoad(reduction, Expression.Add(eights, Expression.Constant(k)))));
            _rowValues[reductions[r]] = TreeLane.Let(total);
        }

        _parts++;
    }

    // Lanes whose partner is in the same thread first, then those of other threads; every thread gets the result of the first. A lane without elements is the
    // identity of the reduction, which its partner began with: nothing is lost without it.
    private TreeLane Shuffle(RowReduction kind, ParameterExpression[] sums)
    {
        TreeLane[] lanes = [.. sums.Select(static sum => new TreeLane(sum))];
        for (int half = 2; half > 0; half /= 2)
        {
            for (int j = 0; j < half && j + half < lanes.Length; j++) lanes[j] = kind.Combine(lanes[j], lanes[j + half]);
        }

        TreeLane total = TreeLane.Let(lanes[0]);
        for (int distance = _key.TeamSize / 2; distance > 0; distance /= 2)
        {
            TreeLane other = TreeLane.Let(new(RowCall(nameof(DeviceRowMemory.ShuffleDown), total.Node, Expression.Constant(distance))));
            total = TreeLane.Let(kind.Combine(total, other));
        }

        return TreeLane.Let(new(RowCall(nameof(DeviceRowMemory.FirstOfTeam), total.Node, _thread)));
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

    private MethodCallExpression SharedLoad(int reduction, Expression index) =>
        DeviceTypes.Call(nameof(DeviceMemory.Load), _spec.Type, _shared[reduction], index);

    private MethodCallExpression SharedStore(int reduction, Expression index, Expression value) =>
        DeviceTypes.Call(nameof(DeviceMemory.Store), _spec.Type, _shared[reduction], index, value);
}
