namespace Fusion.Kernels;

/// <summary>What an input of a <see cref="RowSpec"/> is.</summary>
internal enum RowInputKind
{
    /// <summary>One element a column, of the row or of every row.</summary>
    Elements,

    /// <summary>One element a row.</summary>
    PerRow,

    /// <summary>A number of the host, passed as an argument.</summary>
    Number,

    /// <summary>A column's index for each row, Int32 or Int64; one that is none of the row's has no column.</summary>
    Label,
}

/// <summary>An input: numbers of the description's type, a mask, or labels; <paramref name="IsShared"/>: the same elements for all rows.</summary>
internal readonly record struct RowInput(RowInputKind Kind, bool IsMask = false, bool IsShared = false);

/// <summary>A step that is no element operator.</summary>
internal enum RowStepKind
{
    /// <summary>An element operator or a constant.</summary>
    Element,

    /// <summary>The fold of an element value over the row.</summary>
    Reduce,

    /// <summary>The element of an input at the row's label; NaN if there is none.</summary>
    AtLabel,

    /// <summary>A mask of the column that is the row's label.</summary>
    IsLabel,

    /// <summary>The row's length, as a number.</summary>
    Length,

    /// <summary>A value of the row in every column.</summary>
    Repeat,
}

/// <summary>A step of a row program: values are numbered as in <see cref="KernelSpec"/>.</summary>
internal readonly record struct RowStep(RowStepKind Kind, KernelStep Element, RowReduction Reduction, int Value, int Label)
{
    public static RowStep Length => new(RowStepKind.Length, default, default, -1, -1);

    public static RowStep Of(KernelStep step) => new(RowStepKind.Element, step, default, -1, -1);

    public static RowStep Reduce(RowReduction reduction, int value) => new(RowStepKind.Reduce, default, reduction, value, -1);

    public static RowStep AtLabel(int elements, int label) => new(RowStepKind.AtLabel, default, default, elements, label);

    public static RowStep IsLabel(int label) => new(RowStepKind.IsLabel, default, default, -1, label);

    public static RowStep Repeat(int value) => new(RowStepKind.Repeat, default, default, value, -1);
}

/// <summary>How much there is of a value.</summary>
internal enum RowScope
{
    /// <summary>A constant, or a number of the host.</summary>
    Constant,

    /// <summary>One a row.</summary>
    Row,

    /// <summary>One a row and column.</summary>
    Element,
}

/// <summary>
/// What is computed of the rows of arrays: a <see cref="KernelSpec"/> whose steps may also fold a value over the row. Immutable, compared by structure.
/// The operands of a kernel are the inputs, then the outputs: an output has an element a column where its value does, otherwise one a row; then the sums, one
/// row each, to which every row adds its own.
/// </summary>
/// <remarks>
/// A kernel goes over the row once for each generation of reductions (<see cref="Depth"/>). On an accelerator a value that is needed in several passes is computed
/// in each of them, and all elements are stored in the last pass, after their inputs have been read for the last time, so an output may be the memory of an input.
/// What a kernel of the processor does is said by <see cref="RowPasses"/>.
/// </remarks>
internal sealed class RowSpec : IEquatable<RowSpec>
{
    /// <summary>The most reductions in one pass that kernels have room for in shared memory.</summary>
    public const int MaxReductionsPerPass = 4;

    private readonly RowInput[] _inputs;
    private readonly RowStep[] _steps;
    private readonly int[] _outputs, _sums;
    private readonly RowScope[] _scopes;
    private readonly int[] _depths;
    private readonly int _hash;

    /// <summary>Copies and checks the description.</summary>
    /// <exception cref="ArgumentException">A step uses a value that comes later or is of the wrong kind.</exception>
    public RowSpec(bool is64, ReadOnlySpan<RowInput> inputs, ReadOnlySpan<RowStep> steps, ReadOnlySpan<int> outputs, ReadOnlySpan<int> sums = default)
    {
        (Is64, _inputs, _steps, _outputs, _sums) = (is64, inputs.ToArray(), steps.ToArray(), outputs.ToArray(), sums.ToArray());
        (_scopes, _depths) = (new RowScope[ValueCount], new int[ValueCount]);
        for (int v = 0; v < ValueCount; v++) Analyse(v);
        foreach (int output in _outputs)
        {
            if ((uint)output >= (uint)ValueCount || IsLabelInput(output)) throw new ArgumentException($"There is no value {output} to be an output.");
        }

        foreach (int sum in _sums)
        {
            if ((uint)sum >= (uint)ValueCount || _scopes[sum] != RowScope.Element || IsMask(sum)) throw new ArgumentException($"There are no numbers {sum} to be summed over rows.");
        }

        LastPass = _outputs.Concat(_sums).Max(v => _scopes[v] == RowScope.Element ? _depths[v] : Math.Max(0, _depths[v] - 1));
        for (int k = 0; k < _steps.Length; k++)
        {
            if (_steps[k].Kind == RowStepKind.Reduce) LastPass = Math.Max(LastPass, _depths[_inputs.Length + k] - 1);
        }

        MostReductions = Enumerable.Range(0, LastPass + 1).Max(pass => Reductions(pass).Count());
        Weight = _steps.Sum(step => step.Element.Op?.Weight ?? 1);
        HashCode hash = default;
        hash.Add(is64);
        foreach (RowInput input in _inputs) hash.Add(input);
        foreach (RowStep step in _steps) hash.Add(step);
        foreach (int output in _outputs) hash.Add(output);
        foreach (int sum in _sums) hash.Add(~sum);
        _hash = hash.ToHashCode();
    }

