using System.Numerics;

namespace Fusion.Kernels;

/// <summary>The sizes of a group normalization.</summary>
/// <param name="Batch">Samples.</param>
/// <param name="Channels">Channels of a sample.</param>
/// <param name="Groups">Groups of channels, of equal size.</param>
/// <param name="Size">Contiguous elements of one channel of one sample.</param>
internal readonly record struct GroupShape(long Batch, long Channels, long Groups, long Size);

/// <summary>
/// Group normalization of contiguous (batch, channels, size) arrays: x̂ = (x − μ)·r, r = 1/√(variance + ε) by the moments of each group of channels of each
/// sample. They are computed where they are needed, while the group is in a cache: those of each channel with <see cref="ReduceTree"/>, and from them the group's.
/// </summary>
internal static unsafe class GroupNormalize
{
    /// <summary>y = x̂·gamma + beta.</summary>
    public static void Forward(DType dtype, nint x, nint gamma, nint beta, nint y, in GroupShape shape, double epsilon) =>
        ChannelDriver.Run<GroupKernel<GroupForward>>(dtype, Job(shape, epsilon) with { Input = x, Gamma = gamma, Beta = beta, Output = y });

    /// <summary>(2, batch · channels): Σ g, then Σ g·x̂.</summary>
    public static void Sums(DType dtype, nint x, nint g, nint sums, in GroupShape shape, double epsilon) =>
        ChannelDriver.Run<GroupKernel<GroupSums>>(dtype, Job(shape, epsilon) with { Input = x, Gradient = g, Sums = sums });

    /// <summary>dx = r·(h − mean h − x̂·mean(h·x̂)) over the groups, with h = g·gamma; the sums are those of <see cref="Sums"/>.</summary>
    public static void Gradient(DType dtype, nint x, nint gamma, nint g, nint sums, nint dx, in GroupShape shape, double epsilon) =>
        ChannelDriver.Run<GroupKernel<GroupGradient>>(dtype, Job(shape, epsilon) with { Input = x, Gamma = gamma, Gradient = g, Sums = sums, Output = dx });

    /// <summary><see cref="Sums"/> and <see cref="Gradient"/> in one pass over memory.</summary>
    public static void Gradients(DType dtype, nint x, nint gamma, nint g, nint sums, nint dx, in GroupShape shape, double epsilon) =>
        ChannelDriver.Run<GroupKernel<GroupGradients>>(dtype, Job(shape, epsilon) with { Input = x, Gamma = gamma, Gradient = g, Sums = sums, Output = dx });

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

/// <summary>What is computed of a group whose moments are known.</summary>
internal interface IGroupTask
{
    /// <summary>The sums of g are computed; otherwise, where they are used, they are given.</summary>
    static virtual bool Sums => false;

    /// <summary>x̂·gamma + beta is written.</summary>
    static virtual bool Normalizes => false;

    /// <summary>dx is written.</summary>
    static virtual bool Differentiates => false;
}

internal readonly struct GroupForward : IGroupTask
{
    public static bool Normalizes => true;
}

internal readonly struct GroupSums : IGroupTask
{
    public static bool Sums => true;
}

internal readonly struct GroupGradient : IGroupTask
{
    public static bool Differentiates => true;
}

internal readonly struct GroupGradients : IGroupTask
{
    public static bool Sums => true;

    public static bool Differentiates => true;
}

internal readonly unsafe struct GroupKernel<TTask> : IChannelKernel
    where TTask : IGroupTask
{
    public static void Channels<L, T>(ChannelJob* job, long start, long count)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var scratch = new NativeScratch(GroupPlanes<L, T>.Bytes(job, count));
        var groups = new GroupPlanes<L, T>(job, start, count, (T*)scratch.Pointer);
        if (TTask.Sums) groups.PairMoments();
        else groups.Moments();
        groups.Join();
        if (TTask.Sums) groups.WriteSums();
        if (TTask.Normalizes) groups.Normalize();
        if (TTask.Differentiates) groups.Differentiate();
    }
}
