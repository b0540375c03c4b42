namespace Fusion;

/// <summary>Where an input of a recorded operator came from.</summary>
/// <param name="Source">A <see cref="TapeNode"/>, a <see cref="Variable"/>, or the <see cref="NDArray"/> itself: a constant leaf.</param>
/// <param name="Index">The output of the node.</param>
/// <param name="DType">The input's element type.</param>
/// <param name="Shape">The input's shape.</param>
internal readonly record struct TapeEdge(object Source, int Index, DType DType, Shape Shape)
{
    public TapeEdge(NDArray input)
        : this(input.Source ?? input, input.SourceIndex, input.DType, input.Shape)
    {
    }

    /// <summary>Gradients flow through this edge.</summary>
    public bool RequiresGradient => DType.IsFloat && Source is not NDArray;
}

/// <summary>
/// One recorded operator call. The tape is these nodes, held by the arrays they made: what nobody can reach is garbage. Up to two inputs are kept
/// in fields, so that the common operators cost one object.
/// </summary>
internal sealed class TapeNode(Op op, object? attributes, ExecutionState state, int inputCount)
{
    private static long s_sequence;

    private TapeEdge _edge0;
    private TapeEdge _edge1;
    private TapeEdge[]? _edges;
    private SavedArray _saved0;
    private SavedArray _saved1;
    private SavedArray[]? _saved;
    private SavedArray _savedOutput;
    private Variable?[]? _attachments;
    private (object? Source, int Index)[]? _expansion;

    public Op Op => op;

    public object? Attributes => attributes;

    public int InputCount => inputCount;

    /// <summary>Later calls have larger numbers, also across threads: an order in which every node follows its inputs.</summary>
    public long Sequence { get; } = state.Sequences is { } numbers ? numbers.Next() : Interlocked.Increment(ref s_sequence);

    /// <summary>The training flag at the time of the call.</summary>
    public bool TrainMode { get; } = state.Training;

    /// <summary>The call was traced: its tape lives for the trace only and takes no part in the counting of saved arrays.</summary>
    public bool IsTraced { get; } = state.Tracer is not null;

    /// <summary>Saved values and edges are gone: a backward without retainGraph has passed.</summary>
    public bool IsReleased { get; private set; }

    /// <summary>The types of the outputs: what a missing gradient of a multi-output operator is filled up with.</summary>
    public TensorType[]? OutputTypes { get; set; }

    public SavedArray[] ExtraSaved { get; set; } = [];

    /// <summary>The number of the latest call: of the process, or of the calls that are repeated on this thread.</summary>
    public static long LastSequence(ExecutionState state) => state.Sequences is { } numbers ? numbers.Last : Volatile.Read(ref s_sequence);

    /// <summary>Keeps numbers free for the calls that the next node stands for: see <see cref="TryExpand"/>.</summary>
    public static SequenceRange Reserve(long count)
    {
        long last = Interlocked.Add(ref s_sequence, count);
        return new SequenceRange(last - count, last);
    }

    /// <summary>As <see cref="Reserve(long)"/>, of the numbers that the next nodes of this thread get.</summary>
    public static SequenceRange Reserve(ExecutionState state, long count) => state.Sequences is { } numbers ? numbers.Take(count) : Reserve(count);

    public TapeEdge Edge(int input)
    {
        TapeEdge edge = _edges is not null ? _edges[input] : input == 0 ? _edge0 : _edge1;
        if (edge.Source is not TapeNode { _expansion: not null }) return edge;
        (object? source, int index) = Resolve(edge.Source, edge.Index);
        return edge with { Source = source!, Index = index };
    }

    /// <summary>Gradients of an output may reach an input.</summary>
    public bool Reaches(int output, int input) => op.Reach is not { } reach || reach[output][input];

