using Fusion.Kernels;

namespace Fusion.Optim;

/// <summary>
/// The new values of the first arrays of a parameter's state, written with public element-wise functions: of the arrays (parameter, state…, gradient),
/// all of one shape, and of numbers that change from step to step, as arrays of one element; numbers that never change are C# numbers.
/// </summary>
internal delegate NDArray[] UpdateFormula(ReadOnlySpan<NDArray> arrays, ReadOnlySpan<NDArray> scalars);

/// <summary>
/// An update in place, one pass over memory: the formula is traced once per element type and compiled to one kernel. Where code cannot be compiled at run
/// time, and while a function is traced, the formula runs operator by operator, with the same bits. The numbers are read when the update is made, in a
/// compiled step at every call.
/// </summary>
internal sealed class FusedUpdate(UpdateFormula formula, HostNumbers read, int arrays, int outputs, int scalars)
{
    private readonly Compiled?[] _compiled = new Compiled?[2];

    /// <summary>Replaces a parameter and its state by their new values.</summary>
    /// <param name="index">The parameter's position, for the numbers.</param>
    /// <param name="parameter">The parameter.</param>
    /// <param name="state">What is kept of it.</param>
    /// <param name="gradient">Its gradient.</param>
    public void Run(int index, NDArray parameter, NDArray[] state, NDArray gradient)
    {
        // Of a fixed length the operands need no array of their own.
        switch (state)
        {
            case []:
                Run(index, [parameter, gradient]);
                break;
            case [NDArray a]:
                Run(index, [parameter, a, gradient]);
                break;
            case [NDArray a, NDArray b]:
                Run(index, [parameter, a, b, gradient]);
                break;
            case [NDArray a, NDArray b, NDArray c]:
                Run(index, [parameter, a, b, c, gradient]);
                break;
            default:
                Run(index, [parameter, .. state, gradient]);
                break;
        }
    }

    /// <summary>Replaces the first arrays by their new values.</summary>
    /// <param name="index">The parameter's position, for the numbers.</param>
    /// <param name="operands">The parameter, its state, its gradient.</param>
    public void Run(int index, ReadOnlySpan<NDArray> operands)
    {
        foreach (NDArray operand in operands)
        {
            if (!operand.DType.IsHalf) continue;
            RunWide(index, operands);
            return;
        }

        DType dtype = operands[0].DType;
        if (ExecutionState.Current.Tracer is { } tracer)
        {
            Assign(operands, formula(operands, tracer.Numbers(read, index, scalars, dtype)));
            return;
        }

        Compiled compiled = _compiled[dtype == DType.Float64 ? 1 : 0] ??= new Compiled(formula, dtype, arrays, scalars);
        Span<double> numbers = stackalloc double[scalars];
        read(index, numbers);
        for (int i = 0; i < scalars; i++) compiled.Set(i, numbers[i]);
        if (!compiled.CanRun(operands[0]))
        {
            Assign(operands, formula(operands, compiled.Scalars));
            return;
        }

        for (int i = 0; i < outputs; i++) operands[i].BeginWrite("the optimizer's Step", keepValue: true, fromLibrary: true);
        if (operands[0].Size == 0) return;
        NDArray[] inputs = compiled.Inputs;
        operands.CopyTo(inputs);
        if (operands[0].IsOnGpu) DeviceElementExecution.Run(compiled.Spec, inputs, operands[..outputs], operands[0].Shape);
        else ElementExecution.Run(compiled.Kernel!.Value, compiled.ScalarMask, inputs, operands[..outputs], operands[0].Shape);
        inputs.AsSpan(0, arrays).Clear();
    }

    // Half precision: the update is made in Float32, and what is stored in two bytes is rounded at its end.
    private void RunWide(int index, ReadOnlySpan<NDArray> operands)
    {
        NDArray[] wide = operands.ToArray();
        for (int i = 0; i < wide.Length; i++)
            if (wide[i].DType.IsHalf) wide[i] = OpTable.Cast.Apply(wide[i], DType.Float32);
        Run(index, wide);
        for (int i = 0; i < outputs; i++)
        {
            if (ReferenceEquals(wide[i], operands[i])) continue;
            if (ExecutionState.Current.Tracer is not null)
            {
                operands[i].Assign(wide[i]);
                continue;
            }

            operands[i].BeginWrite("the optimizer's Step", keepValue: false, fromLibrary: true);
            Movement.CastTo(wide[i], operands[i]);
        }
    }

    private void Assign(ReadOnlySpan<NDArray> operands, NDArray[] values)
    {
        for (int i = 0; i < outputs; i++) operands[i].Assign(values[i]);
    }

    private sealed class Compiled
    {
        private readonly double[] _numbers;

        public Compiled(UpdateFormula formula, DType dtype, int arrays, int scalars)
        {
            KernelInput[] operands = new KernelInput[arrays + scalars];
            for (int i = arrays; i < operands.Length; i++) operands[i] = new KernelInput(IsScalar: true);
            Spec = ElementTracer.Trace(dtype == DType.Float64, operands, symbols => formula(symbols.AsSpan(0, arrays), symbols.AsSpan(arrays)));
            Kernel = KernelCompiler.TryCompile(Spec);
            _numbers = new double[scalars];
            Scalars = new NDArray[scalars];
            for (int i = 0; i < scalars; i++) Scalars[i] = Nd.Scalar(0, dtype);
            Inputs = new NDArray[arrays + scalars];
            Scalars.CopyTo(Inputs, arrays);
            ScalarMask = ((1 << scalars) - 1) << arrays;
        }

        public KernelSpec Spec { get; }

        /// <summary>For arrays of the processor.</summary>
        public ElementKernel? Kernel { get; }

        public NDArray[] Scalars { get; }

        /// <summary>The operands of a launch; the arrays are filled in for its length.</summary>
        public NDArray[] Inputs { get; }

        public int ScalarMask { get; }

        /// <summary>There is a kernel for where the parameter is.</summary>
        public bool CanRun(NDArray parameter) => parameter.IsOnGpu || Kernel is not null;

        public void Set(int i, double value)
        {
            if (_numbers[i].Equals(value)) return;
            _numbers[i] = value;
            Movement.Fill(Scalars[i], value);
        }
    }
}
