namespace Fusion.Kernels;

/// <summary>How four words of 32 or 64 bits become four elements, by the formulas of <see cref="IDistribution{T}"/>'s implementations.</summary>
internal interface IDeviceDistribution<TSelf, TWord, T>
    where TWord : unmanaged
    where T : unmanaged
{
    static abstract DeviceQuartet<T> Draw(TSelf distribution, DeviceQuartet<TWord> words);
}

/// <summary>As <see cref="UniformDistribution{T}"/>.</summary>
internal readonly struct DeviceUniformSingle(float low, float high) : IDeviceDistribution<DeviceUniformSingle, uint, float>
{
    private readonly float _low = low;
    private readonly float _range = high - low;
    private readonly float _max = high > low ? float.BitDecrement(high) : low;

    public static DeviceQuartet<float> Draw(DeviceUniformSingle d, DeviceQuartet<uint> words) =>
        new(One(d, words.A), One(d, words.B), One(d, words.C), One(d, words.D));

    private static float One(DeviceUniformSingle d, uint word)
    {
        float fraction = DeviceMath.Multiply(DeviceMath.Nearest((int)(word >> 8)), 1f / (1 << 24));
        return DeviceMath.MinNative(DeviceMath.Fma(fraction, d._range, d._low), d._max);
    }
}

/// <summary>As <see cref="UniformDistribution{T}"/>.</summary>
internal readonly struct DeviceUniformDouble(double low, double high) : IDeviceDistribution<DeviceUniformDouble, ulong, double>
{
    private readonly double _low = low;
    private readonly double _range = high - low;
    private readonly double _max = high > low ? double.BitDecrement(high) : low;

    public static DeviceQuartet<double> Draw(DeviceUniformDouble d, DeviceQuartet<ulong> words) =>
        new(One(d, words.A), One(d, words.B), One(d, words.C), One(d, words.D));

    private static double One(DeviceUniformDouble d, ulong word)
    {
        double fraction = DeviceMath.Multiply(DeviceMath.Nearest((long)(word >> 11)), 1.0 / (1L << 53));
        return DeviceMath.MinNative(DeviceMath.Fma(fraction, d._range, d._low), d._max);
    }
}

/// <summary>As <see cref="NormalDistribution{T}"/>: a thread's first two words are radii, the others angles.</summary>
internal readonly struct DeviceNormalSingle(float mean, float deviation) : IDeviceDistribution<DeviceNormalSingle, uint, float>
{
    private readonly float _mean = mean;
    private readonly float _deviation = deviation;

    public static DeviceQuartet<float> Draw(DeviceNormalSingle d, DeviceQuartet<uint> words)
    {
        DeviceSingle first = BoxMuller.Radius(DeviceSingle.Bits(words.A)), second = BoxMuller.Radius(DeviceSingle.Bits(words.B));
        BoxMuller.Direction(DeviceSingle.Bits(words.C), out DeviceSingle x, out DeviceSingle y);
        BoxMuller.Direction(DeviceSingle.Bits(words.D), out DeviceSingle z, out DeviceSingle w);
        return new DeviceQuartet<float>(Scaled(d, first * x), Scaled(d, second * z), Scaled(d, first * y), Scaled(d, second * w));
    }

    private static float Scaled(DeviceNormalSingle d, DeviceSingle normal) => DeviceMath.Fma(normal.Value, d._deviation, d._mean);
}

/// <summary>As <see cref="NormalDistribution{T}"/>.</summary>
internal readonly struct DeviceNormalDouble(double mean, double deviation) : IDeviceDistribution<DeviceNormalDouble, ulong, double>
{
    private readonly double _mean = mean;
    private readonly double _deviation = deviation;

    public static DeviceQuartet<double> Draw(DeviceNormalDouble d, DeviceQuartet<ulong> words)
    {
        DeviceDouble first = BoxMuller.Radius(DeviceDouble.Bits((long)words.A)), second = BoxMuller.Radius(DeviceDouble.Bits((long)words.B));
        BoxMuller.Direction(DeviceDouble.Bits((long)words.C), out DeviceDouble x, out DeviceDouble y);
        BoxMuller.Direction(DeviceDouble.Bits((long)words.D), out DeviceDouble z, out DeviceDouble w);
        return new DeviceQuartet<double>(Scaled(d, first * x), Scaled(d, second * z), Scaled(d, first * y), Scaled(d, second * w));
    }

    private static double Scaled(DeviceNormalDouble d, DeviceDouble normal) => DeviceMath.Fma(normal.Value, d._deviation, d._mean);
}

/// <summary>As <see cref="IntegerDistribution{T}"/>.</summary>
internal readonly struct DeviceIntegers<TTo, T>(long low, ulong range) : IDeviceDistribution<DeviceIntegers<TTo, T>, ulong, T>
    where TTo : struct, IDeviceCast<long, T>
    where T : unmanaged
{
    private readonly long _low = low;
    private readonly ulong _range = range;

    public static DeviceQuartet<T> Draw(DeviceIntegers<TTo, T> d, DeviceQuartet<ulong> words) =>
        new(One(d, words.A), One(d, words.B), One(d, words.C), One(d, words.D));

    private static T One(DeviceIntegers<TTo, T> d, ulong word) =>
        TTo.Convert(d._low + (long)(d._range == 0 ? word : DeviceMath.MultiplyHigh(word, d._range)));
}

/// <summary>As <see cref="BernoulliDistribution{T}"/>.</summary>
internal readonly struct DeviceBernoulli<T>(double p, T one) : IDeviceDistribution<DeviceBernoulli<T>, uint, T>
    where T : unmanaged
{
    private readonly ulong _threshold = (ulong)Math.Round(p * (1UL << 32));
    private readonly T _one = one;

    public static DeviceQuartet<T> Draw(DeviceBernoulli<T> d, DeviceQuartet<uint> words) =>
        new(One(d, words.A), One(d, words.B), One(d, words.C), One(d, words.D));

    private static T One(DeviceBernoulli<T> d, uint word)
    {
        T value = default;
        if (word < d._threshold) value = d._one;
        return value;
    }
}
