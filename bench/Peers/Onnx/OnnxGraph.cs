using System.Runtime.InteropServices;

namespace Fusion.Peers.Onnx;

/// <summary>A model of ONNX with one input and one output, written node by node; the numbers are those of onnx.proto (github.com/onnx/onnx, IR version 8).</summary>
internal sealed class OnnxGraph
{
    public const string Input = "x";

    private const int IrVersion = 8, Opset = 20, Float32 = 1, Int64 = 7;

    private readonly ProtoWriter _graph = new();
    private int _names;

    public OnnxGraph(Shape input) => _graph.Text(2, "peer").Message(11, Value(Input, input));

    /// <summary>A node; the attributes are integers, numbers or lists of integers. Returns the name of its output.</summary>
    public string Node(string type, string[] inputs, params (string Name, object Value)[] attributes) => Node(type, inputs, 1, attributes)[0];

    public string[] Node(string type, string[] inputs, int outputs, params (string Name, object Value)[] attributes)
    {
        ProtoWriter node = new();
        string[] results = [.. Enumerable.Range(0, outputs).Select(_ => Name())];
        foreach (string input in inputs) node.Text(1, input);
        foreach (string result in results) node.Text(2, result);
        node.Text(4, type);
        foreach ((string name, object value) in attributes) node.Message(5, Attribute(name, value));
        _graph.Message(1, node);
        return results;
    }

    /// <summary>A constant of single precision.</summary>
    public string Constant(NDArray values) => Tensor(Float32, values.Shape.Dimensions.ToArray(), MemoryMarshal.AsBytes<float>(values.ToArray<float>()));

    /// <summary>A constant list of integers, such as a shape.</summary>
    public string Constant(params long[] values) => Tensor(Int64, [values.Length], MemoryMarshal.AsBytes<long>(values));

    /// <summary>The whole model.</summary>
    public byte[] Model(string output, Shape shape)
    {
        _graph.Message(12, Value(output, shape));
        return new ProtoWriter().Integer(1, IrVersion).Message(7, _graph).Message(8, new ProtoWriter().Text(1, string.Empty).Integer(2, Opset)).ToArray();
    }

    private string Name() => $"v{_names++}";

    private string Tensor(int type, int[] shape, ReadOnlySpan<byte> values)
    {
        ProtoWriter tensor = new();
        string name = Name();
        foreach (int size in shape) tensor.Integer(1, size);
        _graph.Message(5, tensor.Integer(2, type).Text(8, name).Bytes(9, values));
        return name;
    }

    private static ProtoWriter Value(string name, Shape shape)
    {
        ProtoWriter sizes = new();
        foreach (int size in shape.Dimensions) sizes.Message(1, new ProtoWriter().Integer(1, size));
        ProtoWriter type = new ProtoWriter().Message(1, new ProtoWriter().Integer(1, Float32).Message(2, sizes));
        return new ProtoWriter().Text(1, name).Message(2, type);
    }

    private static ProtoWriter Attribute(string name, object value)
    {
        const int AsFloat = 1, AsInteger = 2, AsIntegers = 7;
        ProtoWriter attribute = new ProtoWriter().Text(1, name);
        switch (value)
        {
            case float number: return attribute.Float(2, number).Integer(20, AsFloat);
            case int number: return attribute.Integer(3, number).Integer(20, AsInteger);
            default:
                foreach (int number in (int[])value) attribute.Integer(8, number);
                return attribute.Integer(20, AsIntegers);
        }
    }
}
