using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>The sizes of a group normalization.</summary>
/// <param name="Batch">Samples.</param>
/// <param name="Channels">Channels of a sample.</param>
/// <param name="Groups">Groups of channels, of equal size.</param>
/// <param name="Size">Contiguous elements of one channel of one sample.</param>
internal readonly record struct GroupShape(long Batch, long Channels, long Groups, long Size);

/// <summary>
/// Group normalization of contiguous (batch, channels, size) arrays: x̂ = (x − μ)·r, r = 1/√(variance + ε) by the moments of each group of channels of each
/// sample, which are those that <see cref="RowNormalize"/> has of a row. They are computed where they are needed, while the group is in a cache.
/// </summary>
internal static unsafe class GroupNormalize
{
    /// <summary>y = x̂·gamma + beta.</summary>
    public static void Forward(DType dtype, nint x, nint gamma, nint beta, nint y, in GroupShape shape, double epsilon) =>
        ChannelDriver.Run<GroupForwardKernel>(dtype, Job(shape, epsilon) with { Input = x, Gamma = gamma, Beta = beta, Output = y });

    /// <summary>(2, batch · channels): Σ g, then Σ g·x̂.</summary>
    public static void Sums(DType dtype, nint x, nint g, nint sums, in GroupShape shape, double epsilon) =>
        ChannelDriver.Run<GroupSumsKernel>(dtype, Job(shape, epsilon) with { Input = x, Gradient = g, Sums = sums });

    /// <summary>dx = r·(h − mean h − x̂·mean(h·x̂)) over the groups, with h = g·gamma; the sums are those of <see cref="Sums"/>.</summary>
    public static void Gradient(DType dtype, nint x, nint gamma, nint g, nint sums, nint dx, in GroupShape shape, double epsilon) =>
        ChannelDriver.Run<GroupGradientKernel>(dtype, Job(shape, epsilon) with { Input = x, Gamma = gamma, Gradient = g, Sums = sums, Output = dx });

    /// <summary><see cref="Sums"/> and <see cref="Gradient"/> in one pass over memory.</summary>
    public static void Gradients(DType dtype, nint x, nint gamma, nint g, nint sums, nint dx, in GroupShape shape, double epsilon) =>
        ChannelDriver.Run<GroupGradientsKernel>(dtype, Job(shape, epsilon) with { Input = x, Gamma = gamma, Gradient = g, Sums = sums, Output = dx });

    // A group of a sample is a channel of the job.
    private static ChannelJob Job(in GroupShape shape, double epsilon) => new()
    {
        Batch = 1,
        Channels = shape.Batch * shape.Groups,
        Size = shape.Channels / shape.Groups * shape.Size,
        Segments = shape.Channels / shape.Groups,
        Scales = shape.Channels,
        Epsilon = epsilon,
    };
}

/// <summary>What is known of a group before its elements are passed over.</summary>
internal static unsafe class GroupMoments<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The mean and 1/√(variance + ε).</summary>
    public static (T Mean, T Scale) Of(ChannelJob* job, T* x)
    {
        (T mean, T variance) = ChannelSum<L, T>.Moments(job, x);
        return (mean, T.One / T.Sqrt(variance + T.CreateTruncating(job->Epsilon)));
    }

    /// <summary>The mean of what has these sums over the segments, times gamma; in double precision, since segments may be many.</summary>
    public static L Mean(ChannelJob* job, T* gamma, T* sums)
    {
        double total = 0;
        for (long i = 0; i < job->Segments; i++) total += double.CreateTruncating(gamma[i]) * double.CreateTruncating(sums[i]);
        return L.Broadcast(T.CreateTruncating(total / job->Size));
    }
}

