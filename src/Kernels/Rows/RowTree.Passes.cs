using System.Linq.Expressions;

namespace Fusion.Kernels;

// The loops over the columns.
internal sealed partial class RowTree
{
    // With sixteen registers, or a body of several reductions, fewer lanes at a time.
    private int RegistersPerSweep(RowPass pass) => _vector.Width == 512 || (pass.Reductions.Count == 1 && WeightOf(pass) < KernelTree.PairedFrom / 2)
        ? 4
        : pass.Reductions.Count > 2 ? 1 : 2;

    private int WeightOf(RowPass pass) => pass.Values.Sum(v => _spec.Steps[v - _spec.Inputs.Length].Element.Op?.Weight ?? 0);

    private void WritePass(TreeBuilder body, int p)
    {
        RowPass pass = _passes.Passes[p];
        if (pass.IsEmpty) return;
        if (pass.Reductions.Count == 0)
        {
            WriteStores(body, pass, p);
            return;
        }

        int registers = RegistersPerSweep(pass), width = registers * _vector.Count;
        string name = "c" + p;
        Expression part = Expression.Constant(0L);
        ParameterExpression sweep = Expression.Variable(typeof(long), name + "s"), index = Expression.Variable(typeof(long), name);
        bool isWhole = width >= Lanes;
        List<Expression> lanes = [];
        ParameterExpression[][] sums = new ParameterExpression[pass.Reductions.Count][];
        for (int r = 0; r < sums.Length; r++)
        {
            sums[r] = new ParameterExpression[registers];
            for (int c = 0; c < sums[r].Length; c++)
            {
                sums[r][c] = Expression.Variable(_vector.Type, $"{name}sum{r}_{c}");
                using TreeBuilder identity = new TreeBuilder(_target).Enter();
                Assign(lanes, sums[r][c], TreeLane.Const(KindOf(pass.Reductions[r]).Identity()).Node);
            }
        }

        // The registers of a long body take its steps in turn: see KernelTree.
        bool inTurn = registers > 1 && KernelTree.RegistersOf(WeightOf(pass), _vector.Width) == registers;
        List<Expression>[] bodies = new List<Expression>[registers];
        for (int c = 0; c < registers; c++)
        {
            List<Expression> own = bodies[c] = [];
            Expression at = c == 0 ? index : Expression.Add(index, Expression.Constant((long)c * _vector.Count));
            WriteRegister(own, pass, p, at, r => sums[r][c], (r, x) => Assign(own, sums[r][c], x), null, inTurn);
        }

        IEnumerable<Expression> turn = inTurn ? Enumerable.Range(0, bodies[0].Count).SelectMany(k => bodies.Select(b => b[k])) : bodies.SelectMany(static b => b);
        Loop(lanes, index, isWhole ? part : sweep, _full, Lanes, turn);
        List<Expression> stores = [], loads = [];
        for (int r = 0; r < sums.Length; r++)
        {
            for (int c = 0; c < sums[r].Length; c++)
            {
                Expression first = Expression.Constant((long)c * _vector.Count), lane = isWhole ? first : Expression.Add(sweep, first);
                stores.Add(Store(sums[r][c], _lanes[r], lane));
                Assign(loads, sums[r][c], Load(_lanes[r], first));
            }
        }

        if (isWhole)
        {
            // All lanes are in registers; they go through memory only where a part of a block of 64 elements is left.
            WriteTail(stores, pass, p);
            body.Statements.AddRange([.. lanes, Expression.IfThen(Expression.LessThan(_full, _columns), Expression.Block(typeof(void), [.. stores, .. loads]))]);
        }
        else
        {
            Loop(body.Statements, sweep, part, Expression.Constant((long)Lanes), width, [.. lanes, .. stores]);
            WriteTail(body.Statements, pass, p);
        }

        for (int r = 0; r < sums.Length; r++)
            _ofRow[pass.Reductions[r]] = Fold(KindOf(pass.Reductions[r]), isWhole ? [.. sums[r].Select(static s => new TreeLane(s))] : LanesInMemory(_lanes[r]));
    }

