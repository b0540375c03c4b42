namespace Fusion;

/// <summary>How an input of a function carries a gradient.</summary>
internal enum GradientMark
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>It was computed while recording, so that its history lies outside the function.</summary>
    Outside,

    /// <summary>It is a variable whose gradient is overwritten.</summary>
    Write,

    /// <summary>It is a variable to whose gradient is added.</summary>
    Add,
}

/// <summary>An input while its function is traced: the symbolic array that stands for it, and its gradient buffer.</summary>
internal sealed class TracedInput(int index, InputNode node, GraphTracer tracer)
{
    private object? _source;

    public int Index => index;

    public InputNode Node => node;

    public NDArray Symbol { get; } = tracer.Symbol(node);

    /// <summary>The buffer as an argument of the function; null unless the input is a variable.</summary>
    public InputNode? Gradient { get; private set; }

    /// <summary>The buffer as an array.</summary>
    public NDArray? GradientSymbol { get; private set; }

    /// <summary>What the function makes of <see cref="NDArray.FreshGrad"/>: fresh, when a backward inside has written the buffer; null: it leaves it as it is.</summary>
    public bool? Fresh { get; set; }

    /// <summary>The place of the input on the tape.</summary>
    public bool IsAt(object source) => ReferenceEquals(_source, source);

    /// <summary>How <paramref name="input"/> carries a gradient.</summary>
    public static GradientMark MarkOf(NDArray input) => input switch
    {
        { Source: null } => GradientMark.None,
        { Source: Variable { Request: not GradReq.Null } variable } when variable.Gradient.DType == input.DType => variable.Request == GradReq.Add ? GradientMark.Add : GradientMark.Write,
        _ => GradientMark.Outside,
    };

    public void Mark(GradientMark mark, GraphBuilder graph, GraphTracer owner)
    {
        if (mark == GradientMark.None) return;
        if (mark == GradientMark.Outside)
        {
            // Integers have a history, which leads nowhere.
            Symbol.Mark(NDArray.Symbolic(new OutsideGradient(), node.Type), node.Type.DType.IsFloat ? GradReq.Write : GradReq.Null, standsForAnother: true);
        }
        else
        {
            Gradient = graph.Input(node.Type, index, $"{node.Name}.Grad");
            GradientSymbol = owner.Symbol(Gradient);
            Symbol.Mark(GradientSymbol, mark == GradientMark.Add ? GradReq.Add : GradReq.Write, standsForAnother: true);
        }

        _source = Symbol.Source;
    }

    /// <summary>
    /// A gradient attached inside the function is the call's own; one that backward has written, or will write after the call, would have to appear at the
    /// caller's array, and so would the loss of one that the caller has attached.
    /// </summary>
    /// <param name="isReached">A result has a gradient with respect to the input.</param>
    public void ThrowIfMarkedInside(bool isReached)
    {
        if (ReferenceEquals(Symbol.Source, _source)) return;
        if (_source is not null) throw new TraceFailedException($"AttachGrad or DropGrad on input {index} changes the caller's array");
        if (Symbol.FreshGrad || isReached) throw new TraceFailedException($"AttachGrad on input {index} and Backward change the caller's array");
    }
}
