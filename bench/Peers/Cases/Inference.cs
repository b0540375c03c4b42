using Fusion.NN;
using Fusion.Peers.Networks;
using Fusion.Peers.Onnx;
using static TorchSharp.torch;
using TorchModule = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace Fusion.Peers.Cases;

/// <summary>The trained networks' forward, without a tape; ONNX Runtime runs the same graph with the same weights.</summary>
internal static class Inference
{
    public const string Area = "inference";

    public static IEnumerable<PeerCase> All => NetworkTable.All.Select(static network => new PeerCase(Area, network.Name, () =>
    {
        Module ours = network.Seeded();
        NDArray x = network.Batch();
        TorchModule theirs = network.Copied(ScalarType.Float32);
        theirs.eval();
        Tensor t = TorchSide.Of(x);
        Contender[] all = [FusionSide.Hybridized(() => ours.Forward(x)), FusionSide.Eager(() => ours.Forward(x)), TorchSide.Contender(() => Forward(theirs, t))];
        return network.Onnx is null || OnnxSide.Unavailable is not null ? all : [.. all, OnnxSide.Contender(network.Onnx(ours, network.Input), x)];
    })
    {
        IsQuick = network.IsQuick,
        Work = new Work(0, network.Flops),
        Exact = () =>
        {
            TorchModule exact = network.Copied(ScalarType.Float64);
            exact.eval();
            return TorchSide.Elements(() => Forward(exact, TorchSide.Double(network.Batch())));
        },
    });

    private static Tensor Forward(TorchModule module, Tensor x)
    {
        using IDisposable scope = no_grad();
        return module.call(x);
    }
}
