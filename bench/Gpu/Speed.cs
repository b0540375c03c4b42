using System.Diagnostics;
using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Gpu;

/// <summary>The cases, and how they are timed: batches of calls, one wait at the end of each, the median of the batches.</summary>
internal static class Speed
{
    private const int Batches = 7;

    private static IEnumerable<SpeedCase> All =>
    [
        .. new[] { 1_000_000, 10_000_000, 100_000_000 }.SelectMany(Streams),
        Transfer("to the device, 64 MB", static (host, _, device) => host.To(device)),
        Transfer("from the device, 64 MB", static (_, there, _) => there.To(Device.Cpu)),
        Rows("softmax (16384, 1024)", 16384, 1024, static x => Nd.Softmax(x)),
        Rows("softmax (262144, 64)", 262144, 64, static x => Nd.Softmax(x)),
        Rows("softmax (1048576, 10)", 1048576, 10, static x => Nd.Softmax(x)),
        Rows("layer norm (16384, 1024)", 16384, 1024, static x => Nd.LayerNorm(x)),
        Rows("sum of rows (16384, 1024)", 16384, 1024, static x => Nd.Sum(x, [1]), written: 0),
        Rows("sum of columns (16384, 1024)", 16384, 1024, static x => Nd.Sum(x, [0]), written: 0),
        Rows("sum (16384, 1024)", 16384, 1024, static x => Nd.Sum(x), written: 0),
        .. new[] { 512, 1024, 2048, 4096 }.Select(static n => Product(n, n, n)),
        Product(128, 4096, 4096),
        Layer("gelu(x·w + b), (8192, 1024) x (1024, 4096), hybridized", 8192, 4096, 1024),
        Convolution("convolution 3x3 of (32, 64, 56, 56) to 64 channels", 32, 64, 56),
        Step("MLP 784-512-512-10, batch 128, Adam, eager", 128, compiled: false),
        Step("MLP 784-512-512-10, batch 128, Adam, hybridized", 128, compiled: true),
        Step("MLP 784-512-512-10, batch 4096, Adam, hybridized", 4096, compiled: true),
        LeNet("LeNet, batch 256, Adam, eager", compiled: false),
        LeNet("LeNet, batch 256, Adam, hybridized", compiled: true),
        Transformer("transformer block 256, 8 heads, (32, 64), Adam, eager", compiled: false),
        Transformer("transformer block 256, 8 heads, (32, 64), Adam, hybridized", compiled: true),
    ];

    public static void Run(Device device, string filter, Report report)
    {
        foreach (SpeedCase one in All.Where(c => c.Name.Contains(filter, StringComparison.OrdinalIgnoreCase)))
        {
            try
            {
                report.Time(one, Median(one.Prepare(device), device));
            }
            catch (Exception e) when (e is DeviceException or NotSupportedException or InvalidOperationException)
            {
                report.Failed(one, e.Message);
            }

            GC.Collect();
        }
    }

    // Seconds a call.
    private static double Median(Action call, Device device)
    {
        for (int i = 0; i < 5; i++) call();
        device.Synchronize();
        Stopwatch watch = Stopwatch.StartNew();
        call();
        device.Synchronize();
        int calls = (int)Math.Clamp(0.05 / watch.Elapsed.TotalSeconds, 2, 1000);
        double[] times = new double[Batches];
        for (int b = 0; b < Batches; b++)
        {
            watch.Restart();
            for (int i = 0; i < calls; i++) call();
            device.Synchronize();
            times[b] = watch.Elapsed.TotalSeconds / calls;
        }

        Array.Sort(times);
        return times[Batches / 2];
    }

    private static IEnumerable<SpeedCase> Streams(int n)
    {
        yield return new($"copy {n}", 8.0 * n, 0, device =>
        {
            NDArray x = Normal(device, n);
            return () => x.Copy();
        });
        yield return new($"a*b+c {n}, eager", 12.0 * n + 12.0 * n, 0, device =>
        {
            (NDArray a, NDArray b, NDArray c) = (Normal(device, n), Normal(device, n), Normal(device, n));
            return () => _ = (a * b) + c;
        });
        yield return new($"tanh(a*b+c)*sigmoid(d)+a/2-relu(c) {n}, hybridized", 20.0 * n, 0, device =>
        {
            (NDArray a, NDArray b, NDArray c, NDArray d) = (Normal(device, n), Normal(device, n), Normal(device, n), Normal(device, n));
            Func<NDArray, NDArray, NDArray, NDArray, NDArray> f = static (a, b, c, d) => (Nd.Tanh((a * b) + c) * Nd.Sigmoid(d)) + (a * 0.5) - Nd.Relu(c);
            Func<NDArray, NDArray, NDArray, NDArray, NDArray> compiled = f.Hybridize().Invoke;
            return () => compiled(a, b, c, d);
        });
        yield return new($"gelu {n}, eager", 8.0 * n, 0, device =>
        {
            NDArray x = Normal(device, n);
            return () => Nd.Gelu(x);
        });
    }

