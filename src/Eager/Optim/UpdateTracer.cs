using Fusion.Kernels;

namespace Fusion.Optim;

/// <summary>Turns an update formula, written with the public element-wise functions, into the description of one kernel.</summary>
internal sealed class UpdateTracer(bool is64, int arrays, int scalars) : Tracer
{
    private readonly DType _dtype = is64 ? DType.Float64 : DType.Float32;
    private readonly List<KernelStep> _steps = [];

    /// <summary>The kernel of <paramref name="formula"/> over so many arrays and scalars; its outputs are the new values of the arrays.</summary>
    public static KernelSpec Trace(UpdateFormula formula, bool is64, int arrays, int scalars)
    {
        UpdateTracer tracer = new(is64, arrays, scalars);
        ExecutionState state = ExecutionState.Current;
        state.Tracer = tracer;
        try
        {
            NDArray[] inputs = new NDArray[arrays + scalars];
            for (int i = 0; i < inputs.Length; i++) inputs[i] = tracer.Symbol(i);
            NDArray[] results = formula(inputs.AsSpan(0, arrays), inputs.AsSpan(arrays));
            KernelInput[] operands = new KernelInput[inputs.Length];
            for (int i = 0; i < operands.Length; i++) operands[i] = new KernelInput(IsScalar: i >= arrays);
            return new KernelSpec(is64, operands, tracer._steps.ToArray(), Array.ConvertAll(results, tracer.ValueOf));
        }
        finally
        {
            state.Tracer = null;
        }
    }

    public override void Apply(Op op, ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        if (op.Element is not { } element) throw new InvalidOperationException($"{op.Name} is not element-wise: an update formula cannot use it.");
        int[] arguments = new int[inputs.Length];
        for (int i = 0; i < arguments.Length; i++) arguments[i] = ValueOf(inputs[i]);
        outputs[0] = Add(KernelStep.Of(element, arguments), element.IsMask);
    }

    public override Exception ValueRead(string operation) => new InvalidOperationException($"{operation}: an update formula reads no values.");

    public override Exception SideEffect(string operation) => new InvalidOperationException($"{operation}: an update formula changes nothing itself.");

    // A constant of the formula becomes a step without arguments.
    private int ValueOf(NDArray array) => array.Symbol is Value value
        ? value.Id
        : array.IsConstant ? ((Value)Add(KernelStep.Of(Movement.Cast(array, DType.Float64).ScalarDouble()), false).Symbol!).Id
        : throw new InvalidOperationException("An update formula captures no arrays: pass them as arguments.");

    private NDArray Add(KernelStep step, bool isMask)
    {
        _steps.Add(step);
        return Symbol(arrays + scalars + _steps.Count - 1, isMask);
    }

    // The shape plays no part: every operand has the same, or one element.
    private NDArray Symbol(int id, bool isMask = false) => NDArray.Symbolic(new Value(id), new TensorType(isMask ? DType.Bool : _dtype, 1));

    private sealed class Value(int id) : SymbolicValue
    {
        public int Id => id;
    }
}
