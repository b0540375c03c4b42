using System.Linq.Expressions;

namespace Fusion.Kernels;

// The elements of a row, in chunks of 64 or, where it is short, fewer: of each chunk a thread has the elements of its lanes. Loads of several chunks come
// before their bodies, so that they are in flight together; where the row ends, the last element is read again and does not count.
internal sealed partial class DeviceRowTree
{
    /// <summary>Chunks in one turn of a loop, if its body is short.</summary>
    private const int ChunksPerTurn = 4, LightPass = 120;

    // Elements that stay in registers: by input, lane and chunk.
    private readonly Dictionary<(int Input, int Lane, int Chunk), Expression> _kept = [];

    // What is dear to compute and read by later passes stays there, too: by value, lane and chunk.
    private const int DearWeight = 8;
    private readonly Dictionary<(int Value, int Lane, int Chunk), TreeLane> _keptValues = [];
    private readonly HashSet<int> _known = [];

    // What several passes read is read before the first, if the row is short.
    private void KeepElements(TreeBuilder body)
    {
        if (_key.Chunks == 0) return;
        int[] passes = new int[_spec.Inputs.Length];
        for (int pass = 0; pass <= _spec.LastPass; pass++)
        {
            int[] uses = Uses([.. _spec.Reductions(pass)], pass == _spec.LastPass);
            for (int k = 0; k < passes.Length; k++) passes[k] += uses[k] > 0 ? 1 : 0;
        }

        for (int k = 0; k < passes.Length; k++)
        {
            if (passes[k] < 2 || _spec.Inputs[k].Kind != RowInputKind.Elements) continue;
            for (int chunk = 0; chunk < _key.Chunks; chunk++) LoadChunk(body.Statements, $"keep{k}_{chunk}", k, Place, chunk, _kept);
        }
    }

    // The elements of this thread in [from, until), which begins with a chunk.
    private void WriteElements(List<Expression> to, Pass pass, ParameterExpression[][] sums, Expression from, Expression until)
    {
        if (_key.Chunks > 0)
        {
            for (int lane = 0; lane < Columns; lane++) WriteChunks(to, pass, sums, lane, _key.Chunks, Place, until);
            return;
        }

        int weight = Enumerable.Range(0, _spec.Steps.Length).Sum(k => pass.Uses[_spec.Inputs.Length + k] > 0 ? _spec.Steps[k].Element.Op?.Weight ?? 1 : 0);
        int chunks = weight > LightPass ? 1 : _key.Quads ? ChunksPerTurn / 2 : ChunksPerTurn;
        for (int lane = 0; lane < Columns; lane++)
        {
            ParameterExpression index = Variable($"i{_parts}");
            using TreeBuilder inner = new TreeBuilder(_target, $"e{_parts}_").Enter();
            WriteChunks(inner.Statements, pass, sums, lane, chunks, (_, chunk) => Expression.Add(index, Expression.Constant(chunk * PlacesPerChunk)), until);
            Expression first = Expression.Add(_key.Quads ? Expression.RightShift(from, Expression.Constant(2)) : from, Place(lane, 0));
            to.AddRange(TreeLoop.For(index, first, Limit(until), Expression.Constant(chunks * PlacesPerChunk), inner.Statements));
        }
    }

    // Separate columns of places: all lanes of a thread at once if they are moved together.
    private int Columns => _key.Quads ? 1 : _key.LanesPerThread;

    // A place is an element, or four of them.
    private int PlacesPerChunk => _key.Quads ? _key.ChunkLength / 4 : _key.ChunkLength;

    private Expression Limit(Expression elements) => _key.Quads ? Expression.RightShift(elements, Expression.Constant(2)) : elements;

    // The place of a lane's element in a chunk of the whole row.
    private Expression Place(int lane, int chunk) => _key.Quads
        ? Expression.Add(_thread, Expression.Constant(chunk * PlacesPerChunk))
        : Expression.Add(FirstElement(lane), Expression.Constant(chunk * PlacesPerChunk));

    private void WriteChunks(
        List<Expression> to, Pass pass, ParameterExpression[][] sums, int column, int chunks, Func<int, int, Expression> place, Expression until)
    {
        int number = _parts++;
        Dictionary<(int Input, int Lane, int Chunk), Expression> loaded = new(_kept);
        for (int chunk = 0; chunk < chunks; chunk++)
        {
            for (int k = 0; k < _spec.Inputs.Length; k++)
            {
                if (pass.Uses[k] > 0 && _spec.Inputs[k].Kind == RowInputKind.Elements && !loaded.ContainsKey((k, column, chunk)))
                    LoadChunk(to, $"x{number}_{k}_{chunk}_", k, _key.Quads ? place : (lane, c) => place(lane, c), chunk, loaded, column);
            }
        }

        for (int chunk = 0; chunk < chunks; chunk++)
        {
            using TreeBuilder inner = new TreeBuilder(_target, $"e{number}_{chunk}_").Enter();
            ParameterExpression at = inner.Assign(place(column, chunk));
            // A team without a row has none of its elements.
            ParameterExpression isIn = inner.Assign(_key.Full ? Expression.LessThan(Expression.Constant(0), until) : Expression.LessThan(at, Limit(until)));
            WriteChunk(inner, pass, sums, column, chunk, at, isIn, loaded);
            to.AddRange(inner.Statements);
        }
    }

