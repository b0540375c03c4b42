namespace Fusion.Kernels;

/// <summary>An input of a kernel: numbers or a mask, an array or one element that is read once.</summary>
internal readonly record struct KernelInput(bool IsMask = false, bool IsScalar = false);

/// <summary>A step of a kernel's body: an operator on earlier values, or a constant (<see cref="Op"/> is null).</summary>
internal readonly record struct KernelStep
{
    private readonly int _first, _second, _third;

    // As bits, so that equality tells −0 from 0 and NaN equals itself.
    private readonly long _constant;

    private KernelStep(ElementOp? op, int first, int second, int third, long constant) =>
        (Op, _first, _second, _third, _constant) = (op, first, second, third, constant);

    public ElementOp? Op { get; }

    public double Constant => BitConverter.Int64BitsToDouble(_constant);

    /// <summary>The value id of argument <paramref name="i"/>.</summary>
    public int this[int i] => i switch { 0 => _first, 1 => _second, _ => _third };

    public static KernelStep Of(double constant) => new(null, -1, -1, -1, BitConverter.DoubleToInt64Bits(constant));

    public static KernelStep Of(ElementOp op, params ReadOnlySpan<int> arguments)
    {
        if (arguments.Length != op.Arity) throw new ArgumentException($"{op.Name} has {op.Arity} inputs, not {arguments.Length}.", nameof(arguments));
        return new(op, arguments[0], op.Arity > 1 ? arguments[1] : -1, op.Arity > 2 ? arguments[2] : -1, 0);
    }
}

/// <summary>
/// What an element-wise kernel computes: immutable, compared by structure, the key of the kernel cache. Values are numbered: first the inputs,
/// then the steps in order. The operand table of the compiled loop has the inputs, then the outputs.
/// </summary>
internal sealed class KernelSpec : IEquatable<KernelSpec>
{
    private readonly KernelInput[] _inputs;
    private readonly KernelStep[] _steps;
    private readonly int[] _outputs;
    private readonly int _hash;

    /// <summary>Copies and checks the description.</summary>
    /// <exception cref="ArgumentException">A step uses a value that comes later, or a mask where a number belongs, or the other way round.</exception>
    public KernelSpec(bool is64, ReadOnlySpan<KernelInput> inputs, ReadOnlySpan<KernelStep> steps, ReadOnlySpan<int> outputs)
    {
        (Is64, _inputs, _steps, _outputs) = (is64, inputs.ToArray(), steps.ToArray(), outputs.ToArray());
        Check();
        HashCode hash = default;
        hash.Add(is64);
        foreach (KernelInput input in _inputs) hash.Add(input);
        foreach (KernelStep step in _steps) hash.Add(step);
        foreach (int output in _outputs) hash.Add(output);
        _hash = hash.ToHashCode();
    }

    /// <summary>Numbers are double, not float.</summary>
    public bool Is64 { get; }

    public ReadOnlySpan<KernelInput> Inputs => _inputs;

    public ReadOnlySpan<KernelStep> Steps => _steps;

    /// <summary>The value id of each output.</summary>
    public ReadOnlySpan<int> Outputs => _outputs;

    /// <summary>Inputs and steps.</summary>
    public int ValueCount => _inputs.Length + _steps.Length;

    /// <summary>The value is a mask (Bool bytes in memory), not a number.</summary>
    public bool IsMask(int value) => value < _inputs.Length ? _inputs[value].IsMask : _steps[value - _inputs.Length].Op is { IsMask: true };

    public bool Equals(KernelSpec? other) =>
        other is not null && _hash == other._hash && Is64 == other.Is64
        && Inputs.SequenceEqual(other.Inputs) && Steps.SequenceEqual(other.Steps) && Outputs.SequenceEqual(other.Outputs);

    public override bool Equals(object? obj) => Equals(obj as KernelSpec);

    public override int GetHashCode() => _hash;

    private void Check()
    {
        for (int i = 0; i < _steps.Length; i++)
        {
            if (_steps[i].Op is not { } op) continue;
            for (int k = 0; k < op.Arity; k++)
            {
                int argument = _steps[i][k];
                if ((uint)argument >= (uint)(_inputs.Length + i)) throw new ArgumentException($"Step {i}, {op.Name}: there is no value {argument} before it.");
                if (IsMask(argument) != op.IsMaskInput(k))
                    throw new ArgumentException($"Step {i}, {op.Name}: input {k} is a {(op.IsMaskInput(k) ? "mask" : "number")}, value {argument} is not.");
            }
        }
        if (_outputs.Length == 0) throw new ArgumentException("A kernel has at least one output.");
        foreach (int output in _outputs)
        {
            if ((uint)output >= (uint)ValueCount) throw new ArgumentException($"There is no value {output} to be an output.");
        }
    }
}
