using Fusion.Kernels;

namespace Fusion;

/// <summary>The types of an operator's outputs from those of its inputs; throws where the user wrote the call.</summary>
internal delegate void InferRule(ReadOnlySpan<TensorType> inputs, object? attributes, Span<TensorType> outputs);

/// <summary>Computes into <paramref name="outputs"/>, which are allocated, contiguous and alias no input.</summary>
internal delegate void KernelRule(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs);

/// <summary>
/// The gradient with respect to one input, written with public differentiable operators only. It may have any shape that the input broadcasts
/// to (un-broadcasting happens where gradients are added up).
/// </summary>
internal delegate NDArray GradientRule(GradientContext context);

/// <summary>All input gradients at once, for operators that are not rows of the table (custom functions, compiled functions).</summary>
internal delegate void BackwardRule(TapeNode node, ReadOnlySpan<NDArray?> outputGradients, Span<NDArray?> inputGradients);

/// <summary>The same elements seen through another shape, offset or strides: the result shares storage with the input.</summary>
internal delegate NDArray ViewRule(NDArray input, object? attributes);

/// <summary>Which values the gradient rules of an operator read. The tape keeps these and nothing else.</summary>
[Flags]
internal enum Saved
{
    None = 0,
    Input0 = 1,
    Input1 = 2,
    Input2 = 4,
    Inputs = 0xFFFF,
    Output = 0x10000,
}

/// <summary>Whether a value is cheaper to compute again than to keep.</summary>
internal enum Cost
{
    /// <summary>Element-wise work and movement: may be recomputed.</summary>
    MemoryBound,

    /// <summary>Contractions, reductions and row operators: computed once.</summary>
    ComputeBound,
}

/// <summary>Everything Fusion knows about one operator: its row is its whole definition.</summary>
internal sealed class Op
{
    public required string Name { get; init; }

    /// <summary>The number of inputs; −1: any.</summary>
    public int Arity { get; init; } = 1;

    /// <summary>The number of outputs; rows of the table have one.</summary>
    public int Outputs { get; init; } = 1;

    public required InferRule Infer { get; init; }

    public required KernelRule Run { get; init; }

    /// <summary>One rule per input (the last one repeats for further inputs); a null entry: the derivative is zero by definition.</summary>
    public GradientRule?[]? Gradient { get; init; }

    /// <summary>Instead of <see cref="Gradient"/>.</summary>
    public BackwardRule? Backward { get; init; }

    /// <summary>The element expression; <see langword="null"/>: never inside a fusion group.</summary>
    public ElementOp? Element { get; init; }

    /// <summary>When set, eager execution and plans make a view instead of calling <see cref="Run"/>.</summary>
    public ViewRule? View { get; init; }

    public Saved Saves { get; init; }

    /// <summary>
    /// What the rule of each input reads, where that is less than <see cref="Saves"/>: a value that only the gradient of a constant operand would need
    /// is not kept, and may be overwritten.
    /// </summary>
    public Saved[]? SavesPerInput { get; init; }

    public Cost Cost { get; init; } = Cost.ComputeBound;

    /// <summary>Every call gives another result (random numbers): never merged, dropped or recomputed, executed in program order.</summary>
    public bool Impure { get; init; }

    public override string ToString() => Name;

    public GradientRule? GradientFor(int input) => Gradient is null ? null : Gradient[Math.Min(input, Gradient.Length - 1)];

    public NDArray Apply(NDArray x, object? attributes = null) => Dispatcher.Apply(this, x, attributes);

    public NDArray Apply(NDArray x, NDArray y, object? attributes = null) => Dispatcher.Apply(this, x, y, attributes);

    public NDArray Apply(ReadOnlySpan<NDArray> inputs, object? attributes = null) => Dispatcher.Apply(this, inputs, attributes);
}