    // The bodies of a thread's elements in a chunk.
    private void WriteChunk(
        TreeBuilder inner, Pass pass, ParameterExpression[][] sums, int column, int chunk, ParameterExpression at, ParameterExpression isIn,
        Dictionary<(int Input, int Lane, int Chunk), Expression> loaded)
    {
        int lanes = _key.Quads ? 4 : 1;
        TreeLane[][] values = new TreeLane[lanes][];
        for (int l = 0; l < lanes; l++)
        {
            int lane = _key.Quads ? l : column;
            Expression index = _key.Quads ? Expression.Add(Expression.LeftShift(at, Expression.Constant(2)), Expression.Constant(l)) : at;
            values[l] = Evaluate(pass.Uses, index, k => new(loaded[(k, lane, chunk)]), v => _keptValues[(v, lane, chunk)]);
            foreach (int v in pass.Kept) _keptValues[(v, lane, chunk)] = values[l][v];
            for (int r = 0; r < pass.Reductions.Length; r++)
            {
                RowReduction kind = Kind(pass.Reductions[r]);
                TreeLane x = Element(values[l], _spec.Steps[pass.Reductions[r] - _spec.Inputs.Length].Value);
                if (!_key.Full) x = TreeLane.Select(new(isIn), x, TreeLane.Const(kind.Identity()));
                Assign(inner.Statements, sums[r][lane], kind.Accumulate(new(sums[r][lane]), x).Node);
            }
        }

        if (!pass.Stores) return;
        List<Expression> stores = [];
        for (int k = 0; k < _spec.Outputs.Length; k++)
        {
            (int operand, int value) = (_spec.Inputs.Length + k, _spec.Outputs[k]);
            if (_spec.Scope(value) != RowScope.Element) continue;
            Expression[] results = [.. values.Select(lane => TreeLane.Let(Element(lane, value)).Node)];
            stores.Add(StorePlace(operand, at, results));
        }

        inner.Statements.Add(Expression.IfThen(isIn, Expression.Block(typeof(void), stores)));
    }

    // One chunk of an input: its elements by lane.
    private void LoadChunk(
        List<Expression> to, string name, int k, Func<int, int, Expression> place, int chunk,
        Dictionary<(int Input, int Lane, int Chunk), Expression> loaded, int? column = null)
    {
        Expression last = Expression.Subtract(Limit(_length), Expression.Constant(1));
        for (int c = column ?? 0; c <= (column ?? Columns - 1); c++)
        {
            Expression at = _key.Full ? place(c, chunk) : RowCall(nameof(DeviceRowMemory.Min), place(c, chunk), last);
            Expression load = LoadPlace(k, at);
            ParameterExpression variable = Expression.Variable(load.Type, name + LaneNames[c]);
            Assign(to, variable, load);
            if (!_key.Quads)
            {
                loaded[(k, c, chunk)] = variable;
                continue;
            }

            for (int lane = 0; lane < 4; lane++)
            {
                loaded[(k, lane, chunk)] = _spec.Inputs[k].IsMask
                    ? DeviceTypes.Call(nameof(DeviceMemory.MaskOf), variable, Expression.Constant(lane))
                    : DeviceTypes.Element(variable, _spec.Type, lane);
            }
        }
    }

    private MethodCallExpression LoadPlace(int k, Expression at)
    {
        if (!_key.Quads) return Load(k, Expression.Add(_starts[k]!, at));
        Expression quad = Expression.Add(Expression.RightShift(_starts[k]!, Expression.Constant(2)), at);
        return _spec.Inputs[k].IsMask
            ? DeviceTypes.Call(nameof(DeviceMemory.LoadBytes), _operands[k], quad)
            : DeviceTypes.Call(nameof(DeviceMemory.LoadQuad), _spec.Type, _operands[k], quad);
    }

    private MethodCallExpression StorePlace(int operand, Expression at, Expression[] values)
    {
        if (!_key.Quads) return Store(operand, Expression.Add(_starts[operand]!, at), values[0]);
        Expression[] arguments = [_operands[operand], Expression.Add(Expression.RightShift(_starts[operand]!, Expression.Constant(2)), at), .. values];
        return _spec.OperandType(operand) == DType.Bool
            ? DeviceTypes.Call(nameof(DeviceMemory.StoreMasks), arguments)
            : DeviceTypes.Call(nameof(DeviceMemory.StoreQuad), _spec.Type, arguments);
    }

    // The values of an element that are used, in the current builder.
    private TreeLane[] Evaluate(int[] uses, Expression index, Func<int, TreeLane> load, Func<int, TreeLane> kept)
    {
        TreeLane[] values = new TreeLane[_spec.ValueCount];
        for (int v = 0; v < values.Length; v++)
        {
            if (uses[v] == 0 || _spec.Scope(v) != RowScope.Element) continue;
            if (v < _spec.Inputs.Length || _known.Contains(v))
            {
                values[v] = v < _spec.Inputs.Length ? TreeLane.Let(load(v)) : kept(v);
                continue;
            }

            RowStep step = _spec.Steps[v - _spec.Inputs.Length];
            values[v] = step.Kind switch
            {
                RowStepKind.IsLabel => new(ScalarTarget.Call(nameof(DeviceMath.Equal), index, _labels[step.Label]!)),
                RowStepKind.Repeat => Element(values, step.Value),
                _ => Apply(step.Element, argument => Element(values, argument)),
            };
        }

        return values;
    }

    private TreeLane Element(TreeLane[] values, int value) => _spec.Scope(value) == RowScope.Element ? values[value] : RowValue(value);
}
