namespace Fusion;

/// <summary>What a gradient rule may read: the gradient of the output and what the tape kept of the forward call.</summary>
internal ref struct GradientContext(TapeNode node, NDArray gradient)
{
    private NDArray? _x, _y, _z, _w;

    /// <summary>The gradient of the head with respect to the operator's output; of the output's shape.</summary>
    public readonly NDArray G { get; } = gradient;

    /// <summary>The first input (the row must say <see cref="Saved.Input0"/>).</summary>
    public NDArray X => _x ??= Input(0);

    /// <summary>The second input (the row must say <see cref="Saved.Input1"/>).</summary>
    public NDArray Y => _y ??= Input(1);

    /// <summary>The third input (the row must say <see cref="Saved.Input2"/>).</summary>
    public NDArray Z => _z ??= Input(2);

    /// <summary>The fourth input (the row must say <see cref="Saved.Inputs"/>).</summary>
    public NDArray W => _w ??= Input(3);

    /// <summary>The output (the row must say <see cref="Saved.Output"/>).</summary>
    public readonly NDArray Output => node.SavedOutput;

    /// <summary>The index of the input whose gradient is asked for.</summary>
    public int Index { get; init; }

    /// <summary>The shape of an input, known without saving it.</summary>
    public readonly Shape ShapeOf(int input) => node.Edge(input).Shape;

    /// <summary>The element type of an input, known without saving it.</summary>
    public readonly DType DTypeOf(int input) => node.Edge(input).DType;

    public readonly int InputCount => node.InputCount;

    public readonly T Attributes<T>() => (T)node.Attributes!;

    // An operand of half precision was kept as it was and computed with in Float32.
    private readonly NDArray Input(int input) => Elements.To(node.SavedInput(input), node.Edge(input).DType);
}
