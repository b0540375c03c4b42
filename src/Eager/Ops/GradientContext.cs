using System.Runtime.CompilerServices;

namespace Fusion;

/// <summary>What a gradient rule may read: the gradient of the output and what the tape kept of the forward call.</summary>
internal ref struct GradientContext
{
    private readonly TapeNode? _node;
    private readonly NDArray? _output;
    private readonly ref NDArray? _common;
    private NDArray? _x, _y, _z, _w;

    /// <param name="node">Of the forward call.</param>
    /// <param name="gradient">Of its output.</param>
    /// <param name="common">Where its rules leave <see cref="Common"/> to each other.</param>
    public GradientContext(TapeNode node, NDArray gradient, ref NDArray? common)
    {
        (_node, G) = (node, gradient);
        _common = ref common;
    }

    /// <summary>Symbols, for a rule that is traced by itself: it cannot ask for shapes or attributes.</summary>
    public GradientContext(NDArray gradient, ReadOnlySpan<NDArray> inputs, NDArray output)
    {
        (G, _output) = (gradient, output);
        _x = inputs[0];
        if (inputs.Length > 1) _y = inputs[1];
        if (inputs.Length > 2) _z = inputs[2];
        if (inputs.Length > 3) _w = inputs[3];
    }

    /// <summary>The gradient of the head with respect to the operator's output; of the output's shape.</summary>
    public readonly NDArray G { get; init; }

    /// <summary>The first input (the row must say <see cref="Saved.Input0"/>).</summary>
    public NDArray X => _x ??= Input(0);

    /// <summary>The second input (the row must say <see cref="Saved.Input1"/>).</summary>
    public NDArray Y => _y ??= Input(1);

    /// <summary>The third input (the row must say <see cref="Saved.Input2"/>).</summary>
    public NDArray Z => _z ??= Input(2);

    /// <summary>The fourth input (the row must say <see cref="Saved.Inputs"/>).</summary>
    public NDArray W => _w ??= Input(3);

    /// <summary>The output (the row must say <see cref="Saved.Output"/>).</summary>
    public readonly NDArray Output => _output ?? Node.SavedOutput;

    /// <summary>What several rules of a row read: computed for the first one that asks.</summary>
    public readonly NDArray Common(GradientRule rule) => Unsafe.IsNullRef(ref _common) ? rule(this) : _common ??= rule(this);

    /// <summary>The index of the input whose gradient is asked for.</summary>
    public int Index { get; init; }

    /// <summary>The shape of an input, known without saving it.</summary>
    public readonly Shape ShapeOf(int input) => Node.Edge(input).Shape;

    /// <summary>The element type of an input, known without saving it.</summary>
    public readonly DType DTypeOf(int input) => Node.Edge(input).DType;

    public readonly int InputCount => Node.InputCount;

    public readonly T Attributes<T>() => (T)Node.Attributes!;

    private readonly TapeNode Node => _node ?? throw new InvalidOperationException("The rule asks for more than values: it cannot be traced by itself.");

    // An operand of half precision was kept as it was and computed with in Float32.
    private readonly NDArray Input(int input) => Elements.To(Node.SavedInput(input), Node.Edge(input).DType);
}