    /// <summary>
    /// Puts the calls that this node stands for on the tape, once: its outputs are theirs from here on. False where there are none, or they cannot be
    /// repeated.
    /// </summary>
    public bool TryExpand()
    {
        if (op.Expansion is not { } rule) return false;
        lock (op)
        {
            if (_expansion is not null) return true;
            if (rule(this) is not { } outputs) return false;
            for (int i = 0; i < outputs.Count; i++)
                if (AttachmentOf(i) is { } variable && outputs[i].Source is TapeNode inner) inner.Attach(outputs[i].SourceIndex, variable);
            _expansion = [.. outputs.Select(static o => Resolve(o.Source, o.SourceIndex))];
            return true;
        }
    }

    /// <summary>The place on the tape that a node which was expanded stands for.</summary>
    public static (object? Source, int Index) Resolve(object? source, int index)
    {
        while (source is TapeNode { _expansion: { } outputs }) (source, index) = outputs[index];
        return (source, index);
    }

    public void SetEdge(int input, NDArray array) => SetEdge(input, new TapeEdge(array));

    public void SetEdge(int input, in TapeEdge edge)
    {
        if (inputCount > 2) (_edges ??= new TapeEdge[inputCount])[input] = edge;
        else if (input == 0) _edge0 = edge;
        else _edge1 = edge;
    }

    public void Save(int input, NDArray array)
    {
        if (inputCount > 2) (_saved ??= new SavedArray[inputCount])[input] = new SavedArray(array, !IsTraced);
        else if (input == 0) _saved0 = new SavedArray(array, !IsTraced);
        else _saved1 = new SavedArray(array, !IsTraced);
    }

    public void SaveOutput(NDArray array) => _savedOutput = new SavedArray(array, !IsTraced);

    public NDArray SavedInput(int input) => (_saved is not null ? _saved[input] : input == 0 ? _saved0 : _saved1).Read(this, $"input {input}");

    public NDArray SavedOutput => _savedOutput.Read(this, "output");

    public Variable? AttachmentOf(int output) => _attachments?[output];

    public void Attach(int output, Variable? variable)
    {
        if (variable is null && _attachments is null) return;
        (_attachments ??= new Variable?[op.Outputs])[output] = variable;
    }

    /// <summary>Lets go of saved values and inputs. Idempotent.</summary>
    public void Release()
    {
        if (IsReleased) return;
        IsReleased = true;
        _saved0.Forget();
        _saved1.Forget();
        _savedOutput.Forget();
        foreach (ref SavedArray saved in _saved.AsSpan()) saved.Forget();
        foreach (ref SavedArray saved in ExtraSaved.AsSpan()) saved.Forget();
        _saved0 = _saved1 = _savedOutput = default;
        _saved = null;
        ExtraSaved = [];
        _edge0 = _edge1 = default;
        _edges = null;
    }
}

/// <summary>Sequence numbers that were kept free.</summary>
internal sealed class SequenceRange(long last, long end)
{
    public long Last { get; private set; } = last;

    public long Next() => Advance(1);

    /// <summary>The next numbers, as a range of their own.</summary>
    public SequenceRange Take(long count) => new(Advance(count) - count, Last);

    private long Advance(long count) =>
        Last + count <= end ? Last += count : throw new InvalidOperationException("A function records far more calls when it is repeated than when it was traced.");
}

/// <summary>An array that backward will read, and the version it must still have then.</summary>
internal readonly struct SavedArray
{
    private readonly NDArray? _array;
    private readonly int _version;
    private readonly bool _counted;

    public SavedArray(NDArray array, bool counted = true)
    {
        _array = array;
        _version = array.Version;
        _counted = counted;
        if (counted) array.SaveCount++;
    }

    /// <summary>The array, whatever was written to it since.</summary>
    public NDArray Array => _array!;

    public NDArray Read(TapeNode node, string role)
    {
        NDArray array = _array ?? throw new InvalidOperationException($"The row {node.Op.Name} reads its {role} in backward without saving it.");
        return array.Version == _version ? array : throw Errors.SavedArrayOverwritten(node, array, role);
    }

    public void Forget()
    {
        if (_counted) _array!.SaveCount--;
    }
}
