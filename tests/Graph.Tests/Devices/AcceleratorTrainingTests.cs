using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>A whole training run on the accelerator of this machine: OpenCL (Debian's <c>pocl-opencl-icd</c>) or CUDA; skipped where there is none.</summary>
[Collection(nameof(ProcessState))]
public class AcceleratorTrainingTests
{
    private const int Steps = 12, Batch = 64;

    /// <summary>Products add up in another order there, and that is all: the losses stay those of the processor, and fall.</summary>
    [TrainingTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void AnAcceleratorTrainsAsTheProcessorDoes(bool compiled)
    {
        (double[] expected, NDArray[] weights) = Train(Device.Cpu, compiled: false, out _);
        (double[] actual, NDArray[] moved) = Train(Device.Gpu(), compiled, out int kernels);
        for (int i = 0; i < Steps; i++) Assert.InRange(actual[i], expected[i] * (1 - 1e-4), expected[i] * (1 + 1e-4));
        Assert.True(actual[^1] < 0.5 * actual[0]);
        for (int p = 0; p < weights.Length; p++)
        {
            double distance = Nd.Norm(weights[p] - moved[p]).Item<float>(), size = Nd.Norm(weights[p]).Item<float>();
            Assert.InRange(distance, 0, 1e-4 * size);
        }

        if (compiled) Assert.InRange(kernels, 1, 12);
    }

    private static (double[] Losses, NDArray[] Weights) Train(Device device, bool compiled, out int kernels)
    {
        Nd.Random.Seed(5);
        NDArray x = Nd.Random.Normal(0, 1, (Batch, 64)), labels = Nd.ArgMax(x[.., ..10], 1).AsType(DType.Int32);
        Sequential network = new Sequential(new Linear(64, 128), new Gelu(), new Linear(128, 10)).To(device);
        Sgd optimizer = new(network.Parameters, learningRate: 0.5, momentum: 0.9);
        Func<NDArray, NDArray, NDArray> step = (images, classes) =>
        {
            NDArray loss;
            using (Autograd.Record()) loss = Loss.SoftmaxCrossEntropy(network.Forward(images), classes);
            loss.Backward();
            optimizer.Step();
            return loss;
        };
        HybridFunction<Func<NDArray, NDArray, NDArray>>? hybrid = compiled ? step.Hybridize(Check.Strict) : null;
        Func<NDArray, NDArray, NDArray> run = hybrid is null ? step : hybrid.Invoke;
        (NDArray images, NDArray classes) = (x.To(device), labels.To(device));
        double[] losses = [.. Enumerable.Range(0, Steps).Select(_ => (double)run(images, classes).Item<float>())];
        kernels = hybrid?.Report.KernelCount ?? 0;
        return (losses, [.. network.Parameters.Values.Select(static p => p.To(Device.Cpu))]);
    }

    /// <summary>A theory that needs an accelerator.</summary>
    private sealed class TrainingTheoryAttribute : TheoryAttribute
    {
        public TrainingTheoryAttribute() => Skip = Device.GpuCount == 0 ? "no accelerator was found" : null;
    }
}
