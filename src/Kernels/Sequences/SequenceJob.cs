namespace Fusion.Kernels;

/// <summary>What one step of a recurrent layer computes from its gates.</summary>
internal enum RecurrentCell
{
    /// <summary>h′ = tanh(a).</summary>
    Tanh,

    /// <summary>h′ = max(0, a).</summary>
    Relu,

    /// <summary>i, f, g, o; c′ = f·c + i·g, h′ = o·tanh(c′).</summary>
    Lstm,

    /// <summary>r, z, n; h′ = (1 − z)·n + z·h.</summary>
    Gru,
}

/// <summary>The sizes of a sequence and where its parts lie. All of it is in elements; a state is (batch, hidden).</summary>
/// <remarks>
/// The states are, one below the other: the hidden states, <c>Time + 1</c> of them with the first one before the first step (behind the last one in the reverse
/// direction, so that both the states and their predecessors are contiguous in the order of time); for an LSTM the cell states alike, or only the last one when
/// nothing is kept for the gradient; then, if kept, for every time and sample the <see cref="Kept"/> values of each unit.
/// </remarks>
internal readonly struct SequenceLayout(RecurrentCell cell, long time, long batch, long hidden, bool reverse, bool keep)
{
    public RecurrentCell Cell => cell;

    public long Time => time;

    public long Batch => batch;

    public long Hidden => hidden;

    public bool Reverse => reverse;

    public bool Keep => keep;

    /// <summary>Elements of one state.</summary>
    public long State => batch * hidden;

    /// <summary>Products of a unit in one step.</summary>
    public long Gates => cell switch { RecurrentCell.Lstm => 4, RecurrentCell.Gru => 3, _ => 1 };

    /// <summary>There is a cell state beside the hidden one.</summary>
    public bool HasCell => cell == RecurrentCell.Lstm;

    /// <summary>Values of a unit in one step that the gradient reads: i, f, g, o of an LSTM; r, z, n and the product before the reset of a GRU.</summary>
    public long Kept => cell is RecurrentCell.Lstm or RecurrentCell.Gru ? 4 : 0;

    /// <summary>States in all.</summary>
    public long States => CellPlane + (HasCell ? keep ? time + 1 : 1 : 0) + (keep ? Kept * time : 0);

    /// <summary>States in what the gradient gives: of the gates' inputs, for a GRU of their products as well, then of the first states.</summary>
    public long Gradients(bool first) => (Gates + (cell == RecurrentCell.Gru ? Gates : 0)) * time + (first ? HasCell ? 2 : 1 : 0);

    /// <summary>The hidden state that the step of a time starts from.</summary>
    public long Before(long t) => reverse ? t + 1 : t;

    /// <summary>The hidden state after the step of a time.</summary>
    public long After(long t) => reverse ? t : t + 1;

    /// <summary>The cell state that the step of a time starts from.</summary>
    public long CellBefore(long t) => CellPlane + (keep ? Before(t) : 0);

    /// <summary>The cell state after the step of a time.</summary>
    public long CellAfter(long t) => CellPlane + (keep ? After(t) : 0);

    /// <summary>The first kept value of a sample at a time.</summary>
    public long KeptAt(long t, long sample) => ((CellPlane + (HasCell ? time + 1 : 0)) * State) + ((t * batch) + sample) * Kept * hidden;

    private long CellPlane => time + 1;
}

/// <summary>The operands of a sequence; each kernel says which it uses.</summary>
internal unsafe struct SequenceJob
{
    public SequenceLayout Layout;

    /// <summary>W, (gates·hidden, hidden).</summary>
    public nint Weight;

    /// <summary>The inputs' share of the gates, (time, batch, gates·hidden).</summary>
    public nint Gates;

    /// <summary>gates·hidden values that are added to h·Wᵀ, or 0.</summary>
    public nint Bias;

    public nint FirstHidden;
    public nint FirstCell;

    /// <summary>Written forward, read backward: see <see cref="SequenceLayout"/>.</summary>
    public nint States;

    /// <summary>The gradient of the hidden states, (time, batch, hidden) at these distances.</summary>
    public nint Upstream;
    public long UpstreamTime;
    public long UpstreamBatch;

    /// <summary>The gradient of the last cell state.</summary>
    public nint UpstreamCell;

    /// <summary>What backward writes: see <see cref="SequenceLayout.Gradients"/>.</summary>
    public nint Gradients;

    /// <summary>The gradients of the first states are wanted.</summary>
    public bool First;

    /// <summary>The packed weight (a <see cref="PackedMatrix{T}"/> of the element type).</summary>
    public void* Packed;

    public long RowsPerChunk;
    public delegate*<SequenceJob*, long, long, void> Body;
}
