namespace Fusion.Kernels;

/// <summary>A value of a row program that is being written.</summary>
internal readonly struct RowValue(RowSpecBuilder builder, int id)
{
    public int Id => id;

    public RowSpecBuilder Builder => builder;

    public static RowValue operator +(RowValue a, RowValue b) => a.Builder.Apply(ElementOps.Add, a, b);

    public static RowValue operator -(RowValue a, RowValue b) => a.Builder.Apply(ElementOps.Subtract, a, b);

    public static RowValue operator *(RowValue a, RowValue b) => a.Builder.Apply(ElementOps.Multiply, a, b);

    public static RowValue operator /(RowValue a, RowValue b) => a.Builder.Apply(ElementOps.Divide, a, b);

    public static RowValue operator -(RowValue a) => a.Builder.Apply(ElementOps.Negate, a);
}

/// <summary>Writes a <see cref="RowSpec"/> as formulas. Inputs come before steps.</summary>
internal sealed class RowSpecBuilder(bool is64)
{
    private readonly List<RowInput> _inputs = [];
    private readonly List<RowStep> _steps = [];
    private readonly List<int> _outputs = [];
    private readonly List<int> _sums = [];
    private readonly Dictionary<RowStep, int> _known = [];

    /// <summary>An input with an element a column, of each row or one row for all.</summary>
    public RowValue Elements(bool mask = false, bool shared = false) => Input(new(RowInputKind.Elements, mask, shared));

    /// <summary>An input with an element a row.</summary>
    public RowValue PerRow(bool mask = false) => Input(new(RowInputKind.PerRow, mask));

    /// <summary>A number of the host.</summary>
    public RowValue Number(bool mask = false) => Input(new(RowInputKind.Number, mask));

    /// <summary>A column a row.</summary>
    public RowValue Label() => Input(new(RowInputKind.Label));

    public RowValue Constant(double value) => Step(RowStep.Of(KernelStep.Of(value)));

    public RowValue Apply(ElementOp op, params ReadOnlySpan<RowValue> arguments)
    {
        Span<int> ids = stackalloc int[arguments.Length];
        for (int i = 0; i < ids.Length; i++) ids[i] = arguments[i].Id;
        return Step(RowStep.Of(KernelStep.Of(op, ids)));
    }

    public RowValue Reduce(RowReduction reduction, RowValue value) => Step(RowStep.Reduce(reduction, value.Id));

    /// <summary>
    /// The element at the row's label. A label that is no column gives NaN of an input, and −∞ of what is computed: its maximum where the label is.
    /// </summary>
    public RowValue At(RowValue elements, RowValue label) => elements.Id < _inputs.Count
        ? Step(RowStep.AtLabel(elements.Id, label.Id))
        : Reduce(RowReduction.Max, Apply(ElementOps.Where, Is(label), elements, Constant(double.NegativeInfinity)));

    /// <summary>A value of the row in every column.</summary>
    public RowValue Repeat(RowValue value) => Step(RowStep.Repeat(value.Id));

    /// <summary>Set in the column of the row's label.</summary>
    public RowValue Is(RowValue label) => Step(RowStep.IsLabel(label.Id));

    /// <summary>The row's length.</summary>
    public RowValue Length() => Step(RowStep.Length);

    public void Output(RowValue value) => _outputs.Add(value.Id);

    /// <summary>Adds the numbers of all rows, column by column.</summary>
    public void Sum(RowValue value) => _sums.Add(value.Id);

    public RowSpec Build() => new(is64, [.. _inputs], [.. _steps], [.. _outputs], [.. _sums]);

    private RowValue Input(RowInput input)
    {
        if (_steps.Count > 0) throw new InvalidOperationException("Inputs come before steps.");
        _inputs.Add(input);
        return new(this, _inputs.Count - 1);
    }

    // Steps are pure: what was written before is the same value.
    private RowValue Step(RowStep step)
    {
        if (_known.TryGetValue(step, out int id)) return new(this, id);
        _steps.Add(step);
        _known.Add(step, _inputs.Count + _steps.Count - 1);
        return new(this, _inputs.Count + _steps.Count - 1);
    }
}