    /// <summary>Numbers are double, not float.</summary>
    public bool Is64 { get; }

    public DType Type => Is64 ? DType.Float64 : DType.Float32;

    public ReadOnlySpan<RowInput> Inputs => _inputs;

    public ReadOnlySpan<RowStep> Steps => _steps;

    /// <summary>The value id of each output.</summary>
    public ReadOnlySpan<int> Outputs => _outputs;

    /// <summary>The value id of each sum over the rows.</summary>
    public ReadOnlySpan<int> Sums => _sums;

    public int ValueCount => _inputs.Length + _steps.Length;

    public int OperandCount => _inputs.Length + _outputs.Length + _sums.Length;

    /// <summary>The operators of its formulas: see <see cref="ElementOp.Weight"/>.</summary>
    public int Weight { get; }

    /// <summary>The pass that stores elements.</summary>
    public int LastPass { get; }

    /// <summary>Reductions in the pass that has most.</summary>
    public int MostReductions { get; }

    public RowScope Scope(int value) => _scopes[value];

    /// <summary>So many passes come before the value can be computed.</summary>
    public int Depth(int value) => _depths[value];

    /// <summary>The value is a mask, not a number.</summary>
    public bool IsMask(int value) => value < _inputs.Length
        ? _inputs[value].IsMask
        : _steps[value - _inputs.Length] switch
        {
            { Kind: RowStepKind.Repeat, Value: int repeated } => IsMask(repeated),
            { Kind: RowStepKind.IsLabel } or { Kind: RowStepKind.Element, Element.Op.IsMask: true } => true,
            _ => false,
        };

    /// <summary>The value that an operand of a kernel is, or takes.</summary>
    public int ValueOf(int operand)
    {
        int written = operand - _inputs.Length;
        return written < 0 ? operand : written < _outputs.Length ? _outputs[written] : _sums[written - _outputs.Length];
    }

    /// <summary>An operand of a kernel has an element a column.</summary>
    public bool IsElements(int operand) => operand < _inputs.Length
        ? _inputs[operand].Kind == RowInputKind.Elements
        : _scopes[ValueOf(operand)] == RowScope.Element;

    /// <summary>An operand's element type; of labels, Int32.</summary>
    public DType OperandType(int operand)
    {
        if (operand < _inputs.Length && _inputs[operand].Kind == RowInputKind.Label) return DType.Int32;
        return IsMask(ValueOf(operand)) ? DType.Bool : Type;
    }

    /// <summary>The values of the reductions of a pass.</summary>
    public IEnumerable<int> Reductions(int pass) => Enumerable.Range(_inputs.Length, _steps.Length)
        .Where(v => _steps[v - _inputs.Length].Kind == RowStepKind.Reduce && _depths[v] == pass + 1);

    public bool Equals(RowSpec? other) =>
        other is not null && (ReferenceEquals(this, other) || (_hash == other._hash && Is64 == other.Is64
        && Inputs.SequenceEqual(other.Inputs) && Steps.SequenceEqual(other.Steps) && Outputs.SequenceEqual(other.Outputs)
        && Sums.SequenceEqual(other.Sums)));

    public override bool Equals(object? obj) => Equals(obj as RowSpec);

    public override int GetHashCode() => _hash;

    /// <summary>The values that a step reads, labels not among them.</summary>
    public IEnumerable<int> Arguments(int value)
    {
        RowStep step = _steps[value - _inputs.Length];
        return step.Kind switch
        {
            RowStepKind.Element when step.Element.Op is { } op => Enumerable.Range(0, op.Arity).Select(i => step.Element[i]),
            RowStepKind.Reduce or RowStepKind.Repeat => [step.Value],
            _ => [],
        };
    }

    private bool IsLabelInput(int value) => (uint)value < (uint)_inputs.Length && _inputs[value].Kind == RowInputKind.Label;

    private void Analyse(int value)
    {
        if (value < _inputs.Length)
        {
            _scopes[value] = _inputs[value].Kind switch
            {
                RowInputKind.Elements => RowScope.Element,
                RowInputKind.Number => RowScope.Constant,
                _ => RowScope.Row,
            };
            return;
        }

        RowStep step = _steps[value - _inputs.Length];
        int index = 0;
        foreach (int argument in Arguments(value))
        {
            bool mask = step.Kind == RowStepKind.Repeat ? IsMask(argument) : step.Element.Op?.IsMaskInput(index++) ?? false;
            if ((uint)argument >= (uint)value || IsLabelInput(argument) || IsMask(argument) != mask)
            {
                string name = step.Element.Op?.Name ?? step.Kind.ToString();
                throw new ArgumentException($"Step {value - _inputs.Length}, {name}: value {argument} cannot be its argument.");
            }

            _scopes[value] = (RowScope)Math.Max((int)_scopes[value], (int)_scopes[argument]);
            _depths[value] = Math.Max(_depths[value], _depths[argument]);
        }

        if (step.Kind is RowStepKind.IsLabel or RowStepKind.AtLabel && !IsLabelInput(step.Label))
            throw new ArgumentException($"Input {step.Label} is no label.");
        if (step.Kind == RowStepKind.AtLabel && ((uint)step.Value >= (uint)_inputs.Length || _inputs[step.Value] is not { Kind: RowInputKind.Elements, IsMask: false }))
            throw new ArgumentException($"Value {step.Value} is no input of numbers with elements.");
        if (step.Kind == RowStepKind.Element) return;
        _scopes[value] = step.Kind is RowStepKind.IsLabel or RowStepKind.Repeat ? RowScope.Element : RowScope.Row;
        if (step.Kind == RowStepKind.Reduce) _depths[value]++;
    }
}
