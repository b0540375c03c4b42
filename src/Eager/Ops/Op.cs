using Fusion.Kernels;

namespace Fusion;

/// <summary>The types of an operator's outputs from those of its inputs; throws where the user wrote the call.</summary>
internal delegate void InferRule(ReadOnlySpan<TensorType> inputs, object? attributes, Span<TensorType> outputs);

/// <summary>Computes into <paramref name="outputs"/>, which are allocated, contiguous and alias no input.</summary>
internal delegate void KernelRule(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs);

/// <summary>As <see cref="KernelRule"/>, with a function that is called for every finished rectangle of the output (columns from <see cref="Op.ProductAxis"/> on, rows before).</summary>
internal delegate void ProductRule(ReadOnlySpan<NDArray> inputs, object? attributes, NDArray output, GemmFinish finish);

/// <summary>As <see cref="ProductRule"/> on an accelerator, with a kernel on the elements where they are finished.</summary>
internal delegate void DeviceProductRule(ReadOnlySpan<NDArray> inputs, object? attributes, NDArray output, ProductWork work);

/// <summary>Multiplications with an addition that a call needs.</summary>
internal delegate long MultiplyAddRule(ReadOnlySpan<TensorType> inputs, object? attributes, TensorType output);

/// <summary>Computes some rows of an operator that works by rows. The operands are contiguous; the output aliases no input.</summary>
/// <param name="operands">The first of these rows in every input, then in the output.</param>
/// <param name="types">The element types of the operands.</param>
/// <param name="attributes">Of the operator.</param>
/// <param name="rows">How many rows.</param>
/// <param name="columns">Elements of a row.</param>
internal unsafe delegate void RowKernelRule(nint* operands, ReadOnlySpan<DType> types, object? attributes, long rows, long columns);

/// <summary>
/// An operator that computes every row of its output from the same row of its inputs; an operand has whole rows or one element a row, or is one row that
/// all share.
/// </summary>
/// <param name="Columns">The length of a row of the first input; 0: not by rows with these attributes.</param>
/// <param name="Run">Some rows: the same bits as all at once.</param>
internal sealed record RowRule(Func<TensorType, object?, long> Columns, RowKernelRule Run)
{
    /// <summary>The inputs from this one on are vectors, read by every row.</summary>
    public int FirstVector { get; init; } = int.MaxValue;

    /// <summary>What a reduction folds its elements with: they may then be cut into blocks.</summary>
    public ReduceKind? Fold { get; init; }

    /// <summary>For a reduction: the length of a row of the first input when it reduces all rows to one; 0: it does not.</summary>
    public Func<TensorType, object?, long>? FoldedColumns { get; init; }

    /// <summary>Throws on values that the operator refuses, given those of its inputs that are not floating-point, the length of a row and its attributes.</summary>
    public Action<NDArray, long, object?>? Check { get; init; }
}

/// <summary>
/// An operator that sums over rows what it computes of each: some numbers for every column. Blocks of <see cref="RowSums.Block"/> rows are added up in the order
/// of the rows, and then the blocks, so that rows may be taken a few at a time, where they are in the cache.
/// </summary>
/// <param name="Columns">The length of a row of the first input.</param>
/// <param name="Take">Adds some rows of a block to its sums, which take the place of the output.</param>
internal sealed record RowSumRule(Func<TensorType, object?, long> Columns, RowKernelRule Take)
{
    /// <summary>What it adds up, as formulas, in the order of its output's rows.</summary>
    public required RowTermsRule Terms { get; init; }
}

/// <summary>How an operator without inputs draws random numbers.</summary>
/// <param name="Blocks">Blocks of the stream that a result of a type uses up: known before the numbers are, so that many draws can be placed at once.</param>
/// <param name="Source">The numbers, for kernels that make them themselves; null where only whole arrays are filled.</param>
internal sealed record DrawRule(Func<TensorType, ulong> Blocks, Func<object?, DType, NumberSource?>? Source = null);

/// <summary>
/// An operator that makes an input of another one, of operands that the other one reads, too: the processor computes both in one pass over memory.
/// </summary>
/// <param name="Maker">That operator; its attributes are the other one's, or none.</param>
/// <param name="Input">Which input it makes.</param>
/// <param name="Operands">Which inputs its operands are.</param>
/// <param name="Run">From all other inputs the result of the operator that has this rule, then the maker's: the same bits as one after the other.</param>
internal sealed record CompanionRule(Func<Op> Maker, int Input, int[] Operands, KernelRule Run);

