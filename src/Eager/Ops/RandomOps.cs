using System.Numerics;
using Fusion.Kernels;

namespace Fusion;

/// <summary>The kernels of the random rows: from attributes and element type to a distribution, which fills a contiguous array.</summary>
internal static unsafe class RandomOps
{
    public static readonly DrawRule UniformDraw = Floats(static (a, is64) =>
        is64 ? new NumberSource<UniformDistribution<double>, double>(new(a.First, a.Second)) : new NumberSource<UniformDistribution<float>, float>(new((float)a.First, (float)a.Second)));

    public static readonly DrawRule NormalDraw = Floats(static (a, is64) =>
        is64 ? new NumberSource<NormalDistribution<double>, double>(new(a.First, a.Second)) : new NumberSource<NormalDistribution<float>, float>(new((float)a.First, (float)a.Second)));

    /// <summary>One word an element, whatever its type.</summary>
    public static readonly DrawRule BernoulliDraw = new(
        static y => RandomFill.BlocksFor<BernoulliDistribution<float>, float>(y.Shape.Size),
        Floats(static (a, is64) =>
            is64 ? new NumberSource<BernoulliDistribution<double>, double>(new(a.First, 1)) : new NumberSource<BernoulliDistribution<float>, float>(new(a.First, 1))).Source);

    public static readonly DrawRule IntegerDraw = new(static y => RandomFill.BlocksFor<IntegerDistribution<long>, long>(y.Shape.Size));

    /// <summary>A block an element.</summary>
    public static readonly DrawRule RejectionDraw = new(static y => (ulong)y.Shape.Size);

    public static void Uniform(RandomAttributes a, NDArray y)
    {
        if (y.DType == DType.Float64) Fill<UniformDistribution<double>, double>(new(a.First, a.Second), y);
        else Fill<UniformDistribution<float>, float>(new((float)a.First, (float)a.Second), y);
    }

    public static void Normal(RandomAttributes a, NDArray y)
    {
        if (y.DType == DType.Float64) Fill<NormalDistribution<double>, double>(new(a.First, a.Second), y);
        else Fill<NormalDistribution<float>, float>(new((float)a.First, (float)a.Second), y);
    }

    public static void Bernoulli(RandomAttributes a, NDArray y)
    {
        switch (y.DType)
        {
            case DType.Float32: Fill<BernoulliDistribution<float>, float>(new(a.First, 1), y); break;
            case DType.Float64: Fill<BernoulliDistribution<double>, double>(new(a.First, 1), y); break;
            case DType.Int32: Fill<BernoulliDistribution<int>, int>(new(a.First, 1), y); break;
            case DType.Int64: Fill<BernoulliDistribution<long>, long>(new(a.First, 1), y); break;
            default: Fill<BernoulliDistribution<byte>, byte>(new(a.First, 1), y); break;
        }
    }

    public static void Integer(RandomIntegerAttributes a, NDArray y)
    {
        ulong range = unchecked((ulong)a.High - (ulong)a.Low);
        switch (y.DType)
        {
            case DType.Int32: Fill<IntegerDistribution<int>, int>(new(a.Low, range), y); break;
            case DType.Int64: Fill<IntegerDistribution<long>, long>(new(a.Low, range), y); break;
            default: Fill<IntegerDistribution<byte>, byte>(new(a.Low, range), y); break;
        }
    }

    /// <summary>Shuffles 0 … n − 1: R. Durstenfeld, "Algorithm 235: Random permutation", CACM 7, 1964; exchange i takes word pair i.</summary>
    public static void Permutation(RandomAttributes a, NDArray y)
    {
        int n = (int)y.Size;
        RandomOrigin origin = Nd.Random.Reserve(RandomFill.BlocksFor<IntegerDistribution<ulong>, ulong>(n));
        y.CopyIn((ReadOnlySpan<int>)Permutation(n, origin));
    }

    /// <summary>The integers 0 … n − 1 in the random order that belongs to a place in the stream.</summary>
    public static int[] Permutation(int n, RandomOrigin origin)
    {
        ulong[] words = new ulong[n];
        fixed (ulong* p = words) RandomFill.Run(new IntegerDistribution<ulong>(0, 0), origin, p, n);
        int[] order = new int[n];
        for (int i = 0; i < n; i++)
        {
            int j = (int)Math.BigMul(words[i], (ulong)i + 1, out _);
            order[i] = order[j];
            order[j] = i;
        }

        return order;
    }

    public static void Gamma(RandomAttributes a, NDArray y) => FillByRejection(y, new GammaSampler(a.First, a.Second));

    public static void Poisson(RandomAttributes a, NDArray y) => FillByRejection(y, new PoissonSampler(a.First));

    /// <summary>Copies weights of classes, lines along the last axis, none of which is negative or infinite, and not all of a line 0.</summary>
    public static void Weights(NDArray x, NDArray y)
    {
        Movement.CopyTo(x, y);
        fixed (byte* p = &y.Data)
        {
            int classes = y.Shape[-1];
            for (long line = 0; line < y.Size / classes; line++)
            {
                if (y.DType == DType.Float64) CheckWeights(new ReadOnlySpan<double>((double*)p + (line * classes), classes), line);
                else CheckWeights(new ReadOnlySpan<float>((float*)p + (line * classes), classes), line);
            }
        }
    }

    private static void CheckWeights<T>(ReadOnlySpan<T> probabilities, long line)
        where T : IBinaryFloatingPointIeee754<T>
    {
        T sum = T.Zero;
        for (int i = 0; i < probabilities.Length; i++)
        {
            T p = probabilities[i];
            if (!(p >= T.Zero && T.IsFinite(p)))
                throw new ArgumentOutOfRangeException(nameof(probabilities), p, $"Random.Multinomial: the probability of class {i} in line {line} is negative, NaN or infinite.");
            sum += p;
        }

        if (sum == T.Zero) throw new ArgumentOutOfRangeException(nameof(probabilities), $"Random.Multinomial: line {line} has no class with a probability above 0.");
    }

    private static DrawRule Floats(Func<RandomAttributes, bool, NumberSource> source) => new(
        static y => y.DType == DType.Float64 ? RandomFill.BlocksFor<UniformDistribution<double>, double>(y.Shape.Size) : RandomFill.BlocksFor<UniformDistribution<float>, float>(y.Shape.Size),
        (attributes, type) => type is DType.Float32 or DType.Float64 ? source((RandomAttributes)attributes!, type == DType.Float64) : null);

    private static void FillByRejection<TSampler>(NDArray y, TSampler sampler)
        where TSampler : unmanaged, IRejectionSampler
    {
        RandomOrigin origin = Nd.Random.Reserve((ulong)y.Size);
        fixed (byte* p = &y.Data) RejectionFill.Run(sampler, origin, y.DType, (nint)p, y.Size);
        GC.KeepAlive(y);
    }

    private static void Fill<TDistribution, T>(TDistribution distribution, NDArray y)
        where TDistribution : unmanaged, IDistribution<T>
        where T : unmanaged
    {
        RandomOrigin origin = Nd.Random.Reserve(RandomFill.BlocksFor<TDistribution, T>(y.Size));
        fixed (byte* p = &y.Data) RandomFill.Run(distribution, origin, (T*)p, y.Size);
        GC.KeepAlive(y);
    }
}
