using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Batch normalization of contiguous (batch, channels, size) arrays by the moments of each channel: x̂ = (x − μ)·r, r = 1/√(variance + ε), the variance about
/// the
/// mean, divided by the number of elements. A channel is summed sample by sample with <see cref="ReduceTree"/>, then its samples in the same way.
/// </summary>
internal static unsafe class ChannelNormalize
{
    /// <summary>(2, channels): means, then variances.</summary>
    public static void Moments(DType dtype, nint x, nint moments, long batch, long channels, long size) =>
        ChannelDriver.Run<ChannelMomentsKernel>(dtype, new ChannelJob { Input = x, Output = moments, Batch = batch, Channels = channels, Size = size });

    /// <summary>y = x̂·gamma + beta.</summary>
    public static void Forward(DType dtype, nint x, nint gamma, nint beta, nint y, long batch, long channels, long size, double epsilon) =>
        ChannelDriver.Run<ChannelForwardKernel>(dtype, new ChannelJob
        {
            Input = x,
            Gamma = gamma,
            Beta = beta,
            Output = y,
            Batch = batch,
            Channels = channels,
            Size = size,
            Epsilon = epsilon,
        });

    /// <summary>dx = gamma·r·(g − mean g − x̂·mean(g·x̂)).</summary>
    public static void Gradient(DType dtype, nint x, nint gamma, nint g, nint dx, long batch, long channels, long size, double epsilon) =>
        ChannelDriver.Run<ChannelGradientKernel>(dtype, new ChannelJob
        {
            Input = x,
            Gamma = gamma,
            Gradient = g,
            Output = dx,
            Batch = batch,
            Channels = channels,
            Size = size,
            Epsilon = epsilon,
        });

    /// <summary>(2, channels): Σ g, then Σ g·x̂.</summary>
    public static void Sums(DType dtype, nint x, nint g, nint sums, long batch, long channels, long size, double epsilon) =>
        ChannelDriver.Run<ChannelSumsKernel>(dtype, new ChannelJob
        {
            Input = x,
            Gradient = g,
            Output = sums,
            Batch = batch,
            Channels = channels,
            Size = size,
            Epsilon = epsilon,
        });
}

/// <summary>Sums over one channel.</summary>
internal static unsafe class ChannelSum<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Σ x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T Plain(ChannelJob* job, T* x)
    {
        using var scratch = new NativeScratch(job->Batch * sizeof(T));
        var samples = (T*)scratch.Pointer;
        for (long i = 0; i < job->Batch; i++) samples[i] = ReduceTree.ReduceRow<SumReduction, L, T>(x + i * job->Stride, job->Size);
        return ReduceTree.ReduceRow<SumReduction, L, T>(samples, job->Batch);
    }

    /// <summary>Σ term(x, g, shift).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T Of<TTerm>(ChannelJob* job, T* x, T* g, L shift)
        where TTerm : IRowTerm
    {
        using var scratch = new NativeScratch(job->Batch * sizeof(T));
        var samples = (T*)scratch.Pointer;
        for (long i = 0; i < job->Batch; i++) samples[i] = RowSum<TTerm, L, T>.Sum(x + i * job->Stride, g + i * job->Stride, shift, job->Size);
        return ReduceTree.ReduceRow<SumReduction, L, T>(samples, job->Batch);
    }

    public static (T Mean, T Variance) Moments(ChannelJob* job, T* x)
    {
        var count = T.CreateTruncating(job->Count);
        var mean = Plain(job, x) / count;
        return (mean, Of<SquaredDifference>(job, x, x, L.Broadcast(mean)) / count);
    }

    public static T Scale(ChannelJob* job, T variance) => T.One / T.Sqrt(variance + T.CreateTruncating(job->Epsilon));
}

internal readonly unsafe struct ChannelMomentsKernel : IChannelKernel
{
    public static void Channel<L, T>(ChannelJob* job, long channel)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (mean, variance) = ChannelSum<L, T>.Moments(job, (T*)job->Input + channel * job->Size);
        ((T*)job->Output)[channel] = mean;
        ((T*)job->Output)[job->Channels + channel] = variance;
    }
}

internal readonly unsafe struct ChannelSumsKernel : IChannelKernel
{
    public static void Channel<L, T>(ChannelJob* job, long channel)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T* x = (T*)job->Input + channel * job->Size, g = (T*)job->Gradient + channel * job->Size;
        var (mean, variance) = ChannelSum<L, T>.Moments(job, x);
        ((T*)job->Output)[channel] = ChannelSum<L, T>.Plain(job, g);
        ((T*)job->Output)[job->Channels + channel] = ChannelSum<L, T>.Of<ShiftedProduct>(job, x, g, L.Broadcast(mean)) * ChannelSum<L, T>.Scale(job, variance);
    }
}

internal readonly unsafe struct ChannelForwardKernel : IChannelKernel
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Channel<L, T>(ChannelJob* job, long channel)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T* x = (T*)job->Input + channel * job->Size, y = (T*)job->Output + channel * job->Size;
        var (center, variance) = ChannelSum<L, T>.Moments(job, x);
        L mean = L.Broadcast(center), scale = L.Broadcast(ChannelSum<L, T>.Scale(job, variance));
        L gamma = L.Broadcast(((T*)job->Gamma)[channel]), beta = L.Broadcast(((T*)job->Beta)[channel]);
        for (long sample = 0; sample < job->Batch; sample++, x += job->Stride, y += job->Stride)
        {
            for (long i = 0; i < job->Size; i += L.Count)
                LaneTail.Store<L, T>((L.Load(x + i) - mean) * scale * gamma + beta, y + i, job->Size - i);
        }
    }
}

internal readonly unsafe struct ChannelGradientKernel : IChannelKernel
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Channel<L, T>(ChannelJob* job, long channel)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var offset = channel * job->Size;
        T* x = (T*)job->Input + offset, g = (T*)job->Gradient + offset, dx = (T*)job->Output + offset;
        var count = T.CreateTruncating(job->Count);
        var (center, variance) = ChannelSum<L, T>.Moments(job, x);
        var root = ChannelSum<L, T>.Scale(job, variance);
        L mean = L.Broadcast(center), scale = L.Broadcast(root), outer = L.Broadcast(root * ((T*)job->Gamma)[channel]);
        L meanOfG = L.Broadcast(ChannelSum<L, T>.Plain(job, g) / count);
        L dot = L.Broadcast(ChannelSum<L, T>.Of<ShiftedProduct>(job, x, g, mean) / count * root);
        for (long sample = 0; sample < job->Batch; sample++, x += job->Stride, g += job->Stride, dx += job->Stride)
        {
            for (long i = 0; i < job->Size; i += L.Count)
                LaneTail.Store<L, T>((L.Load(g + i) - meanOfG - (L.Load(x + i) - mean) * scale * dot) * outer, dx + i, job->Size - i);
        }
    }
}
