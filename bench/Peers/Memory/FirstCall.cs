using System.Diagnostics;
using Fusion.NN;
using Fusion.Peers.Networks;
using Fusion.Peers.Onnx;
using static TorchSharp.torch;
using TorchModule = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace Fusion.Peers.Memory;

/// <summary>
/// Compile latency: the first result of a network in a fresh process, whose libraries have computed a small sum before. With Fusion that is tracing, fusing,
/// compiling kernels and all of the JIT's work on the library; with ONNX Runtime making the session; nothing is warm.
/// </summary>
internal static class FirstCall
{
    public const string Area = "first call in a fresh process", Question = "first";

    private const int Rounds = 3;

    public static PeerResult Run(Network network, int threads, bool quick)
    {
        List<Timing> times = [];
        foreach (string side in (string[])[Contender.Hybridized, Contender.Eager, Contender.Torch, Contender.Onnx])
        {
            double[] all = [.. Enumerable.Range(0, quick ? 1 : Rounds).Select(_ => ChildProcess.Ask(Question, network.Name, side, threads)).OfType<double>().Order()];
            if (all.Length > 0) times.Add(new Timing(side, all[all.Length / 2], all[0], all[^1]));
        }

        return new PeerResult(Area, network.Name, threads, [.. times]);
    }

    public static double? Measure(string name, string side)
    {
        Network network = NetworkTable.All.Single(n => n.Name == name);
        Func<Action>? prepare = side switch
        {
            Contender.Torch => () => Theirs(network),
            Contender.Onnx when network.Onnx is null || OnnxSide.Unavailable is not null => null,
            Contender.Onnx => () => Graph(network),
            _ => () => Ours(network, side == Contender.Hybridized),
        };
        if (prepare is null) return null;
        Action call = prepare();
        long start = Stopwatch.GetTimestamp();
        call();
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds;
    }

    private static Action Ours(Network network, bool hybridized)
    {
        Module module = network.Seeded();
        NDArray x = network.Batch();
        Nd.Sum(x + x).Item<float>();
        return () =>
        {
            Func<NDArray, NDArray> forward = hybridized ? new Func<NDArray, NDArray>(module.Forward).Hybridize().Invoke : module.Forward;
            forward(x);
        };
    }

    private static Action Theirs(Network network)
    {
        TorchModule module = network.Theirs();
        Tensor x = randn([.. network.Input.Dimensions.ToArray().Select(static d => (long)d)]);
        (x + x).sum().item<float>();
        return () =>
        {
            using IDisposable scope = no_grad();
            module.call(x);
        };
    }

    private static Action Graph(Network network)
    {
        byte[] model = network.Onnx!(network.Seeded(), network.Input);
        NDArray x = network.Batch();
        return () => OnnxSide.Contender(model, x).Run();
    }
}
