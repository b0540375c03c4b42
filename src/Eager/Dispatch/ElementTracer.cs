using Fusion.Kernels;

namespace Fusion;

/// <summary>Turns a formula of the library, written with the public element-wise functions, into the description of one kernel.</summary>
internal sealed class ElementTracer : Tracer
{
    private readonly DType _dtype;
    private readonly int _inputs;
    private readonly List<KernelStep> _steps = [];

    private ElementTracer(DType dtype, int inputs) => (_dtype, _inputs) = (dtype, inputs);

    /// <summary>The kernel of <paramref name="formula"/> over operands of Float32 or Float64 and masks; its outputs are the results.</summary>
    /// <exception cref="InvalidOperationException">The formula does something that is not element-wise, or reads an array that it was not given.</exception>
    public static KernelSpec Trace(bool is64, ReadOnlySpan<KernelInput> inputs, Func<NDArray[], NDArray[]> formula)
    {
        ElementTracer tracer = new(is64 ? DType.Float64 : DType.Float32, inputs.Length);
        ExecutionState state = ExecutionState.Current;
        state.Tracer = tracer;
        try
        {
            NDArray[] symbols = new NDArray[inputs.Length];
            for (int i = 0; i < symbols.Length; i++) symbols[i] = tracer.Symbol(i, inputs[i].IsMask);
            NDArray[] results = formula(symbols);
            int[] outputs = Array.ConvertAll(results, tracer.ValueOf); // adds steps for results that are constants
            return new KernelSpec(is64, inputs, tracer._steps.ToArray(), outputs);
        }
        finally
        {
            state.Tracer = null;
        }
    }

    public override void Apply(Op op, ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        if (op.Element is not { } element) throw new InvalidOperationException($"{op.Name} is not element-wise: the formula of a kernel cannot use it.");
        int[] arguments = new int[inputs.Length];
        for (int i = 0; i < arguments.Length; i++) arguments[i] = ValueOf(inputs[i]);
        outputs[0] = Add(KernelStep.Of(element, arguments), element.IsMask);
    }

    public override Exception ValueRead(string operation) => new InvalidOperationException($"{operation}: the formula of a kernel reads no values.");

    public override Exception SideEffect(string operation) => new InvalidOperationException($"{operation}: the formula of a kernel changes nothing itself.");

    // A constant of the formula becomes a step without arguments.
    private int ValueOf(NDArray array) => array.Symbol is Value value
        ? value.Id
        : array.IsConstant ? ((Value)Add(KernelStep.Of(Movement.Cast(array, DType.Float64).ScalarDouble()), false).Symbol!).Id
        : throw new InvalidOperationException("The formula of a kernel captures no arrays: pass them as arguments.");

    private NDArray Add(KernelStep step, bool isMask)
    {
        _steps.Add(step);
        return Symbol(_inputs + _steps.Count - 1, isMask);
    }

    // The shape plays no part: every operand has the same, or one element.
    private NDArray Symbol(int id, bool isMask = false) => NDArray.Symbolic(new Value(id), new TensorType(isMask ? DType.Bool : _dtype, 1));

    private sealed class Value(int id) : SymbolicValue
    {
        public int Id => id;
    }
}
