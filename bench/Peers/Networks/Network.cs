using Fusion.NN;
using Fusion.Peers.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Fusion.Peers.Networks;

/// <summary>A classifier of ten classes, on both sides with the same names of parameters.</summary>
/// <param name="Name">What it is, with sizes.</param>
/// <param name="Input">The shape of a batch.</param>
/// <param name="Flops">Operations of matrix products and convolutions forward.</param>
internal sealed record Network(string Name, Shape Input, double Flops, Func<Module> Ours, Func<nn.Module<Tensor, Tensor>> Theirs)
{
    public const int Classes = 10;

    /// <summary>Operations of the first layer, which needs no gradient of its input.</summary>
    public double FirstFlops { get; init; }

    /// <summary>The same as a graph of ONNX, from our parameters; null where it is not written.</summary>
    public Func<Module, Shape, byte[]>? Onnx { get; init; }

    public bool IsQuick { get; init; } = true;

    /// <summary>Forward, and twice as much backward, without the gradient of the input.</summary>
    public Work TrainingWork => new(0, (3 * Flops) - FirstFlops);

    public NDArray Batch() => FusionSide.Normal(Input, 1);

    public NDArray Labels() => FusionSide.Indices(Input[0], Classes, 2);

    /// <summary>Our side, the same at every call.</summary>
    public Module Seeded()
    {
        Nd.Random.Seed(7);
        return Ours();
    }

    /// <summary>Their side with our parameters.</summary>
    public nn.Module<Tensor, Tensor> Copied(ScalarType dtype)
    {
        Module source = Seeded();
        nn.Module<Tensor, Tensor> module = Theirs();
        using (no_grad())
        {
            foreach ((string name, TorchSharp.Modules.Parameter parameter) in module.named_parameters())
                parameter.copy_(TorchSide.Of(source.Parameters[name]));
        }

        return module.to(dtype);
    }
}
