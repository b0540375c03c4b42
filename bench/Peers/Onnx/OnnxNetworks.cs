using Fusion.NN;

namespace Fusion.Peers.Onnx;

/// <summary>The networks as graphs of ONNX, with our parameters.</summary>
internal static class OnnxNetworks
{
    public static byte[] Perceptron(Module module, Shape input)
    {
        OnnxGraph graph = new(input);
        Sequential layers = (Sequential)module;
        string x = OnnxGraph.Input;
        for (int i = 0; i < layers.Count; i++) x = layers[i] is Linear linear ? Linear(graph, x, linear) : graph.Node("Relu", [x]);
        return graph.Model(x, (input[0], Networks.Network.Classes));
    }

    public static byte[] LeNet(Module module, Shape input)
    {
        OnnxGraph graph = new(input);
        Sequential layers = (Sequential)module;
        string x = OnnxGraph.Input;
        for (int i = 0; i < layers.Count; i++)
        {
            x = layers[i] switch
            {
                Conv2d conv => graph.Node("Conv", [x, graph.Constant(conv.Weight), graph.Constant(conv.Bias!)]),
                MaxPool2d => graph.Node("MaxPool", [x], ("kernel_shape", new[] { 2, 2 }), ("strides", new[] { 2, 2 })),
                Flatten => graph.Node("Flatten", [x]),
                Linear linear => Linear(graph, x, linear),
                _ => graph.Node("Relu", [x]),
            };
        }

        return graph.Model(x, (input[0], Networks.Network.Classes));
    }

    /// <summary>A <see cref="Networks.AttentionClassifier"/>.</summary>
    public static byte[] Transformer(Module module, Shape input, int heads)
    {
        OnnxGraph graph = new(input);
        IReadOnlyDictionary<string, NDArray> p = module.Parameters;
        (int batch, int time, int features) = (input[0], input[1], input[2]);
        string normed = Norm(OnnxGraph.Input, "block.norm1");
        string[] parts = graph.Node("Split", [Dense(normed, "block.self_attn.in_proj_weight", "block.self_attn.in_proj_bias")], 3, ("axis", 2), ("num_outputs", 3));
        string query = Heads(parts[0], [0, 2, 1, 3]), key = Heads(parts[1], [0, 2, 3, 1]), value = Heads(parts[2], [0, 2, 1, 3]);
        string scores = graph.Node("Mul", [graph.Node("MatMul", [query, key]), graph.Constant(Nd.Scalar(1 / Math.Sqrt(features / heads)))]);
        string mixed = graph.Node("MatMul", [graph.Node("Softmax", [scores], ("axis", -1)), value]);
        string joined = graph.Node("Reshape", [graph.Node("Transpose", [mixed], ("perm", new[] { 0, 2, 1, 3 })), graph.Constant(batch, time, features)]);
        string attended = graph.Node("Add", [OnnxGraph.Input, Dense(joined, "block.self_attn.out_proj.weight", "block.self_attn.out_proj.bias")]);
        string inner = graph.Node("Gelu", [Dense(Norm(attended, "block.norm2"), "block.linear1.weight", "block.linear1.bias")]);
        string x = graph.Node("Add", [attended, Dense(inner, "block.linear2.weight", "block.linear2.bias")]);
        string mean = graph.Node("ReduceMean", [x, graph.Constant(1)], ("keepdims", 0));
        return graph.Model(Dense(mean, "fc.weight", "fc.bias"), (batch, Networks.Network.Classes));

        string Norm(string of, string name) =>
            graph.Node("LayerNormalization", [of, graph.Constant(p[$"{name}.weight"]), graph.Constant(p[$"{name}.bias"])], ("axis", -1), ("epsilon", 1e-5f));

        string Dense(string of, string weight, string bias) =>
            graph.Node("Add", [graph.Node("MatMul", [of, graph.Constant(p[weight].Transpose().Copy())]), graph.Constant(p[bias])]);

        string Heads(string of, int[] order) =>
            graph.Node("Transpose", [graph.Node("Reshape", [of, graph.Constant(batch, time, heads, features / heads)])], ("perm", order));
    }

    private static string Linear(OnnxGraph graph, string x, Linear linear) =>
        graph.Node("Gemm", [x, graph.Constant(linear.Weight), graph.Constant(linear.Bias!)], ("transB", 1));
}