    private TreeLane[] LanesInMemory(Expression lanes) =>
        [.. Enumerable.Range(0, Lanes / _vector.Count).Select(c => TreeLane.Let(new(Load(lanes, Expression.Constant((long)c * _vector.Count)))))];

    // Registers behind the last whole 64 elements, which change the lanes in memory.
    private void WriteTail(List<Expression> to, RowPass pass, int p)
    {
        ParameterExpression index = Expression.Variable(typeof(long), $"c{p}t"), lane = Expression.Variable(typeof(long), $"c{p}l");
        List<Expression> turn = [];
        Assign(turn, lane, Expression.Subtract(index, _full));
        TreeLane mask = MaskOf(turn, index, $"c{p}m");
        WriteRegister(turn, pass, p, index, r => Load(_lanes[r], lane), (r, x) => turn.Add(Store(x, _lanes[r], lane)), mask);
        Loop(to, index, _full, _columns, _vector.Count, turn);
    }

    // A pass that reduces nothing. Sums over rows are not stored beyond the row's end, where those of other threads may be.
    private void WriteStores(TreeBuilder body, RowPass pass, int p)
    {
        ParameterExpression index = Expression.Variable(typeof(long), $"c{p}");
        List<Expression> turn = [];
        WriteRegister(turn, pass, p, index, null, null, null);
        if (pass.Sums.Count == 0)
        {
            Loop(body.Statements, index, Expression.Constant(0L), _columns, _vector.Count, turn);
            return;
        }

        ParameterExpression whole = Expression.Variable(typeof(long), $"c{p}w"), rest = Expression.Variable(typeof(long), $"c{p}t");
        Assign(body.Statements, whole, Expression.And(_columns, Expression.Constant(~(_vector.Count - 1L))));
        Loop(body.Statements, index, Expression.Constant(0L), whole, _vector.Count, turn);
        List<Expression> last = [];
        TreeLane mask = MaskOf(last, rest, $"c{p}m");
        WriteRegister(last, pass, p, rest, null, null, mask);
        Loop(body.Statements, rest, whole, _columns, _vector.Count, last);
    }

    // The elements of a register that belong to the row.
    private TreeLane MaskOf(List<Expression> to, Expression index, string name)
    {
        ParameterExpression left = Expression.Variable(typeof(long), name + "n"), mask = Expression.Variable(_vector.Type, name);
        Expression count = Expression.Constant((long)_vector.Count);
        Assign(to, left, Expression.Subtract(_columns, index));
        Assign(to, left, Expression.Condition(Expression.LessThan(left, count), left, count));
        Assign(to, mask, Expression.Call(_vector.Memory("Load"), _mask, Expression.Subtract(Expression.Constant(0L), left)));
        return new(mask);
    }

