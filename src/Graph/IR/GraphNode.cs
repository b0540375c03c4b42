namespace Fusion;

/// <summary>
/// A value of the intermediate representation: immutable and hash-consed, so that equal computations are one object. Ids rise from inputs to
/// users: increasing id is a topological order.
/// </summary>
internal abstract class GraphNode(int id, TensorType type)
{
    public int Id { get; } = id;

    public TensorType Type { get; } = type;

    public Shape Shape => Type.Shape;

    public DType DType => Type.DType;

    /// <summary>An array for the sake of loops over it; nobody changes it.</summary>
    public virtual GraphNode[] Inputs => [];

    public abstract override string ToString();

    // Nodes are compared by reference; ids spread them over tables faster than what the runtime keeps for objects.
    public sealed override int GetHashCode() => Id;
}

/// <summary>An argument of the function, or (in a backward graph) a saved value or head gradient.</summary>
internal sealed class InputNode(int id, TensorType type, int index, string name) : GraphNode(id, type)
{
    public int Index { get; } = index;

    public string Name { get; } = name;

    public override string ToString() => Name;
}

/// <summary>An array that the function uses without being given it: read anew at every call, by reference.</summary>
internal sealed class CapturedNode(int id, NDArray array, bool isMade = false) : GraphNode(id, array.Type)
{
    public NDArray Array { get; } = array;

    /// <summary>The function has made it itself, of values of C#.</summary>
    public bool IsMade => isMade;

    public override string ToString() => $"captured{Id}";
}

/// <summary>A number of rank 0 that is the same in every call.</summary>
internal sealed class ConstantNode(int id, double value, DType dtype, bool isRead = false) : GraphNode(id, new TensorType(dtype, default))
{
    public double Value { get; } = value;

    /// <summary>
    /// A kernel reads the number as an operand of one element, once before its loop. Most numbers are: many come from sizes (the 1/n of a mean), and the
    /// same kernel must serve all of them. Those that formulas are full of are part of the code: 0, ±½, ±1 and ±2. Infinities and NaN are not: from x &lt; NaN,
    /// written in code, .NET 10 makes a mask of zeros, and from another mask &amp; that one the other mask (with AVX-512). Neither are masks, nor the numbers of
    /// operators that compare them with others, nor numbers that are compared with numbers.
    /// </summary>
    public bool IsOperand => isRead || DType == DType.Bool || Math.Abs(Value) is not (0 or 0.5 or 1 or 2);

    /// <summary>A kernel finds the value in memory; other numbers are part of its code.</summary>
    public static bool IsRead(GraphNode node) => node is not ConstantNode { IsOperand: false };

    public override string ToString() => Value.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>A number of rank 0 that is state of the host, such as a learning rate: read anew in every call.</summary>
internal sealed class HostNode(int id, DType dtype, int index) : GraphNode(id, new TensorType(dtype, default))
{
    /// <summary>The position among the numbers of the function's <see cref="HostProgram"/>.</summary>
    public int Index { get; } = index;

    public override string ToString() => $"host{Index}";
}

/// <summary>
/// The place in the stream of random numbers at which a call of a plan begins, as an operand of launches that draw. With the type of a draw it stands for the
/// numbers of that draw, which lie nowhere: see <see cref="Kernels.DrawingLoop"/>.
/// </summary>
internal sealed class StreamNode(int id, TensorType type) : GraphNode(id, type)
{
    /// <summary>The place alone.</summary>
    public static StreamNode Place(int id) => new(id, new TensorType(DType.Int64, default));

    public override string ToString() => $"stream{Id}";
}

/// <summary>An operator of the table, applied.</summary>
internal sealed class OpNode : GraphNode
{
    private GraphNode[]? _inputs;

    public OpNode(int id, Op op, GraphNode[] inputs, object? attributes, TensorType type)
        : base(id, type)
    {
        (Op, _inputs, Attributes) = (op, inputs, attributes);
        Layout = op.View is null ? default : ViewLayout.Of(op, attributes, inputs[0], type.Shape);
    }

    /// <summary>The concatenation of parts and zeros.</summary>
    public OpNode(int id, PlacedParts parts)
        : base(id, parts.Type) => (Op, Parts, Attributes) = (OpTable.Concat, parts, parts.Attributes);

    public Op Op { get; }

    public object? Attributes { get; }

    public override GraphNode[] Inputs => _inputs ??= Parts!.Operands;

    /// <summary>What has been put together to this sum of gradients of slices; null: it is none.</summary>
    public PlacedParts? Parts { get; }

    /// <summary>Other shape or strides over the same memory: nothing is computed. Only a reshape may be none, of elements that no strides reach.</summary>
    public bool IsView => Layout.IsView;

    /// <summary>Elements from one index to the next in the value that a view sees; null: row-major.</summary>
    public long[]? Strides => Layout.Strides;

    private (bool IsView, long[]? Strides) Layout { get; }

    public override string ToString() => $"%{Id}";
}

/// <summary>The graph's side of a traced array.</summary>
internal sealed class TracedValue(GraphBuilder owner, GraphNode node) : SymbolicValue
{
    public GraphBuilder Owner => owner;

    public GraphNode Node => node;
}
