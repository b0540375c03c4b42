namespace Fusion;

/// <summary>What a gradient rule may read: the gradient of the output and what the tape kept of the forward call.</summary>
internal readonly ref struct GradientContext(TapeNode node, NDArray gradient)
{
    /// <summary>The gradient of the head with respect to the operator's output; of the output's shape.</summary>
    public NDArray G { get; } = gradient;

    /// <summary>The first input (the row must say <see cref="Saved.Input0"/>).</summary>
    public NDArray X => node.SavedInput(0);

    /// <summary>The second input (the row must say <see cref="Saved.Input1"/>).</summary>
    public NDArray Y => node.SavedInput(1);

    /// <summary>The third input (the row must say <see cref="Saved.Input2"/>).</summary>
    public NDArray Z => node.SavedInput(2);

    /// <summary>The output (the row must say <see cref="Saved.Output"/>).</summary>
    public NDArray Output => node.SavedOutput;

    /// <summary>The index of the input whose gradient is asked for.</summary>
    public int Index { get; init; }

    /// <summary>The shape of an input, known without saving it.</summary>
    public Shape ShapeOf(int input) => node.Edge(input).Shape;

    /// <summary>The element type of an input, known without saving it.</summary>
    public DType DTypeOf(int input) => node.Edge(input).DType;

    public int InputCount => node.InputCount;

    public T Attributes<T>() => (T)node.Attributes!;
}
