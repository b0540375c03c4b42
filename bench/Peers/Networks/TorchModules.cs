using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Fusion.Peers.Networks;

// The fields have the names of the parameters: TorchSharp registers them by these.
#pragma warning disable IDE1006, SA1306

/// <inheritdoc cref="ResidualClassifier"/>
internal sealed class TorchResidual : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv1, conv2;
    private readonly BatchNorm2d bn1, bn2;
    private readonly Linear fc;

    public TorchResidual(int channels)
        : base("residual")
    {
        conv1 = nn.Conv2d(channels, channels, 3, padding: 1, bias: false);
        bn1 = nn.BatchNorm2d(channels);
        conv2 = nn.Conv2d(channels, channels, 3, padding: 1, bias: false);
        bn2 = nn.BatchNorm2d(channels);
        fc = nn.Linear(channels, Network.Classes);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        Tensor y = F.relu(bn1.call(conv1.call(input)));
        y = F.relu(bn2.call(conv2.call(y)) + input);
        return fc.call(y.mean([2, 3]));
    }
}

/// <inheritdoc cref="RecurrentClassifier"/>
internal sealed class TorchRecurrent : nn.Module<Tensor, Tensor>
{
    private readonly LSTM lstm;
    private readonly Linear fc;

    public TorchRecurrent(int features, int hidden)
        : base("recurrent")
    {
        lstm = nn.LSTM(features, hidden, batchFirst: true);
        fc = nn.Linear(hidden, Network.Classes);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => fc.call(lstm.call(input).Item1.select(1, -1));
}

/// <inheritdoc cref="AttentionClassifier"/>
internal sealed class TorchAttention : nn.Module<Tensor, Tensor>
{
    private readonly Block block;
    private readonly Linear fc;

    public TorchAttention(int features, int heads)
        : base("attention")
    {
        block = new Block(features, heads);
        fc = nn.Linear(features, Network.Classes);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => fc.call(block.call(input).mean([1]));

    private sealed class Block : nn.Module<Tensor, Tensor>
    {
        private readonly LayerNorm norm1, norm2;
        private readonly Heads self_attn;
        private readonly Linear linear1, linear2;

        public Block(int features, int heads)
            : base("block")
        {
            norm1 = nn.LayerNorm(features);
            self_attn = new Heads(features, heads);
            norm2 = nn.LayerNorm(features);
            linear1 = nn.Linear(features, 4 * features);
            linear2 = nn.Linear(4 * features, features);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            Tensor attended = input + self_attn.call(norm1.call(input));
            return attended + linear2.call(F.gelu(linear1.call(norm2.call(attended))));
        }
    }

    // torch.nn.MultiheadAttention computes the weights of attention too; this is the faster spelling.
    private sealed class Heads : nn.Module<Tensor, Tensor>
    {
        private readonly Parameter in_proj_weight, in_proj_bias;
        private readonly Linear out_proj;
        private readonly int _heads;

        public Heads(int features, int heads)
            : base("heads")
        {
            _heads = heads;
            in_proj_weight = new Parameter(zeros(3 * features, features));
            in_proj_bias = new Parameter(zeros(3 * features));
            out_proj = nn.Linear(features, features);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            long features = input.shape[2];
            Tensor[] parts = F.linear(input, in_proj_weight, in_proj_bias).chunk(3, -1);
            Tensor joined = F.scaled_dot_product_attention(Split(parts[0]), Split(parts[1]), Split(parts[2]));
            return out_proj.call(joined.transpose(1, 2).reshape(input.shape[0], input.shape[1], features));
        }

        private Tensor Split(Tensor x) => x.view(x.shape[0], x.shape[1], _heads, x.shape[2] / _heads).transpose(1, 2);
    }
}