internal readonly unsafe struct GroupForwardKernel : IChannelKernel
{
    public static void Channels<L, T>(ChannelJob* job, long start, long count)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var c = start; c < start + count; c++) Channel<L, T>(job, c);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Channel<L, T>(ChannelJob* job, long channel)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        long segments = job->Segments, n = job->Size / segments, own = channel * segments % job->Scales;
        T* x = (T*)job->Input + channel * job->Size, y = (T*)job->Output + channel * job->Size;
        T* gammas = (T*)job->Gamma + own, betas = (T*)job->Beta + own;
        var (center, root) = GroupMoments<L, T>.Of(job, x);
        L mean = L.Broadcast(center), scale = L.Broadcast(root);
        for (long s = 0; s < segments; s++, x += n, y += n)
        {
            L gamma = L.Broadcast(gammas[s]), beta = L.Broadcast(betas[s]);
            long i = 0;
            for (; i + L.Count <= n; i += L.Count) L.Store((L.Load(x + i) - mean) * scale * gamma + beta, y + i);
            if (i < n) LaneTail.Store<L, T>((L.Load(x + i) - mean) * scale * gamma + beta, y + i, n - i);
        }
    }
}

internal readonly unsafe struct GroupSumsKernel : IChannelKernel
{
    public static void Channels<L, T>(ChannelJob* job, long start, long count)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var c = start; c < start + count; c++)
        {
            var (mean, root) = GroupMoments<L, T>.Of(job, (T*)job->Input + c * job->Size);
            GroupPasses<L, T>.Sum(job, c, mean, root);
        }
    }
}

internal readonly unsafe struct GroupGradientKernel : IChannelKernel
{
    public static void Channels<L, T>(ChannelJob* job, long start, long count)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var c = start; c < start + count; c++)
        {
            var (mean, root) = GroupMoments<L, T>.Of(job, (T*)job->Input + c * job->Size);
            GroupPasses<L, T>.Write(job, c, mean, root);
        }
    }
}

internal readonly unsafe struct GroupGradientsKernel : IChannelKernel
{
    public static void Channels<L, T>(ChannelJob* job, long start, long count)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var c = start; c < start + count; c++)
        {
            var (mean, root) = GroupMoments<L, T>.Of(job, (T*)job->Input + c * job->Size);
            GroupPasses<L, T>.Sum(job, c, mean, root);
            GroupPasses<L, T>.Write(job, c, mean, root);
        }
    }
}

/// <summary>The passes of the gradients over a group whose mean and 1/√(variance + ε) are known.</summary>
internal static unsafe class GroupPasses<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Σ g and Σ g·x̂ of each segment.</summary>
    public static void Sum(ChannelJob* job, long channel, T center, T root)
    {
        long segments = job->Segments, n = job->Size / segments;
        T* x = (T*)job->Input + channel * job->Size, g = (T*)job->Gradient + channel * job->Size;
        T* sums = (T*)job->Sums + channel * segments, products = sums + job->Channels * segments;
        L mean = L.Broadcast(center);
        for (long s = 0; s < segments; s++, x += n, g += n)
        {
            var (sum, product) = PairSum<Second, ShiftedProduct, PlainSecond, L, T>.Sum(x, g, null, mean, n);
            sums[s] = sum;
            products[s] = product * root;
        }
    }

    /// <summary>dx, by the sums of the segments.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Write(ChannelJob* job, long channel, T center, T root)
    {
        long segments = job->Segments, n = job->Size / segments, offset = channel * job->Size;
        T* x = (T*)job->Input + offset, g = (T*)job->Gradient + offset, dx = (T*)job->Output + offset;
        T* gammas = (T*)job->Gamma + channel * segments % job->Scales, sums = (T*)job->Sums + channel * segments;
        L mean = L.Broadcast(center), scale = L.Broadcast(root);
        L meanOfH = GroupMoments<L, T>.Mean(job, gammas, sums), dot = GroupMoments<L, T>.Mean(job, gammas, sums + job->Channels * segments);
        for (long s = 0; s < segments; s++, x += n, g += n, dx += n)
        {
            L gamma = L.Broadcast(gammas[s]);
            long i = 0;
            for (; i + L.Count <= n; i += L.Count) L.Store((L.Load(g + i) * gamma - meanOfH - (L.Load(x + i) - mean) * scale * dot) * scale, dx + i);
            if (i < n) LaneTail.Store<L, T>((L.Load(g + i) * gamma - meanOfH - (L.Load(x + i) - mean) * scale * dot) * scale, dx + i, n - i);
        }
    }
}
