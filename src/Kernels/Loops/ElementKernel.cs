namespace Fusion.Kernels;

/// <summary>
/// A loop over the flat elements [start, end) of its operands. <c>table</c> holds one pointer per operand, inputs first, then outputs; the
/// element i of an operand is at <c>pointer + i·size</c>, and a scalar operand (see the kernel's own description) is read once, at its pointer.
/// <c>start</c> is a multiple of 16; a kernel works in whole registers and may read and write up to 63 bytes past <c>end</c> (blocks are padded).
/// </summary>
/// <remarks>The same signature for loops compiled ahead of time and for compiled expression trees.</remarks>
public delegate void ElementLoop(nint table, long start, long end);

/// <summary>A loop as a function pointer (ahead-of-time loops) or as one or more delegates (compiled expression trees).</summary>
internal readonly unsafe struct ElementKernel
{
    private readonly delegate*<nint, long, long, int, void> _pointer;
    private readonly TieredLoop? _compiled;
    private readonly StreamedLoop? _streamed;
    private readonly int _scalars;
    private readonly int _weight;

    /// <summary>A loop of <paramref name="weight"/> operators that takes as its last argument which operands are scalars (bit i: operand i).</summary>
    public ElementKernel(delegate*<nint, long, long, int, void> pointer, int scalars, int weight = 1, StreamedLoop? streamed = null)
    {
        _pointer = pointer;
        _scalars = scalars;
        _weight = weight;
        _streamed = streamed;
    }

    public ElementKernel(ElementLoop loop, int weight = 1) => _compiled = new TieredLoop(loop, weight);

    public ElementKernel(TieredLoop loop, StreamedLoop? streamed = null) => (_compiled, _streamed) = (loop, streamed);

    public bool IsEmpty => _pointer == null && _compiled is null;

    /// <summary>The operators that its formula expands to, for each element: see <see cref="ElementOp.Weight"/>.</summary>
    public int Weight => _compiled?.Operators ?? _weight;

    /// <summary>No faster loop will take over.</summary>
    public bool IsFinal => _compiled is null or { IsFinal: true };

    /// <summary>The faster loop takes over now.</summary>
    public ElementKernel Settled()
    {
        _compiled?.TakeOver();
        return this;
    }

    /// <summary>It can be told which operands are scalars.</summary>
    public bool TakesScalars => _pointer != null;

    /// <summary>The loop with stores past the caches, if there is one and it is compiled.</summary>
    public TieredLoop? Streamed => _streamed?.Ask();

    /// <summary>The same loop with further operands read once.</summary>
    public ElementKernel WithScalars(int scalars) => new(_pointer, _scalars | scalars, _weight);

    public void Invoke(nint table, long start, long end)
    {
        if (_pointer != null) _pointer(table, start, end, _scalars);
        else _compiled!.Invoke(table, start, end);
    }
}
