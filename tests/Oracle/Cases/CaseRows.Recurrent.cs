using Fusion.NN;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Fusion.Oracle.Cases;

// Layers with states, attention and blocks.
internal static partial class CaseRows
{
    private static readonly CaseRow[] Recurrents =
    [
        new("Rnn", static c => Recurrent(c, 0)),
        new("Lstm", static c => Recurrent(c, 1)),
        new("Gru", static c => Recurrent(c, 2)),
        new("RnnCell", static c => Celled(c, 0)),
        new("LstmCell", static c => Celled(c, 1)),
        new("GruCell", static c => Celled(c, 2)),
    ];

    private static readonly CaseRow[] Attentions =
    [
        new("ScaledDotProductAttention", static c =>
        {
            (int queries, int keys, int features, int values) = (c.Int(1, 9), c.Int(1, 9), c.Int(1, 9), c.Int(1, 9));
            int[] lead = c.Sizes(c.Int(3), 1, 3);
            (int kind, bool causal) = (c.Int(3), c.Int(4) == 0);
            NDArray mask = kind == 1 ? Nd.LogicalOr(c.Truths((queries, keys)), Nd.Arange(0, keys) < 1) : c.Real((queries, keys));
            return RandomCase.Of($"ScaledDotProductAttention(mask: {kind}, causal: {causal})",
                [c.Real([.. lead, queries, features]), c.Real([.. lead, keys, features]), c.Real([.. lead, keys, values]), mask],
                x => [x[0].ScaledDotProductAttention(x[1], x[2], kind == 0 ? null : x[3], causal)],
                t =>
                {
                    Tensor scores = t[0].matmul(t[1].transpose(-1, -2)) / Math.Sqrt(features);
                    if (kind == 1) scores = scores.masked_fill(t[3].logical_not(), double.NegativeInfinity);
                    if (kind == 2) scores += t[3];
                    if (causal) scores = scores.masked_fill(ones(queries, keys).triu(1).to_type(ScalarType.Bool), double.NegativeInfinity);
                    return [F.softmax(scores, -1).matmul(t[2])];
                });
        }),
        new("MultiHeadAttention", static c =>
        {
            int heads = c.Int(1, 4), features = heads * c.Int(1, 5);
            (int batch, int queries, int keys, bool bias, bool masked) = (c.Int(1, 3), c.Int(1, 6), c.Int(1, 6), c.Flag(), c.Flag());
            // A query may always attend to the first key.
            NDArray mask = Nd.LogicalOr(c.Truths((queries, keys)), Nd.Arange(0, keys) < 1);
            return c.Layer($"MultiHeadAttention({features}, {heads}, bias: {bias}), masked: {masked}",
                [c.Real((batch, queries, features)), c.Real((batch, keys, features)), c.Real((batch, keys, features)), mask],
                () => new MultiHeadAttention(features, heads, bias, dtype: c.DType), (layer, x) => [layer.Forward(x[0], x[1], x[2], masked ? x[3] : null)],
                (t, p) =>
                {
                    var module = nn.MultiheadAttention(features, heads, bias: bias);
                    // There a mask is added, whatever its type.
                    CaseDraw.Loaded(module.to(ScalarType.Float64), p);
                    Tensor? added = masked ? zeros(t[3].shape).masked_fill(t[3].logical_not(), double.NegativeInfinity) : null;
                    return [module.call(t[0].transpose(0, 1), t[1].transpose(0, 1), t[2].transpose(0, 1), null, false, added).Item1.transpose(0, 1)];
                });
        }),
        new("TransformerBlock", static c =>
        {
            int heads = c.Int(1, 3), features = heads * c.Int(2, 5), hidden = c.Int(1, 20), time = c.Int(1, 6);
            bool causal = c.Flag();
            return c.Layer($"TransformerBlock({features}, {heads}, {hidden}, causal: {causal})", [c.Real((c.Int(1, 3), time, features))],
                () => new TransformerBlock(features, heads, hidden, causal: causal, dtype: c.DType), (layer, x) => [layer.Forward(x[0])],
                (t, p) =>
                {
                    Tensor x = t[0], normal = F.layer_norm(x, [features], p["norm1.weight"], p["norm1.bias"]);
                    Tensor[] parts = F.linear(normal, p["self_attn.in_proj_weight"], p["self_attn.in_proj_bias"]).chunk(3, -1);
                    Tensor[] split = [.. parts.Select(v => v.reshape(v.shape[0], time, heads, features / heads).transpose(1, 2))];
                    Tensor scores = split[0].matmul(split[1].transpose(-1, -2)) / Math.Sqrt(features / heads);
                    if (causal) scores = scores.masked_fill(ones(time, time).triu(1).to_type(ScalarType.Bool), double.NegativeInfinity);
                    Tensor attended = F.softmax(scores, -1).matmul(split[2]).transpose(1, 2).reshape(x.shape);
                    x += F.linear(attended, p["self_attn.out_proj.weight"], p["self_attn.out_proj.bias"]);
                    Tensor inner = F.linear(F.layer_norm(x, [features], p["norm2.weight"], p["norm2.bias"]), p["linear1.weight"], p["linear1.bias"]);
                    return [x + F.linear(F.gelu(inner), p["linear2.weight"], p["linear2.bias"])];
                }) with
            { Slack = 400 };
        }),
    ];

