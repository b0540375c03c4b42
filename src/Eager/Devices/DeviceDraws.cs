using Fusion.Kernels;

namespace Fusion;

/// <summary>Random numbers of an accelerator: each draw takes the part of the stream that it would take on the processor, and gives the same numbers.</summary>
internal static class DeviceDraws
{
    public static void Uniform(RandomAttributes a, NDArray y)
    {
        DeviceBlock to = (DeviceBlock)y.Storage;
        DeviceRandom.Uniform(to.Device, Origin<UniformDistribution<float>, UniformDistribution<double>>(y), y.DType, a.First, a.Second, to, y.Offset, y.Size);
    }

    public static void Normal(RandomAttributes a, NDArray y)
    {
        DeviceBlock to = (DeviceBlock)y.Storage;
        DeviceRandom.Normal(to.Device, Origin<NormalDistribution<float>, NormalDistribution<double>>(y), y.DType, a.First, a.Second, to, y.Offset, y.Size);
    }

    public static void Bernoulli(RandomAttributes a, NDArray y)
    {
        DeviceBlock to = (DeviceBlock)y.Storage;
        RandomOrigin origin = Nd.Random.Reserve(RandomFill.BlocksFor<BernoulliDistribution<float>, float>(y.Size));
        DeviceRandom.Bernoulli(to.Device, origin, y.DType, a.First, to, y.Offset, y.Size);
    }

    public static void Integer(RandomIntegerAttributes a, NDArray y)
    {
        DeviceBlock to = (DeviceBlock)y.Storage;
        RandomOrigin origin = Nd.Random.Reserve(RandomFill.BlocksFor<IntegerDistribution<long>, long>(y.Size));
        DeviceRandom.Integers(to.Device, origin, y.DType, a.Low, unchecked((ulong)a.High - (ulong)a.Low), to, y.Offset, y.Size);
    }

    private static RandomOrigin Origin<TSingle, TDouble>(NDArray y)
        where TSingle : unmanaged, IDistribution<float>
        where TDouble : unmanaged, IDistribution<double> => Nd.Random.Reserve(
            y.DType == DType.Float64 ? RandomFill.BlocksFor<TDouble, double>(y.Size) : RandomFill.BlocksFor<TSingle, float>(y.Size));
}
