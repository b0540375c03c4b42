using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>Distributions on their own: the same numbers in every mode, the right moments, the edges of their ranges.</summary>
[Collection(KernelModes.Name)]
public sealed unsafe class DistributionTests
{
    private static readonly RandomOrigin s_origin = new(42, 1000);

    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(1025)]
    [InlineData(100_003)]
    public void NumbersDependOnNeitherWidthNorThreadsNorLength(int count)
    {
        Check<UniformDistribution<float>, float>(new(-1, 3), count);
        Check<UniformDistribution<double>, double>(new(-1, 3), count);
        Check<NormalDistribution<float>, float>(new(1, 2), count);
        Check<NormalDistribution<double>, double>(new(1, 2), count);
        Check<IntegerDistribution<int>, int>(new(-5, 11), count);
        Check<BernoulliDistribution<byte>, byte>(new(0.3, 1), count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5_000_000_000)]
    public void NumbersByRejectionDependOnTheirPlaceOnly(long start)
    {
        const int Count = 3000;
        float[] expected = new float[Count];
        for (int i = 0; i < Count; i++)
        {
            RejectionWords words = new(s_origin with { Block = s_origin.Block + (ulong)(start + i) });
            expected[i] = (float)(Rejection.Gamma(ref words, 0.7) * 3);
        }

        // The first element of a draw lies before the memory that its later elements are in.
        float[] part = new float[Count];
        fixed (float* p = part) RejectionFill.Range(new GammaSampler(0.7, 3), s_origin, false, (nint)p - (nint)(start * sizeof(float)), start, start + Count);
        Assert.Equal(expected, part);
        if (start > 0) return;
        KernelModes.ForEach(() =>
        {
            float[] all = new float[Count];
            fixed (float* p = all) RejectionFill.Run(new GammaSampler(0.7, 3), s_origin, DType.Float32, (nint)p, Count);
            Assert.Equal(expected, all);
        });
    }

    [Fact]
    public void UniformFillsItsInterval()
    {
        float[] x = Draw<UniformDistribution<float>, float>(new(2, 5), 1 << 20);
        Assert.InRange(x.Min(), 2f, 2.0001f);
        Assert.InRange(x.Max(), 4.9999f, MathF.BitDecrement(5));
        Assert.InRange(x.Average(v => (double)v), 3.495, 3.505);
        int[] bins = new int[100];
        foreach (float v in x) bins[(int)((v - 2) / 3 * 100)]++;
        // Chi-square with 99 degrees of freedom: 200 has a probability below 1e-8.
        Assert.InRange(ChiSquare(bins, x.Length / 100.0), 40, 200);
    }

    [Fact]
    public void UniformNeverReachesHigh()
    {
        // The spacing of floats at 2^24 is 2: every fraction above 1/2 would round up to high.
        float[] x = Draw<UniformDistribution<float>, float>(new(16777214, 16777216), 10_000);
        Assert.All(x, v => Assert.InRange(v, 16777214f, 16777215f));
        Assert.All(Draw<UniformDistribution<float>, float>(new(3, 3), 100), v => Assert.Equal(3f, v));
        Assert.All(Draw<UniformDistribution<double>, double>(new(1, Math.BitIncrement(1)), 1000), v => Assert.Equal(1.0, v));
    }

    [Fact]
    public void NormalHasTheMomentsAndTails()
    {
        double[] single = Array.ConvertAll(Draw<NormalDistribution<float>, float>(new(0, 1), 1 << 20), v => (double)v);
        double[] wide = Draw<NormalDistribution<double>, double>(new(0, 1), 1 << 20);
        foreach (double[] x in new[] { single, wide })
        {
            Assert.InRange(x.Average(), -0.005, 0.005);
            Assert.InRange(x.Average(v => v * v), 0.99, 1.01);
            Assert.InRange(x.Average(v => v * v * v), -0.02, 0.02);
            Assert.InRange(x.Average(v => v * v * v * v), 2.94, 3.06);
            Assert.InRange(x.Count(v => Math.Abs(v) > 3) / (double)x.Length, 0.0025, 0.0029);
            Assert.InRange(x.Max(), 4.2, 6.7);
        }
    }

    [Fact]
    public void NormalsOfOnePairAreUncorrelated()
    {
        float[] x = Draw<NormalDistribution<float>, float>(new(0, 1), 1 << 18);
        double product = 0;
        for (int g = 0; g < x.Length; g += 64)
            for (int i = 0; i < 32; i++) product += x[g + i] * (double)x[g + i + 32];
        Assert.InRange(product / (x.Length / 2), -0.015, 0.015);
    }

    /// <summary>The lanes against <see cref="Math"/>, from the same words.</summary>
    [Fact]
    public void BoxMullerAgreesWithTheLibrary()
    {
        const int groups = 64;
        uint[] words = new uint[groups * 64];
        double[] actual = new double[groups * 32];
        fixed (uint* w = words)
        {
            Philox.Fill(42, 1000, w, groups);
            fixed (double* a = actual) new NormalDistribution<double>(0, 1).Transform(w, a, groups);
            ulong* pairs = (ulong*)w;
            for (int i = 0; i < actual.Length; i += i % 32 == 15 ? 17 : 1)
            {
                double u = ((pairs[i] >> 1) + 0.5) / 9223372036854775808.0;
                double radius = Math.Sqrt(-2 * Math.Log(u));
                ulong angle = pairs[i + 16];
                double inQuadrant = ((long)(angle & ((1UL << 62) - 1)) - (1L << 61)) * (Math.PI / 2 / (1L << 62));
                (double s, double c) = Math.SinCos((angle >> 62) * (Math.PI / 2) + inQuadrant);
                Assert.Equal(radius * c, actual[i], 1e-14);
                Assert.Equal(radius * s, actual[i + 16], 1e-14);
            }
        }
    }

    [Fact]
    public void IntegersAreEquallyLikely()
    {
        int[] x = Draw<IntegerDistribution<int>, int>(new(-3, 7), 70_000);
        int[] bins = new int[7];
        foreach (int v in x) bins[v + 3]++;
        Assert.InRange(ChiSquare(bins, 10_000), 0.3, 25);
        Assert.All(Draw<IntegerDistribution<long>, long>(new(long.MinValue, 1), 100), v => Assert.Equal(long.MinValue, v));
    }

    [Fact]
    public void BernoulliHitsItsProbability()
    {
        Assert.Equal(0, Draw<BernoulliDistribution<int>, int>(new(0, 1), 10_000).Sum());
        Assert.Equal(10_000, Draw<BernoulliDistribution<int>, int>(new(1, 1), 10_000).Sum());
        Assert.InRange(Draw<BernoulliDistribution<int>, int>(new(0.25, 1), 100_000).Sum(), 24_500, 25_500);
        Assert.InRange(Draw<BernoulliDistribution<int>, int>(new(1e-4, 1), 1_000_000).Sum(), 60, 140);
    }

    [Fact]
    public void AnyPartOfADrawIsThatPart()
    {
        CheckParts<UniformDistribution<float>, float>(new(-1, 3));
        CheckParts<UniformDistribution<double>, double>(new(-1, 3));
        CheckParts<NormalDistribution<float>, float>(new(1, 2));
        CheckParts<NormalDistribution<double>, double>(new(1, 2));
        CheckParts<BernoulliDistribution<float>, float>(new(0.3, 1));
        CheckParts<BernoulliDistribution<double>, double>(new(0.3, 1));
    }

    /// <summary>A kernel that adds two draws to an array finds the elements wherever its pieces begin, and writes as far as it would without draws.</summary>
    [Fact]
    public void AKernelDrawsTheElementsOfItsPiece()
    {
        const int count = 5000;
        KernelSpec sum = new(
            false, [default, default, default, new KernelInput(IsScalar: true)], [KernelStep.Of(ElementOps.Add, 0, 1), KernelStep.Of(ElementOps.Multiply, 4, 2)], [5]);
        NumberSource first = new NumberSource<UniformDistribution<float>, float>(new(1, 2)), second = new NumberSource<NormalDistribution<float>, float>(new(0, 1));
        float[] u = Draw<UniformDistribution<float>, float>(new(1, 2), count);
        float[] z = Draw<NormalDistribution<float>, float>(new(0, 1), count, first.Blocks(count));
        float[] expected = [.. u.Select((v, i) => (i + v) * z[i])];
        KernelModes.ForEach(() =>
        {
            ElementKernel kernel = new DrawingLoop(
                KernelCompiler.Compile(sum), 5, 3, [new DrawnOperand(1, first, 0), new DrawnOperand(2, second, first.Blocks(count))]).Kernel;
            foreach ((int offset, int start, int end) in new[] { (0, 0, count), (0, 64, 4000), (0, 16, 17), (333, 0, 4000), (1, 1024, 3333), (700, 0, 1), (5, 16, 16) })
            {
                // The array in place: what a stretch writes behind its end must not be read by the next one.
                float[] x = [.. Enumerable.Range(offset, count - offset).Select(static i => (float)i), .. new float[64]];
                RandomOrigin origin = s_origin;
                fixed (float* p = x)
                {
                    nint place = (nint)(&origin);
                    nint[] table = [(nint)p, place + (offset * sizeof(float)), place + (offset * sizeof(float)), place, (nint)p];
                    fixed (nint* pointers = table) kernel.Invoke((nint)pointers, start, end);
                }

                for (int i = 0; i < start; i++) Assert.Equal(offset + i, x[i]);
                for (int i = start; i < end; i++) Assert.Equal(expected[offset + i], x[i]);
                for (int i = end + 63; i < count - offset; i++) Assert.Equal(offset + i, x[i]);
            }
        });
    }

    private static void CheckParts<TDistribution, T>(TDistribution distribution)
        where TDistribution : unmanaged, IDistribution<T>
        where T : unmanaged
    {
        const int count = 3000;
        T[] whole = Draw<TDistribution, T>(distribution, count);
        NumberSource source = new NumberSource<TDistribution, T>(distribution);
        Assert.Equal(sizeof(T), source.ElementSize);
        Assert.Equal(RandomFill.BlocksFor<TDistribution, T>(count), source.Blocks(count));
        KernelModes.ForEach(() =>
        {
            foreach ((int start, int length) in new[] { (0, 1), (0, count), (64, 64), (64, 1), (1024, 1976), (2944, 56) })
            {
                T[] part = new T[length + NumberSource.Grain];
                part[^1] = whole[0];
                fixed (T* p = part) source.Fill(s_origin, start, length, (byte*)p);
                Assert.Equal(whole[start..(start + length)], part[..length]);
                Assert.Equal(whole[0], part[^1]);
            }
        });
    }

    private static void Check<TDistribution, T>(TDistribution distribution, int count)
        where TDistribution : unmanaged, IDistribution<T>
        where T : unmanaged
    {
        T[] expected = Draw<TDistribution, T>(distribution, count);
        T[] longer = Draw<TDistribution, T>(distribution, count + 777);
        Assert.Equal(expected, longer[..count]);
        KernelModes.ForEach(() => Assert.Equal(expected, Draw<TDistribution, T>(distribution, count)));
    }

    private static T[] Draw<TDistribution, T>(TDistribution distribution, int count, ulong blocks = 0)
        where TDistribution : unmanaged, IDistribution<T>
        where T : unmanaged
    {
        T[] result = new T[count + 1];
        fixed (T* p = result) RandomFill.Run(distribution, s_origin with { Block = s_origin.Block + blocks }, p, count);
        Assert.Equal(default, result[count]);
        return result[..count];
    }

    private static double ChiSquare(int[] bins, double expected) => bins.Sum(b => (b - expected) * (b - expected) / expected);
}
