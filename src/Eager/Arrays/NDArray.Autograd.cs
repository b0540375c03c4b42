namespace Fusion;

public sealed partial class NDArray
{
    internal object? Source => _source;

    internal int SourceIndex => _sourceIndex;

    /// <summary>Where on the tape the array is: the same for all handles of one value.</summary>
    internal (object? Source, int Index) Place => TapeNode.Resolve(_source, _sourceIndex);

    internal bool IsDetached => (_flags & Flags.Detached) != 0;

    /// <summary>Somebody has said that there is to be no gradient, where an array without a mark may only have been forgotten.</summary>
    internal bool IsFrozen => (_flags & Flags.Frozen) != 0;

    internal bool IsRecordedWithoutGradient => (_flags & Flags.RecordedWithoutGradient) != 0;

    /// <summary>Why backward cannot start here, if it cannot.</summary>
    internal HeadEnd End => _source switch
    {
        TapeNode { IsReleased: true } => HeadEnd.Released,
        null when IsDetached => HeadEnd.Detached,
        null when IsRecordedWithoutGradient => HeadEnd.WithoutGradient,
        null => HeadEnd.NeverRecorded,
        _ => HeadEnd.None,
    };

    internal int SaveCount { get => _saveCount; set => _saveCount = value; }

    /// <summary>The gradient buffer, written by <see cref="Backward"/>; <see langword="null"/> unless a gradient was attached.</summary>
    public NDArray? Grad => AttachmentAsked?.Gradient;

    /// <summary>What backward does with <see cref="Grad"/>.</summary>
    public GradReq GradReq => AttachmentAsked?.Request ?? GradReq.Null;

    /// <summary>Set by a backward that wrote <see cref="Grad"/>, cleared by whoever consumed it (an optimizer's step).</summary>
    public bool FreshGrad
    {
        get => AttachmentAsked is { Fresh: true };
        set
        {
            if (AttachmentAsked is { } attachment) attachment.Fresh = value;
        }
    }

    /// <summary>The leaf mark of this array, or the gradient request on the intermediate result that it is.</summary>
    internal Variable? Attachment => Place switch
    {
        (Variable { Request: not GradReq.Null } variable, _) => variable,
        (TapeNode node, int index) => node.AttachmentOf(index),
        _ => null,
    };

    // The user's code asks: a trace holds for the answer.
    private Variable? AttachmentAsked
    {
        get
        {
            ExecutionState.Current.Tracer?.ReadMark(this);
            return Attachment;
        }
    }

    /// <summary>
    /// Allocates a zeroed gradient buffer and asks backward to fill it. On a leaf this makes a new variable; on a recorded intermediate result the
    /// history stays and the gradient is delivered as well.
    /// </summary>
    /// <exception cref="DTypeException">The array is not floating point.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The request is none of <see cref="Fusion.GradReq"/>.</exception>
    public void AttachGrad(GradReq gradReq = GradReq.Write)
    {
        ThrowIfUnattachable("AttachGrad");
        gradReq.ThrowIfUndefined("AttachGrad");
        ExecutionState.Current.Tracer?.ReadMark(this);
        if (gradReq == GradReq.Null) DropGrad();
        else Mark(Nd.ZerosLike(this), gradReq);
    }

    /// <summary>Forgets the gradient buffer; on a leaf also that it was a variable: optimizers leave it as it is, until <see cref="AttachGrad"/>.</summary>
    public void DropGrad()
    {
        if (ExecutionState.Current.Tracer is { } tracer)
        {
            if (!IsSymbolic || Attachment is { StandsForAnother: true }) throw tracer.SideEffect("DropGrad");
            tracer.ReadMark(this);
        }

        (_source, _sourceIndex) = TapeNode.Resolve(_source, _sourceIndex);
        if (_source is TapeNode node)
        {
            node.Attach(_sourceIndex, null);
            return;
        }

        _source = null;
        _flags |= Flags.Frozen;
    }

    /// <summary>Sets the gradient buffer to zero.</summary>
    public void ZeroGrad() => Grad?.Fill(0);

    /// <summary>The same value without history: gradients stop here. Shares storage until either is written.</summary>
    public NDArray Detach()
    {
        NDArray result = OpTable.StopGradient.Apply(this);
        result._source = null;
        result._flags |= Flags.Detached;
        return result;
    }

    /// <summary>Gradients of this head with respect to every variable it depends on; see <see cref="Autograd.Backward(NDArray, NDArray?, bool, bool?)"/>.</summary>
    public void Backward(NDArray? headGradient = null, bool retainGraph = false, bool? trainMode = null) =>
        Autograd.Backward(this, headGradient, retainGraph, trainMode);

    /// <summary>Makes this a variable, or asks for the gradient of the intermediate result that it is.</summary>
    /// <param name="gradient">The buffer.</param>
    /// <param name="request">What backward does with it.</param>
    /// <param name="standsForAnother">The array stands for a variable outside a trace.</param>
    internal void Mark(NDArray gradient, GradReq request, bool standsForAnother = false)
    {
        if (!IsSymbolic && ExecutionState.Current.Tracer is { } tracer) throw tracer.SideEffect("AttachGrad");
        Variable variable = new(this, gradient, request) { StandsForAnother = standsForAnother };
        // An intermediate whose graph was released has no history left: it becomes a leaf.
        (_source, _sourceIndex) = TapeNode.Resolve(_source, _sourceIndex);
        if (_source is TapeNode { IsReleased: false } node) node.Attach(_sourceIndex, variable);
        else SetSource(variable, 0);
        _flags &= ~(Flags.Detached | Flags.RecordedWithoutGradient | Flags.Frozen);
    }

    internal void ThrowIfUnattachable(string operation)
    {
        if (_storage is null) throw Errors.Disposed(operation);
        if (!_dtype.IsFloat)
            throw new DTypeException($"{operation}: only floating-point arrays have gradients, this one is {_dtype}. Convert it with AsType(DType.Float32).");
    }

    /// <summary>Another handle of the same value and history, for functions that have nothing to do: a later write to one is not seen in the other.</summary>
    internal NDArray Alias()
    {
        // A trace captures arrays by reference: it knows which value this one has now.
        NDArray alias = IsSymbolic ? Symbolic(Symbol!, Type) : ExecutionState.Current.Tracer is { } tracer ? tracer.Alias(this) : View(_shape, _offset, _strides);
        if (ReferenceEquals(alias, this)) return this;
        alias.SetSource(_source, _sourceIndex);
        alias._flags |= _flags & (Flags.Detached | Flags.RecordedWithoutGradient);
        return alias;
    }

    internal void SetSource(object? source, int index)
    {
        _source = source;
        _sourceIndex = index;
    }

    internal void ClearSource(HeadEnd end = HeadEnd.WithoutGradient)
    {
        _source = null;
        _flags &= ~(Flags.Detached | Flags.RecordedWithoutGradient);
        if (end == HeadEnd.Detached) _flags |= Flags.Detached;
        else if (end == HeadEnd.WithoutGradient) MarkRecordedWithoutGradient();
    }

    internal void MarkRecordedWithoutGradient() => _flags |= Flags.RecordedWithoutGradient;
}