    /// <summary>What a pass does with the register of elements at an index.</summary>
    /// <param name="to">The statements.</param>
    /// <param name="pass">The pass.</param>
    /// <param name="p">Its number.</param>
    /// <param name="index">The first element.</param>
    /// <param name="lane">The lanes of a reduction.</param>
    /// <param name="set">Changes them.</param>
    /// <param name="mask">The elements that belong to the row, if not all do.</param>
    /// <param name="stepByStep">See <see cref="TreeBuilder.StepByStep"/>.</param>
    private void WriteRegister(
        List<Expression> to, RowPass pass, int p, Expression index, Func<int, Expression>? lane, Action<int, Expression>? set, TreeLane? mask, bool stepByStep = false)
    {
        using TreeBuilder builder = new TreeBuilder(_target, $"e{_names++}_") { StepByStep = stepByStep }.Enter();
        TreeLane[] values = new TreeLane[_spec.ValueCount];
        int[] uses = UsesIn(pass);
        foreach (int v in pass.Loads.Concat(pass.Values).Order())
        {
            TreeLane value = pass.Loads.Contains(v) ? LoadOf(v, index) : Step(v);
            values[v] = uses[v] > 1 || IsStoredOver(pass, v) ? TreeLane.Let(value) : value;
        }

        for (int r = 0; r < pass.Reductions.Count; r++)
        {
            RowReduction kind = KindOf(pass.Reductions[r]);
            TreeLane x = Element(_spec.Steps[pass.Reductions[r] - _spec.Inputs.Length].Value), sum = new(lane!(r));
            if (mask is { } isIn) (x, sum) = (TreeLane.Select(isIn, x, TreeLane.Const(kind.Identity())), TreeLane.Let(sum));
            Expression next = kind.Accumulate(sum, x).Node;
            Flush();
            set!(r, next);
        }

        if (mask is null) WriteFetches(builder.Statements, p, index);
        foreach (int v in pass.Kept) builder.Statements.Add(Store(Element(v).Node, KeptRow(v), index));
        foreach (int k in pass.Stores)
        {
            int value = _spec.Outputs[k];
            string store = _spec.IsMask(value) ? "StoreMask" : "Store";
            builder.Statements.Add(Expression.Call(_vector.Memory(store), Element(value).Node, _rows[_spec.Inputs.Length + k], index));
        }

        foreach (int k in pass.Sums)
        {
            ParameterExpression sums = _rows[_spec.Inputs.Length + _spec.Outputs.Length + k];
            Expression after = (new TreeLane(Load(sums, index)) + Element(_spec.Sums[k])).Node;
            builder.Statements.Add(mask is { } isIn ? Expression.Call(_vector.Memory("StoreMasked"), after, isIn.Node, sums, index) : Store(after, sums, index));
        }

        Flush();

        void Flush()
        {
            to.AddRange(builder.Statements);
            builder.Statements.Clear();
        }

        TreeLane Element(int v) => _spec.Scope(v) == RowScope.Element ? values[v] : OfRow(v);

        TreeLane Step(int v)
        {
            RowStep step = _spec.Steps[v - _spec.Inputs.Length];
            if (step.Kind == RowStepKind.Repeat) return Element(step.Value);
            return IsBelowMaximum(step.Element) ? Formulas.ExpOfNegative(Element(step.Element[0])) : KernelBody.Apply(step.Element, Element);
        }
    }

    // Each pass asks for what the next one touches first; the last one, for the next row.
    private void WriteFetches(List<Expression> to, int p, Expression index)
    {
        int next = (p + 1) % _passes.Passes.Length;
        for (int k = 0; k < _rows.Length; k++)
        {
            if (_ahead[k] is not { } ahead || _passes.FirstPass(k) != next) continue;
            Expression from = next == 0 ? Offset(_rows[k], ahead) : _rows[k];
            to.Add(Expression.Call(typeof(KernelMemory).GetMethod(_isNear ? nameof(KernelMemory.FetchNear) : nameof(KernelMemory.Fetch))!, from, Expression.Multiply(index, Expression.Constant((long)_vector.ElementSize))));
        }
    }

    // The exponential of a difference from the maximum.
    private bool IsBelowMaximum(KernelStep step)
    {
        if (step.Op != ElementOps.Exp || Inner(step[0]) is not { Op: { } subtract } difference || subtract != ElementOps.Subtract) return false;
        return difference[1] >= _spec.Inputs.Length
            && _spec.Steps[difference[1] - _spec.Inputs.Length] is { Kind: RowStepKind.Reduce, Reduction: RowReduction.MaxNumber, Value: int over } && over == difference[0];

        KernelStep Inner(int value) => value < _spec.Inputs.Length ? default : _spec.Steps[value - _spec.Inputs.Length].Element;
    }