/// <summary>Writes an operator into a row program: its result, one element a row or one a column.</summary>
internal delegate RowValue RowFormulaRule(RowSpecBuilder program, ReadOnlySpan<RowValue> inputs, object? attributes);

/// <summary>Writes into a row program what an operator sums over rows: one element a column each.</summary>
internal delegate RowValue[] RowTermsRule(RowSpecBuilder program, ReadOnlySpan<RowValue> inputs, object? attributes);

/// <summary>An operator that kernels for rows compute beside others, to the bits of its own kernel; an input has whole rows, one element a row, or one a column.</summary>
/// <param name="Columns">The length of a row of the first input; 0: not by rows with these attributes.</param>
/// <param name="Write">The formula.</param>
internal sealed record RowFormula(Func<TensorType, object?, long> Columns, RowFormulaRule Write)
{
    /// <summary>On the lines of the last axis.</summary>
    public static RowFormula Lines(RowFormulaRule write) => new(static (x, _) => x.Shape.Rank == 0 ? 0 : x.Shape[-1], write);
}

/// <summary>
/// The gradient with respect to one input, written with public differentiable operators only. It may have any shape that the input broadcasts
/// to (un-broadcasting happens where gradients are added up).
/// </summary>
internal delegate NDArray GradientRule(GradientContext context);

/// <summary>
/// The gradients of all inputs that have a rule in one pass over memory, with the bits of the rules one by one; they need not be differentiable.
/// </summary>
internal delegate NDArray[] JointGradientRule(GradientContext context);

/// <summary>
/// All input gradients at once, for operators that are not rows of the table (custom functions, compiled functions). The pass knows what has arrived at the
/// inputs before: a rule that stands for several operators may take it and hand back the whole sum.
/// </summary>
internal delegate void BackwardRule(TapeNode node, ReadOnlySpan<NDArray?> outputGradients, Span<NDArray?> inputGradients, BackwardPass pass);

/// <summary>Repeats the calls that a node stands for, so that they are on the tape; returns their outputs, or null where that is not possible.</summary>
internal delegate IReadOnlyList<NDArray>? ExpansionRule(TapeNode node);

/// <summary>
/// For a node that stands for several operators: the whole gradients of those outputs that are asked for, of which others may be computed; null where none arrives.
/// </summary>
internal delegate NDArray?[] OutputGradientsRule(TapeNode node, ReadOnlySpan<NDArray?> outputGradients, bool[] asked, BackwardPass pass);

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
    Input3 = 8,
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
internal sealed partial class Op
{
    public required string Name { get; init; }

    /// <summary>The number of inputs; −1: any.</summary>
    public int Arity { get; init; } = 1;

    /// <summary>The number of outputs; rows of the table have one.</summary>
    public int Outputs { get; init; } = 1;

    public required InferRule Infer { get; init; }

    public required KernelRule Run { get; init; }

    /// <summary>As <see cref="Run"/> on arrays of an accelerator; null: the operator is computed by the processor, on copies.</summary>
    public KernelRule? DeviceRun { get; init; }

    /// <summary>One rule per input (the last one repeats for further inputs); a null entry: the derivative is zero by definition.</summary>
    public GradientRule?[]? Gradient { get; init; }

    /// <summary>Beside <see cref="Gradient"/>: for a backward of the processor that asks for all of those that have a rule, and records nothing.</summary>
    public JointGradientRule? Joint { get; init; }

    /// <summary>Instead of <see cref="Gradient"/>.</summary>
    public BackwardRule? Backward { get; init; }

    /// <summary>For a node that stands for several operators: how they come onto the tape when their gradients are to be differentiated again.</summary>
    public ExpansionRule? Expansion { get; init; }

    /// <summary>Beside <see cref="Expansion"/>: where the calls cannot come onto the tape.</summary>
    public OutputGradientsRule? OutputGradients { get; init; }

    /// <summary>For a node that stands for several operators: of each output, which inputs its gradients reach; null: any of them.</summary>
    public bool[][]? Reach { get; init; }

    /// <summary>Likewise: of each output, which operator made it.</summary>
    public Op?[]? Makers { get; init; }

    /// <summary>For a node that is not a row's but can be called again with other inputs: the call.</summary>
    public Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>>? Repeat { get; init; }

