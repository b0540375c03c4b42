using Fusion.Kernels;

namespace Fusion;

/// <summary>The interval [Low, High) and type of random integers; in long, since not every bound is a double.</summary>
internal sealed record RandomIntegerAttributes(Shape Shape, DType DType, long Low, long High, Device? Device) : IPlacedAttributes;

// Rows without inputs. Each takes its part of the random stream when it runs, not when it is recorded or traced.
internal static partial class OpTable
{
    public static readonly Op RandomUniform = RandomRow("RandomUniform", RandomOps.Uniform, RandomOps.UniformDraw, DeviceDraws.Uniform)
        .Named("mx.np.random.uniform, np.random.uniform, torch.rand", "real");

    public static readonly Op RandomNormal = RandomRow("RandomNormal", RandomOps.Normal, RandomOps.NormalDraw, DeviceDraws.Normal)
        .Named("mx.np.random.normal, np.random.normal, torch.normal", "real");

    public static readonly Op RandomBernoulli = RandomRow("RandomBernoulli", RandomOps.Bernoulli, RandomOps.BernoulliDraw, DeviceDraws.Bernoulli)
        .Named("mx.npx.random.bernoulli, -, torch.bernoulli");

    public static readonly Op RandomPermutation = RandomRow("RandomPermutation", RandomOps.Permutation, RandomOps.IntegerDraw)
        .Named("mx.np.random.permutation, np.random.permutation, torch.randperm");

    public static readonly Op RandomGamma = RandomRow("RandomGamma", RandomOps.Gamma, RandomOps.RejectionDraw)
        .Named("mx.np.random.gamma, np.random.gamma, torch.distributions.Gamma", "real");

    public static readonly Op RandomPoisson = RandomRow("RandomPoisson", RandomOps.Poisson, RandomOps.RejectionDraw)
        .Named("mx.nd.random.poisson, np.random.poisson, torch.poisson", "real");

    /// <summary>Integers of an interval, each equally likely.</summary>
    public static readonly Op RandomInteger = Row(new Op
    {
        Name = "RandomInteger",
        Arity = 0,
        Infer = static (_, attributes, y) => y[0] = new TensorType(((RandomIntegerAttributes)attributes!).DType, ((RandomIntegerAttributes)attributes).Shape),
        Run = static (_, attributes, y) => RandomOps.Integer((RandomIntegerAttributes)attributes!, y[0]),
        DeviceRun = static (_, attributes, y) => DeviceDraws.Integer((RandomIntegerAttributes)attributes!, y[0]),
        Draw = RandomOps.IntegerDraw,
    }).Named("mx.np.random.randint, np.random.randint, torch.randint", "integer");

    /// <summary>Weights of classes along the last axis as they are, refused where they are none.</summary>
    public static readonly Op ClassWeights = Row(new Op
    {
        Name = "ClassWeights",
        Infer = static (x, _, y) => y[0] = x[0],
        Run = static (x, _, y) => RandomOps.Weights(x[0], y[0]),
        Gradient = [null],
    });

    private static Op RandomRow(string name, Action<RandomAttributes, NDArray> fill, DrawRule draw, Action<RandomAttributes, NDArray>? onDevice = null) => Row(new Op
    {
        Name = name,
        Arity = 0,
        Infer = static (_, attributes, y) => y[0] = new TensorType(((RandomAttributes)attributes!).DType, ((RandomAttributes)attributes).Shape),
        Run = (_, attributes, y) => fill((RandomAttributes)attributes!, y[0]),
        DeviceRun = onDevice is null ? null : (_, attributes, y) => onDevice((RandomAttributes)attributes!, y[0]),
        Draw = draw,
    });
}