    private int[] UsesIn(RowPass pass)
    {
        int[] uses = new int[_spec.ValueCount];
        foreach (int v in pass.Values)
            foreach (int argument in _spec.Arguments(v)) uses[argument]++;
        foreach (int v in pass.Reductions) uses[_spec.Steps[v - _spec.Inputs.Length].Value]++;
        foreach (int v in pass.Kept) uses[v]++;
        foreach (int k in pass.Stores) uses[_spec.Outputs[k]]++;
        foreach (int k in pass.Sums) uses[_spec.Sums[k]]++;
        return uses;
    }

    private TreeLane LoadOf(int value, Expression index)
    {
        if (value < _spec.Inputs.Length) return new(Expression.Call(_vector.Memory(_spec.Inputs[value].IsMask ? "LoadMask" : "Load"), _rows[value], index));
        return new(Load(KeptRow(value), index));
    }

    // The pass stores an output where it reads the value: it reads first.
    private bool IsStoredOver(RowPass pass, int value) => value >= _spec.Inputs.Length && pass.Loads.Contains(value) && pass.Stores.Contains(_passes.RowOf(value));

    private ParameterExpression KeptRow(int value) =>
        _passes.RowOf(value) is >= 0 and int output ? _rows[_spec.Inputs.Length + output] : _kept[Array.IndexOf(_passes.Kept, value)];

    // The lanes of a reduction, joined as ReduceTree.Fold does, in every element.
    private TreeLane Fold(RowReduction kind, TreeLane[] registers)
    {
        for (int half = registers.Length / 2; half > 0; half /= 2)
            for (int c = 0; c < half; c++) registers[c] = TreeLane.Let(kind.Combine(registers[c], registers[c + half]));
        TreeLane joined = registers[0];
        VectorMethods vector = _vector;
        for (; vector.Width > 128; vector = VectorMethods.For(vector.Width / 2, vector.Is64)) joined = Halved(kind, joined, vector);
        for (int half = vector.Count / 2; half > 0; half /= 2)
            joined = Narrow(vector, () => kind.Combine(joined, new(Moved(vector, joined.Node, half))));
        return new(TreeBuilder.Current.Assign(Expression.Call(_vector.Create, Expression.Call(vector.Unary("ToScalar"), joined.Node))));
    }

    // The two halves of a register as one of half the width: parts of wide registers move slowly.
    private static TreeLane Halved(RowReduction kind, TreeLane register, VectorMethods vector) => Narrow(
        VectorMethods.For(vector.Width / 2, vector.Is64),
        () => kind.Combine(TreeLane.Let(new(Expression.Call(vector.Unary("GetLower"), register.Node))), TreeLane.Let(new(Expression.Call(vector.Unary("GetUpper"), register.Node)))));

    // A value of other registers than the kernel's.
    private static TreeLane Narrow(VectorMethods vector, Func<TreeLane> value)
    {
        TreeBuilder body = TreeBuilder.Current;
        using TreeBuilder narrow = body.Branch(new VectorTarget(vector)).Enter();
        TreeLane result = TreeLane.Let(value());
        body.Statements.AddRange(narrow.Statements);
        return result;
    }

    // The elements from a position on, at the start.
    private static MethodCallExpression Moved(VectorMethods vector, Expression register, int from)
    {
        IEnumerable<Expression> positions = Enumerable.Range(0, vector.Count).Select(i =>
        {
            int position = (i + from) % vector.Count;
            return vector.Is64 ? Expression.Constant((long)position) : (Expression)Expression.Constant(position);
        });
        return Expression.Call(vector.Shuffle, register, Expression.Call(vector.CreateEach, positions));
    }

    private RowReduction KindOf(int value) => _spec.Steps[value - _spec.Inputs.Length].Reduction;

    private MethodCallExpression Load(Expression from, Expression index) => Expression.Call(_vector.Memory("Load"), from, index);

    private MethodCallExpression Store(Expression value, Expression to, Expression index) => Expression.Call(_vector.Memory("Store"), value, to, index);
}
