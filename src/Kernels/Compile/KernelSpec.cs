namespace Fusion.Kernels;

/// <summary>
/// An input of a kernel: numbers or a mask, an array or one element that is read once. Numbers may lie in memory as <paramref name="Half"/>, Float16 or
/// BFloat16, and are widened as they are read; null: as they are computed with.
/// </summary>
internal readonly record struct KernelInput(bool IsMask = false, bool IsScalar = false, DType? Half = null);

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
    private readonly DType?[] _halves;
    private readonly int _hash;

    /// <summary>Copies and checks the description.</summary>
    /// <exception cref="ArgumentException">A step uses a value that comes later, or a mask where a number belongs, or the other way round.</exception>
    public KernelSpec(bool is64, ReadOnlySpan<KernelInput> inputs, ReadOnlySpan<KernelStep> steps, ReadOnlySpan<int> outputs, ReadOnlySpan<DType?> halves = default)
    {
        (Is64, _inputs, _steps, _outputs) = (is64, inputs.ToArray(), steps.ToArray(), outputs.ToArray());
        _halves = halves.IsEmpty ? new DType?[outputs.Length] : halves.ToArray();
        Check();
        HashCode hash = default;
        hash.Add(is64);
        foreach (KernelInput input in _inputs) hash.Add(input);
        foreach (KernelStep step in _steps) hash.Add(step);
        foreach (int output in _outputs) hash.Add(output);
        foreach (DType? half in _halves) hash.Add(half);
        _hash = hash.ToHashCode();
    }

    /// <summary>One operator alone; bit i of <paramref name="scalars"/> says that input i is one element.</summary>
    public static KernelSpec Of(ElementOp op, bool is64, int scalars = 0)
    {
        int[] ids = [.. Enumerable.Range(0, op.Arity)];
        return new KernelSpec(is64, [.. ids.Select(i => new KernelInput(op.IsMaskInput(i), ((scalars >> i) & 1) != 0))], [KernelStep.Of(op, ids)], [op.Arity]);
    }

    /// <summary>Numbers are double, not float.</summary>
    public bool Is64 { get; }

    public ReadOnlySpan<KernelInput> Inputs => _inputs;

    public ReadOnlySpan<KernelStep> Steps => _steps;

    /// <summary>The value id of each output.</summary>
    public ReadOnlySpan<int> Outputs => _outputs;

    /// <summary>Float16 or BFloat16 for an output that is rounded as it is written; null: as it was computed.</summary>
    public ReadOnlySpan<DType?> Halves => _halves;

    /// <summary>Inputs and steps.</summary>
    public int ValueCount => _inputs.Length + _steps.Length;

    /// <summary>The same without the inputs that nothing reads.</summary>
    /// <param name="kept">The earlier index of each input that is left.</param>
    public KernelSpec WithoutUnusedInputs(out int[] kept)
    {
        bool[] used = new bool[ValueCount];
        foreach (int output in _outputs) used[output] = true;
        foreach (KernelStep step in _steps)
            for (int k = 0; k < (step.Op?.Arity ?? 0); k++) used[step[k]] = true;
        kept = [.. Enumerable.Range(0, _inputs.Length).Where(i => used[i])];
        int[] inputs = kept, places = new int[ValueCount];
        for (int i = 0; i < ValueCount; i++) places[i] = i < _inputs.Length ? Array.IndexOf(inputs, i) : i - _inputs.Length + inputs.Length;
        KernelStep[] steps = Array.ConvertAll(_steps, s => s.Op is { } op ? KernelStep.Of(op, [.. Enumerable.Range(0, op.Arity).Select(k => places[s[k]])]) : s);
        return new KernelSpec(Is64, [.. inputs.Select(i => _inputs[i])], steps, Array.ConvertAll(_outputs, o => places[o]), _halves);
    }

    /// <summary>The value is a mask (Bool bytes in memory), not a number.</summary>
    public bool IsMask(int value) => value < _inputs.Length ? _inputs[value].IsMask : _steps[value - _inputs.Length].Op is { IsMask: true };

    public bool Equals(KernelSpec? other) =>
        other is not null && _hash == other._hash && Is64 == other.Is64
        && Inputs.SequenceEqual(other.Inputs) && Steps.SequenceEqual(other.Steps) && Outputs.SequenceEqual(other.Outputs)
        && Halves.SequenceEqual(other.Halves);

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
        if (_halves.Length != _outputs.Length) throw new ArgumentException("A kernel knows of each output how it is written.");
        for (int i = 0; i < _inputs.Length; i++)
            if (_inputs[i].Half is not null && (Is64 || _inputs[i].IsMask)) throw new ArgumentException($"Input {i}: only a Float32 is read from two bytes.");
        foreach (int output in _outputs)
        {
            if ((uint)output >= (uint)ValueCount) throw new ArgumentException($"There is no value {output} to be an output.");
        }

        for (int i = 0; i < _outputs.Length; i++)
            if (_halves[i] is not null && (Is64 || IsMask(_outputs[i]))) throw new ArgumentException($"Output {i}: only a Float32 is written to two bytes.");
    }
}
