using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Batch normalization of contiguous (batch, channels, size) arrays by the moments of each channel: x̂ = (x − μ)·r, r = 1/√(variance + ε), the variance about
/// the mean, divided by the number of elements. A channel is summed sample by sample with <see cref="ReduceTree"/>, then its samples in the same way.
/// </summary>
internal static unsafe class ChannelNormalize
{
    /// <summary>(2, channels): means, then variances.</summary>
    public static void Moments(DType dtype, nint x, nint moments, long batch, long channels, long size) =>
        ChannelDriver.Run<ChannelMomentsKernel>(dtype, new ChannelJob { Input = x, Moments = moments, Batch = batch, Channels = channels, Size = size });

    /// <summary>y = x̂·gamma + beta; the moments are read, or computed and written.</summary>
    public static void Forward(
        DType dtype, nint x, nint gamma, nint beta, nint moments, nint y, long batch, long channels, long size, double epsilon, bool computesMoments = false)
    {
        ChannelJob job = new()
        {
            Input = x,
            Gamma = gamma,
            Beta = beta,
            Moments = moments,
            Output = y,
            Batch = batch,
            Channels = channels,
            Size = size,
            Epsilon = epsilon,
        };
        if (computesMoments) ChannelDriver.Run<ChannelSteps<ChannelMomentsKernel, ChannelForwardKernel>>(dtype, job);
        else ChannelDriver.Run<ChannelForwardKernel>(dtype, job);
    }

    /// <summary>dx = gamma·r·(g − mean g − x̂·mean(g·x̂)); the sums are read, or computed and written.</summary>
    public static void Gradient(
        DType dtype, nint x, nint gamma, nint g, nint moments, nint sums, nint dx, long batch, long channels, long size, double epsilon, bool computesSums = false)
    {
        ChannelJob job = new()
        {
            Input = x,
            Gamma = gamma,
            Gradient = g,
            Moments = moments,
            Sums = sums,
            Output = dx,
            Batch = batch,
            Channels = channels,
            Size = size,
            Epsilon = epsilon,
        };
        if (computesSums) ChannelDriver.Run<ChannelSteps<ChannelSumsKernel, ChannelGradientKernel>>(dtype, job);
        else ChannelDriver.Run<ChannelGradientKernel>(dtype, job);
    }

    /// <summary>(2, channels): Σ g, then Σ g·x̂.</summary>
    public static void Sums(DType dtype, nint x, nint g, nint moments, nint sums, long batch, long channels, long size, double epsilon) =>
        ChannelDriver.Run<ChannelSumsKernel>(dtype, new ChannelJob
        {
            Input = x,
            Gradient = g,
            Moments = moments,
            Sums = sums,
            Batch = batch,
            Channels = channels,
            Size = size,
            Epsilon = epsilon,
        });
}

/// <summary>Sums over one channel, and what its moments say.</summary>
internal static unsafe class ChannelSum<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static (T Mean, T Variance) Moments(ChannelJob* job, T* x)
    {
        // The sum of one sample is the sample's.
        if (job->Batch == 1) return RowMoments(x, job->Size);
        using var scratch = new NativeScratch(job->Batch * sizeof(T));
        var samples = (T*)scratch.Pointer;
        var count = T.CreateTruncating(job->Count);
        for (long i = 0; i < job->Batch; i++) samples[i] = ReduceTree.ReduceRow<SumReduction, L, T>(x + i * job->Stride, job->Size);
        var mean = ReduceTree.ReduceRow<SumReduction, L, T>(samples, job->Batch) / count;
        var shift = L.Broadcast(mean);
        for (long i = 0; i < job->Batch; i++)
            samples[i] = RowSum<SquaredDifference, L, T>.Sum(x + i * job->Stride, x + i * job->Stride, shift, job->Size);
        return (mean, ReduceTree.ReduceRow<SumReduction, L, T>(samples, job->Batch) / count);
    }

    private static (T Mean, T Variance) RowMoments(T* x, long n)
    {
        var count = T.CreateTruncating(n);
        var mean = ReduceTree.ReduceRow<SumReduction, L, T>(x, n) / count;
        return (mean, RowSum<SquaredDifference, L, T>.Sum(x, x, L.Broadcast(mean), n) / count);
    }

    /// <summary>Σ g and Σ (x − mean)·g.</summary>
    public static (T Sum, T Product) Pair(ChannelJob* job, T* x, T* g, T mean)
    {
        using var scratch = new NativeScratch(2 * job->Batch * sizeof(T));
        T* sums = (T*)scratch.Pointer, products = sums + job->Batch;
        var shift = L.Broadcast(mean);
        for (long i = 0; i < job->Batch; i++)
            (sums[i], products[i]) = PairSum<Second, ShiftedProduct, PlainSecond, L, T>.Sum(x + i * job->Stride, g + i * job->Stride, null, shift, job->Size);
        return (ReduceTree.ReduceRow<SumReduction, L, T>(sums, job->Batch), ReduceTree.ReduceRow<SumReduction, L, T>(products, job->Batch));
    }

    /// <summary>The mean and 1/√(variance + ε).</summary>
    public static (T Mean, T Scale) Of(ChannelJob* job, long channel)
    {
        T* moments = (T*)job->Moments;
        return (moments[channel], T.One / T.Sqrt(moments[job->Channels + channel] + T.CreateTruncating(job->Epsilon)));
    }
}

internal readonly unsafe struct ChannelMomentsKernel : IChannelKernel
{
    public static void Channels<L, T>(ChannelJob* job, long start, long count)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T* means = (T*)job->Moments + start, variances = means + job->Channels;
        if (ChannelPlanes<L, T>.Takes(job))
        {
            ChannelPlanes<L, T>.Moments(job, start, count, means, variances);
            return;
        }

        for (long c = 0; c < count; c++) (means[c], variances[c]) = ChannelSum<L, T>.Moments(job, (T*)job->Input + (start + c) * job->Size);
    }
}

internal readonly unsafe struct ChannelSumsKernel : IChannelKernel
{
    public static void Channels<L, T>(ChannelJob* job, long start, long count)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T* sums = (T*)job->Sums + start, products = sums + job->Channels, means = (T*)job->Moments + start;
        T* x = (T*)job->Input + start * job->Size, g = (T*)job->Gradient + start * job->Size;
        if (ChannelPlanes<L, T>.Takes(job)) ChannelPlanes<L, T>.Pairs(job, start, count, sums, products);
        else for (long c = 0; c < count; c++) (sums[c], products[c]) = ChannelSum<L, T>.Pair(job, x + c * job->Size, g + c * job->Size, means[c]);
        for (long c = 0; c < count; c++) products[c] *= ChannelSum<L, T>.Of(job, start + c).Scale;
    }
}

internal readonly unsafe struct ChannelForwardKernel : IChannelKernel
{
    public static void Channels<L, T>(ChannelJob* job, long start, long count)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => ChannelPlanes<L, T>.Forward(job, start, count);
}

internal readonly unsafe struct ChannelGradientKernel : IChannelKernel
{
    public static void Channels<L, T>(ChannelJob* job, long start, long count)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => ChannelPlanes<L, T>.Gradient(job, start, count);
}

/// <summary>A kernel, and one that needs its results, while the channels are in a cache.</summary>
internal readonly unsafe struct ChannelSteps<TFirst, TSecond> : IChannelKernel
    where TFirst : IChannelKernel
    where TSecond : IChannelKernel
{
    public static void Channels<L, T>(ChannelJob* job, long start, long count)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        TFirst.Channels<L, T>(job, start, count);
        TSecond.Channels<L, T>(job, start, count);
    }
}
