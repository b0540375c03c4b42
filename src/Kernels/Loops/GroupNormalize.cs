using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Group normalization of contiguous (batch, channels, size) arrays. Each channel of each sample is one of (batch · channels) channels of
/// <see cref="ChannelNormalize"/>, of which a group has its moments in common.
/// </summary>
internal static unsafe class GroupNormalize
{
    /// <summary>y = x̂·gamma + beta; the moments are (2, batch · groups).</summary>
    public static void Forward(DType dtype, nint x, nint gamma, nint beta, nint moments, nint y, in GroupShape shape, double epsilon) =>
        ChannelDriver.Run<ChannelForwardKernel>(dtype, Job(shape, epsilon) with { Input = x, Gamma = gamma, Beta = beta, Moments = moments, Output = y });

    /// <summary>(2, batch · channels): Σ g, then Σ g·x̂.</summary>
    public static void Sums(DType dtype, nint x, nint g, nint moments, nint sums, in GroupShape shape, double epsilon) =>
        ChannelDriver.Run<ChannelSumsKernel>(dtype, Job(shape, epsilon) with { Input = x, Gradient = g, Moments = moments, Output = sums });

    /// <summary>dx = r·(h − mean h − x̂·mean(h·x̂)) over the groups, with h = g·gamma; the sums are those of <see cref="Sums"/>.</summary>
    public static void Gradient<T>(DType dtype, nint x, T* gamma, nint g, nint moments, T* sums, nint dx, in GroupShape shape, double epsilon)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        long count = shape.Batch * shape.Groups;
        using var scratch = new NativeScratch(2 * count * sizeof(T));
        T* totals = (T*)scratch.Pointer;
        for (long kind = 0; kind < 2; kind++)
            for (long i = 0; i < count; i++) totals[kind * count + i] = Mean(gamma, sums + kind * shape.Batch * shape.Channels, i, shape);
        ChannelDriver.Run<GroupGradientKernel>(
            dtype, Job(shape, epsilon) with { Input = x, Gamma = (nint)gamma, Gradient = g, Moments = moments, Sums = (nint)totals, Output = dx });
    }

    // The mean over a group of what has these sums over its channels, times gamma; in double precision, since channels may be many.
    private static T Mean<T>(T* gamma, T* sums, long group, in GroupShape shape)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        long channels = shape.Channels / shape.Groups, first = group * channels, own = first % shape.Channels;
        double total = 0;
        for (long i = 0; i < channels; i++) total += double.CreateTruncating(gamma[own + i]) * double.CreateTruncating(sums[first + i]);
        return T.CreateTruncating(total / (channels * shape.Size));
    }

    private static ChannelJob Job(in GroupShape shape, double epsilon) => new()
    {
        Batch = 1,
        Channels = shape.Batch * shape.Channels,
        Size = shape.Size,
        Scales = shape.Channels,
        Group = shape.Channels / shape.Groups,
        Epsilon = epsilon,
    };
}

/// <summary>The sizes of a group normalization.</summary>
/// <param name="Batch">Samples.</param>
/// <param name="Channels">Channels of a sample.</param>
/// <param name="Groups">Groups of channels, of equal size.</param>
/// <param name="Size">Contiguous elements of one channel of one sample.</param>
internal readonly record struct GroupShape(long Batch, long Channels, long Groups, long Size);

/// <summary>Sums: the means of h and of h·x̂ over the groups.</summary>
internal readonly unsafe struct GroupGradientKernel : IChannelKernel
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Channel<L, T>(ChannelJob* job, long channel)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        long n = job->Size, offset = channel * n, group = channel / job->Group;
        T* x = (T*)job->Input + offset, g = (T*)job->Gradient + offset, dx = (T*)job->Output + offset, sums = (T*)job->Sums + group;
        var (center, root) = ChannelSum<L, T>.Of(job, channel);
        L mean = L.Broadcast(center), scale = L.Broadcast(root), gamma = L.Broadcast(((T*)job->Gamma)[channel % job->Scales]);
        L meanOfH = L.Broadcast(*sums), dot = L.Broadcast(sums[job->Channels / job->Group]);
        long i = 0;
        for (; i + L.Count <= n; i += L.Count) L.Store((L.Load(g + i) * gamma - meanOfH - (L.Load(x + i) - mean) * scale * dot) * scale, dx + i);
        if (i < n) LaneTail.Store<L, T>((L.Load(g + i) * gamma - meanOfH - (L.Load(x + i) - mean) * scale * dot) * scale, dx + i, n - i);
    }
}
