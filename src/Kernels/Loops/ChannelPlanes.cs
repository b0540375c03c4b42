using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Channels side by side: each sample is passed over once for all of them. The bits are those of one channel after the other.</summary>
internal static unsafe class ChannelPlanes<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Whether the planes of a job are summed side by side.</summary>
    public static bool Takes(ChannelJob* job) => job->Batch > 1 && job->Size <= PlaneSums<First, L, T>.Longest;

    /// <summary>The means and the variances of some channels.</summary>
    public static void Moments(ChannelJob* job, long start, long channels, T* means, T* variances)
    {
        using var scratch = new NativeScratch(channels * job->Batch * sizeof(T));
        var count = T.CreateTruncating(job->Count);
        T* x = (T*)job->Input + start * job->Size, samples = (T*)scratch.Pointer;
        Sums<First>(job, x, x, null, channels, samples, means);
        for (long c = 0; c < channels; c++) means[c] /= count;
        Sums<SquaredDifference>(job, x, x, means, channels, samples, variances);
        for (long c = 0; c < channels; c++) variances[c] /= count;
    }

    /// <summary>Σ g and Σ (x − mean)·g of some channels.</summary>
    public static void Pairs(ChannelJob* job, long start, long channels, T* sums, T* products)
    {
        using var scratch = new NativeScratch(channels * job->Batch * sizeof(T));
        T* x = (T*)job->Input + start * job->Size, g = (T*)job->Gradient + start * job->Size, samples = (T*)scratch.Pointer;
        Sums<First>(job, g, g, null, channels, samples, sums);
        Sums<ShiftedProduct>(job, x, g, (T*)job->Moments + start, channels, samples, products);
    }

    /// <summary>x̂·gamma + beta of some channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(ChannelJob* job, long start, long channels)
    {
        long n = job->Size, stride = job->Stride;
        using var scratch = new NativeScratch(channels * sizeof(T));
        T* x = (T*)job->Input + start * n, y = (T*)job->Output + start * n, means = (T*)job->Moments + start, slopes = (T*)scratch.Pointer;
        T* gammas = (T*)job->Gamma + start, betas = (T*)job->Beta + start;
        for (long c = 0; c < channels; c++) slopes[c] = ChannelSum<L, T>.Of(job, start + c).Scale * gammas[c];
        for (var sample = job->Batch; sample > 0; sample--, x += stride, y += stride) PlaneMaps<L, T>.Forward(x, y, means, slopes, betas, n, channels);
    }

    /// <summary>gamma·r·(g − mean g − x̂·mean(g·x̂)) of some channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gradient(ChannelJob* job, long start, long channels)
    {
        long n = job->Size, stride = job->Stride;
        using var scratch = new NativeScratch(4 * channels * sizeof(T));
        T* x = (T*)job->Input + start * n, g = (T*)job->Gradient + start * n, dx = (T*)job->Output + start * n, means = (T*)job->Moments + start;
        T* slopes = (T*)scratch.Pointer, ones = slopes + channels, shifts = ones + channels, scales = shifts + channels, sums = (T*)job->Sums + start;
        var count = T.CreateTruncating(job->Count);
        for (long c = 0; c < channels; c++)
        {
            var scale = ChannelSum<L, T>.Of(job, start + c).Scale;
            slopes[c] = sums[job->Channels + c] / count * scale;
            ones[c] = T.One;
            shifts[c] = sums[c] / count;
            scales[c] = scale * ((T*)job->Gamma)[start + c];
        }

        for (var sample = job->Batch; sample > 0; sample--, x += stride, g += stride, dx += stride)
            PlaneMaps<L, T>.Gradient(x, g, dx, means, slopes, ones, shifts, scales, n, channels);
    }

    // The sums of each sample, then those of the samples.
    private static void Sums<TTerm>(ChannelJob* job, T* a, T* b, T* shifts, long channels, T* samples, T* sums)
        where TTerm : IRowTerm
    {
        long batch = job->Batch, stride = job->Stride;
        for (long i = 0; i < batch; i++) PlaneSums<TTerm, L, T>.Run(a + i * stride, b + i * stride, shifts, job->Size, channels, samples + i, batch);
        for (long c = 0; c < channels; c++) sums[c] = ReduceTree.ReduceRow<SumReduction, L, T>(samples + c * batch, batch);
    }
}