    /// <summary>The element expression; <see langword="null"/>: never inside a fusion group.</summary>
    public ElementOp? Element { get; init; }

    /// <summary>An element-wise operator that repeats most of this one's work on the same operand, such as a function beside its slope: a kernel computes both.</summary>
    public Op? Kin { get; private set; }

    /// <summary>
    /// The element-wise row whose results the operator adds up, of the same inputs: its gradient rules are that row's, with the gradient of the sum spread out.
    /// </summary>
    public Op? Terms { get; init; }

    /// <summary>
    /// The operator is a matrix product or convolution: the same as <see cref="Run"/>, with work on its result that is done while that is in the cache.
    /// </summary>
    public ProductRule? Product { get; init; }

    /// <summary>As <see cref="Product"/> on arrays of an accelerator.</summary>
    public DeviceProductRule? DeviceProduct { get; init; }

    /// <summary>The first axis of the columns of a product's result: the last one, or 2 for the pixels of convolutions.</summary>
    public int ProductAxis { get; init; } = -1;

    /// <summary>What a matrix product or convolution costs, for the cost model; null: work in proportion to the elements.</summary>
    public MultiplyAddRule? MultiplyAdds { get; init; }

    /// <summary>One of its inputs can be computed along.</summary>
    public CompanionRule? Companion { get; init; }

    /// <summary>The operator works by rows, and how it computes some of them.</summary>
    public RowRule? Rows { get; init; }

    /// <summary>The operator sums over rows, and how it takes some of them.</summary>
    public RowSumRule? Sums { get; init; }

    /// <summary>As <see cref="Rows"/>, in kernels that are written for several operators.</summary>
    public RowFormula? Formula { get; init; }

    /// <summary>Elements are moved or converted and never computed with: those of half precision, too, as they are.</summary>
    public bool Moves { get; init; }

    /// <summary>When set, eager execution and plans make a view instead of calling <see cref="Run"/>.</summary>
    public ViewRule? View { get; init; }

    public Saved Saves { get; init; }

    /// <summary>
    /// What the rule of each input reads, where that is less than <see cref="Saves"/>: a value that only the gradient of a constant operand would need
    /// is not kept, and may be overwritten.
    /// </summary>
    public Saved[]? SavesPerInput { get; init; }

    public Cost Cost { get; init; } = Cost.ComputeBound;

    /// <summary>No values of its inputs make it throw: once a call is accepted, it gives a result.</summary>
    public bool IsTotal { get; init; }

    /// <summary>The operator draws random numbers.</summary>
    public DrawRule? Draw { get; init; }

    /// <summary>Every call gives another result (random numbers): never merged or recomputed, and places in the stream are given out in program order.</summary>
    public bool Impure => Draw is not null;

    public override string ToString() => Name;

    /// <summary>Sets <see cref="Kin"/>.</summary>
    public Op BesideOf(Op kin)
    {
        Kin = kin;
        return this;
    }

    public GradientRule? GradientFor(int input) => Gradient is null ? null : Gradient[Math.Min(input, Gradient.Length - 1)];

    /// <summary>Computes into the outputs, where they are.</summary>
    public void Compute(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        if (outputs[0].IsOnGpu) ComputeGuarded(inputs, attributes, outputs);
        else Run(inputs, attributes, outputs);
    }

    public NDArray Apply(NDArray x, object? attributes = null) => Dispatcher.Apply(this, x, attributes);

    public NDArray Apply(NDArray x, NDArray y, object? attributes = null) => Dispatcher.Apply(this, x, y, attributes);

    public NDArray Apply(ReadOnlySpan<NDArray> inputs, object? attributes = null) => Dispatcher.Apply(this, inputs, attributes);

    private void ComputeGuarded(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        GpuDevice? device = outputs[0].Accelerator;
        try
        {
            ComputeOnDevice(inputs, attributes, outputs);
        }
        catch (Exception e) when (DeviceFailures.Of(e, device) is { } failure)
        {
            throw failure;
        }
    }

    // Element-wise kernels take numbers of the processor as they are; for other operators they move.
    private void ComputeOnDevice(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        if (DeviceRun is not { } run)
        {
            HostFallback.Run(this, inputs, attributes, outputs);
            return;
        }

        bool takesNumbers = Element is not null || attributes is DeviceAttributes;
        run(takesNumbers ? inputs : Movement.OnDevice(inputs, outputs[0].Accelerator!), attributes, outputs);
    }
}
