using Fusion.NN;

namespace Fusion.Peers.Networks;

/// <summary>The basic block of ResNet (He et al., CVPR 2016), then the mean of each channel and a linear layer.</summary>
internal sealed class ResidualClassifier : Module
{
    private readonly Conv2d _conv1, _conv2;
    private readonly BatchNorm _bn1, _bn2;
    private readonly Linear _fc;

    public ResidualClassifier(int channels)
    {
        _conv1 = Child("conv1", new Conv2d(channels, channels, 3, padding: 1, bias: false));
        _bn1 = Child("bn1", new BatchNorm(channels));
        _conv2 = Child("conv2", new Conv2d(channels, channels, 3, padding: 1, bias: false));
        _bn2 = Child("bn2", new BatchNorm(channels));
        _fc = Child("fc", new Linear(channels, Network.Classes));
    }

    protected override NDArray ForwardCore(NDArray x)
    {
        NDArray y = _bn1.Forward(_conv1.Forward(x)).Relu();
        y = (_bn2.Forward(_conv2.Forward(y)) + x).Relu();
        return _fc.Forward(y.Mean([2, 3]));
    }
}

/// <summary>An LSTM over (batch, time, features); its last output is classified.</summary>
internal sealed class RecurrentClassifier : Module
{
    private readonly Lstm _lstm;
    private readonly Linear _fc;

    public RecurrentClassifier(int features, int hidden)
    {
        _lstm = Child("lstm", new Lstm(features, hidden, batchFirst: true));
        _fc = Child("fc", new Linear(hidden, Network.Classes));
    }

    protected override NDArray ForwardCore(NDArray x) => _fc.Forward(_lstm.Forward(x)[.., -1]);
}

/// <summary>A transformer layer over (batch, time, features); the mean over time is classified.</summary>
internal sealed class AttentionClassifier : Module
{
    private readonly TransformerBlock _block;
    private readonly Linear _fc;

    public AttentionClassifier(int features, int heads)
    {
        _block = Child("block", new TransformerBlock(features, heads));
        _fc = Child("fc", new Linear(features, Network.Classes));
    }

    protected override NDArray ForwardCore(NDArray x) => _fc.Forward(_block.Forward(x).Mean([1]));
}
