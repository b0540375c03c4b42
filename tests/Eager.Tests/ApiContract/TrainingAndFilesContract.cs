using Fusion.Data;
using Fusion.IO;
using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests.ApiContract;

/// <summary>Saved modules, optimizers, data and files by the names and signatures that programs are compiled against.</summary>
public sealed class TrainingAndFilesContract : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void SavedModules()
    {
        Module net = new Sequential(new Linear(4, 3, bias: true), new Relu(), new Dropout(0.5), new Flatten(), new Gelu(), new Linear(3, 2, bias: false));
        NDArray y = net.Forward(Nd.Ones((5, 4)));
        IReadOnlyDictionary<string, NDArray> parameters = net.Parameters;
        Assert.Equal(["0.weight", "0.bias", "5.weight"], parameters.Keys);
        Assert.Equal(new Shape(5, 2), y.Shape);
        net.Save(_folder["net"]);
        net.Load(_folder["net"]);
        Assert.Contains("Linear", net.Summary((1, 4)), StringComparison.Ordinal);
        Assert.Equal(new Shape(3, 8), new Embedding(10, 8).Forward(Nd.Array([1, 2, 3])).Shape);
    }

    [Fact]
    public void Optimizers()
    {
        NDArray p = Nd.Ones(3);
        p.AttachGrad();
        Optimizer[] all =
        [
            new Sgd([p], learningRate: 0.1, momentum: 0.9, weightDecay: 0.01, nesterov: true),
            new Sgd([p], 0.1),
            new Adam([p], learningRate: 1e-3, beta1: .9, beta2: .999, epsilon: 1e-8, weightDecay: 0),
            new AdamW([p], learningRate: 1e-3, beta1: .9, beta2: .999, epsilon: 1e-8, weightDecay: 0.01),
            new RmsProp([p], learningRate: 1e-2),
            new AdaGrad([p], learningRate: 1e-2),
            new Lamb([p], learningRate: 1e-3),
        ];
        foreach (Optimizer optimizer in all)
        {
            float before = p.ToArray<float>()[0];
            NDArray loss;
            using (Autograd.Record()) loss = Nd.Sum(Nd.Square(p));
            loss.Backward();
            double rate = optimizer.LearningRate;
            optimizer.LearningRate = rate / 2;
            Assert.True(optimizer.ClipGradNorm(1) > 1);
            optimizer.Step();
            optimizer.ZeroGrad();
            Assert.NotEqual(before, p.ToArray<float>()[0]);
            AutogradException stale = Assert.Throws<AutogradException>(optimizer.Step);
            Assert.Contains("parameter 0", stale.Message, StringComparison.Ordinal);
            optimizer.IgnoreStaleGradients = true;
            optimizer.Step();
        }
    }

    [Fact]
    public void FilesAndData()
    {
        Dictionary<string, NDArray> arrays = new() { ["x"] = Nd.Ones((2, 2)) };
        Safetensors.Save(_folder["a.safetensors"], arrays);
        Dictionary<string, NDArray> safe = Safetensors.Load(_folder["a.safetensors"]);
        Npz.Save(_folder["a.npz"], arrays);
        Dictionary<string, NDArray> zip = Npz.Load(_folder["a.npz"]);
        Npy.Save(_folder["a.npy"], arrays["x"]);
        Assert.All([safe["x"], zip["x"], Npy.Load(_folder["a.npy"])], x => Assert.Equal([1f, 1f, 1f, 1f], x.ToArray<float>()));
        Idx.Save(_folder["a.idx"], Nd.Zeros((4, 2), DType.UInt8));
        ArrayDataset dataset = new(Idx.Load(_folder["a.idx"]), Nd.Arange(0, 4));
        int batches = 0;
        foreach ((NDArray x, NDArray y) in new DataLoader(dataset, batchSize: 3, shuffle: true, seed: 1))
        {
            Assert.Equal(x.Shape[0], y.Shape[0]);
            batches++;
        }

        Assert.Equal(2, batches);
        Assert.Throws<InvalidDataException>(() => Npy.Load(_folder["a.npz"]));
    }

    [Fact]
    public void DevicesAndRuntime()
    {
        Device cpu = Device.Cpu;
        cpu.Synchronize();
        NDArray x = Nd.Zeros((2, 3), DType.Float64, device: cpu);
        Assert.Same(cpu, x.Device);
        Assert.Same(cpu, x.To(Device.Cpu).Device);
        Assert.True(FusionRuntime.NumThreads >= 1);
        FusionRuntime.ResetPeak();
        Assert.True(FusionRuntime.PeakBytes >= 0 && FusionRuntime.LiveBytes >= 0);
    }
}