    private static SpeedCase Rows(string name, int rows, int columns, Func<NDArray, NDArray> f, int written = 1) =>
        new(name, 4.0 * rows * columns * (1 + written), 0, device =>
        {
            NDArray x = Normal(device, (rows, columns));
            return () => f(x);
        });

    private static SpeedCase Product(int m, int n, int k) => new($"matrix product ({m}, {k}) x ({k}, {n})", 0, 2.0 * m * n * k, device =>
    {
        (NDArray a, NDArray b) = (Normal(device, (m, k)), Normal(device, (k, n)));
        return () => Nd.MatMul(a, b);
    });

    private static SpeedCase Transfer(string name, Func<NDArray, NDArray, Device, NDArray> copy) => new(name, 64 << 20, 0, device =>
    {
        NDArray host = Normal(Device.Cpu, 16 << 20), there = host.To(device);
        return () => copy(host, there, device);
    });

    private static SpeedCase Layer(string name, int m, int n, int k) => new(name, 0, 2.0 * m * n * k, device =>
    {
        (NDArray x, NDArray w, NDArray b) = (Normal(device, (m, k)), Normal(device, (n, k)), Normal(device, n));
        Func<NDArray, NDArray, NDArray, NDArray> f = static (x, w, b) => Nd.Gelu(Nd.FullyConnected(x, w, b));
        Func<NDArray, NDArray, NDArray, NDArray> compiled = f.Hybridize(new HybridOptions { FallbackToEager = false }).Invoke;
        return () => compiled(x, w, b);
    });

    private static SpeedCase Convolution(string name, int batch, int channels, int side) =>
        new(name, 0, 2.0 * batch * channels * side * side * channels * 9, device =>
        {
            (NDArray x, NDArray w) = (Normal(device, (batch, channels, side, side)), Normal(device, (channels, channels, 3, 3)));
            return () => Nd.Conv2D(x, w, padding: 1);
        });

    private static SpeedCase LeNet(string name, bool compiled) => new(name, 0, 0, device =>
    {
        NDArray x = Normal(device, (256, 1, 28, 28)), labels = Nd.Random.RandInt(0, 10, 256).To(device);
        Sequential network = new Sequential(
            new Conv2d(1, 6, 5, padding: 2), new Relu(), new MaxPool2d(2), new Conv2d(6, 16, 5), new Relu(), new MaxPool2d(2),
            new Flatten(), new Linear(400, 120), new Relu(), new Linear(120, 84), new Relu(), new Linear(84, 10)).To(device);
        return Training(network, () => Loss.SoftmaxCrossEntropy(network.Forward(x), labels), compiled);
    });

    private static SpeedCase Step(string name, int batch, bool compiled) => new(name, 0, 0, device =>
    {
        NDArray x = Normal(device, (batch, 784)), labels = Nd.Random.RandInt(0, 10, batch).To(device);
        Sequential network = new Sequential(new Linear(784, 512), new Relu(), new Linear(512, 512), new Relu(), new Linear(512, 10)).To(device);
        return Training(network, () => Loss.SoftmaxCrossEntropy(network.Forward(x), labels), compiled);
    });

    private static SpeedCase Transformer(string name, bool compiled) => new(name, 0, 0, device =>
    {
        NDArray x = Normal(device, (32, 64, 256)), target = Normal(device, (32, 64, 256));
        TransformerBlock block = new TransformerBlock(256, 8, 1024).To(device);
        return Training(block, () => Loss.MeanSquaredError(block.Forward(x), target), compiled);
    });

    private static Action Training(Module network, Func<NDArray> loss, bool compiled)
    {
        Adam optimizer = new(network.Parameters, learningRate: 1e-3);
        Func<NDArray> step = () =>
        {
            NDArray value;
            using (Autograd.Record()) value = loss();
            value.Backward();
            optimizer.Step();
            return value;
        };
        if (compiled) step = step.Hybridize(new HybridOptions { FallbackToEager = false, KeepGradients = false }).Invoke;
        return () => step();
    }

    private static NDArray Normal(Device device, Shape shape)
    {
        Nd.Random.Seed(3);
        return Nd.Random.Normal(0, 1, shape).To(device);
    }
}