    private static RandomCase Recurrent(CaseDraw c, int kind)
    {
        (int features, int hidden, int layers, bool bias, bool batchFirst, bool both, bool relu) = (c.Int(1, 9), c.Int(1, 9), c.Int(1, 3), c.Flag(), c.Flag(), c.Flag(), c.Flag());
        (int time, int batch, bool given) = (c.Int(1, 7), c.Int(1, 5), c.Flag());
        Shape start = (layers * (both ? 2 : 1), batch, hidden);
        NDArray[] inputs = [c.Real(batchFirst ? (batch, time, features) : (time, batch, features)), c.Real(start), c.Real(start)];
        string name = kind switch { 0 => "Rnn", 1 => "Lstm", _ => "Gru" };
        string text = $"{name}({features}, {hidden}, layers: {layers}, relu: {relu}, bias: {bias}, batchFirst: {batchFirst}, bidirectional: {both}), first states: {given}";
        return c.Layer<Module>(text, inputs,
            () => kind switch
            {
                0 => new Rnn(features, hidden, layers, relu, bias, batchFirst, 0, both, c.DType),
                1 => new Lstm(features, hidden, layers, bias, batchFirst, 0, both, c.DType),
                _ => new Gru(features, hidden, layers, bias, batchFirst, 0, both, c.DType),
            },
            (layer, x) => (layer, given) switch
            {
                (_, false) => [layer.Forward(x[0])],
                (Rnn rnn, _) => rnn.Forward(x[0], x[1]) is var (output, last) ? [output, last] : [],
                (Gru gru, _) => gru.Forward(x[0], x[1]) is var (output, last) ? [output, last] : [],
                _ => ((Lstm)layer).Forward(x[0], x[1], x[2]) is var (output, last, cell) ? [output, last, cell] : [],
            },
            (t, p) =>
            {
                if (kind == 1)
                {
                    var lstm = CaseDraw.Loaded(nn.LSTM(features, hidden, layers, bias, batchFirst, 0, both, dtype: ScalarType.Float64), p);
                    var (output, last, cell) = lstm.call(t[0], given ? (t[1], t[2]) : null);
                    return given ? [output, last, cell] : [output];
                }

                nn.NonLinearities function = relu ? nn.NonLinearities.ReLU : nn.NonLinearities.Tanh;
                (Tensor Output, Tensor Last) found = kind == 0
                    ? CaseDraw.Loaded(nn.RNN(features, hidden, layers, function, bias, batchFirst, 0, both, dtype: ScalarType.Float64), p).call(t[0], given ? t[1] : null)
                    : CaseDraw.Loaded(nn.GRU(features, hidden, layers, bias, batchFirst, 0, both, dtype: ScalarType.Float64), p).call(t[0], given ? t[1] : null);
                return given ? [found.Output, found.Last] : [found.Output];
            });
    }

    private static RandomCase Celled(CaseDraw c, int kind)
    {
        (int features, int hidden, bool bias, bool relu, bool given) = (c.Int(1, 9), c.Int(1, 9), c.Flag(), c.Flag(), c.Flag());
        int[] lead = c.Flag() ? [c.Int(1, 5)] : [];
        NDArray[] inputs = [c.Real([.. lead, features]), c.Real([.. lead, hidden]), c.Real([.. lead, hidden])];
        string name = kind switch { 0 => "RnnCell", 1 => "LstmCell", _ => "GruCell" };
        return c.Layer<Module>($"{name}({features}, {hidden}, relu: {relu}, bias: {bias}), states: {given}", inputs,
            () => kind switch { 0 => new RnnCell(features, hidden, relu, bias, c.DType), 1 => new LstmCell(features, hidden, bias, c.DType), _ => new GruCell(features, hidden, bias, c.DType) },
            (cell, x) => (cell, given) switch
            {
                (_, false) => [cell.Forward(x[0])],
                (RnnCell rnn, _) => [rnn.Forward(x[0], x[1])],
                (GruCell gru, _) => [gru.Forward(x[0], x[1])],
                _ => ((LstmCell)cell).Forward(x[0], x[1], x[2]) is var (output, last) ? [output, last] : [],
            },
            (t, p) =>
            {
                if (kind == 1)
                {
                    var (output, last) = CaseDraw.Loaded(nn.LSTMCell(features, hidden, bias, dtype: ScalarType.Float64), p)
                        .call(t[0], given ? (t[1], t[2]) : (zeros_like(t[1]), zeros_like(t[2])));
                    return given ? [output, last] : [output];
                }

                nn.NonLinearities function = relu ? nn.NonLinearities.ReLU : nn.NonLinearities.Tanh;
                Tensor state = given ? t[1] : zeros_like(t[1]);
                return [kind == 0
                    ? CaseDraw.Loaded(nn.RNNCell(features, hidden, function, bias, dtype: ScalarType.Float64), p).call(t[0], state)
                    : CaseDraw.Loaded(nn.GRUCell(features, hidden, bias, dtype: ScalarType.Float64), p).call(t[0], state)];
            });
    }
}
