using Fusion.Kernels;

namespace Fusion;

/// <summary>ε of a group normalization, and how many groups the channels form.</summary>
internal sealed record GroupNormAttributes(double Epsilon, int Groups);

/// <summary>Shape rules and kernel calls of the group normalization.</summary>
internal static unsafe class GroupNormalization
{
    /// <summary>x (n, c, …), gamma and beta (c), the moments (2, n, groups).</summary>
    public static void Infer(ReadOnlySpan<TensorType> x, GroupNormAttributes attributes, Span<TensorType> y)
    {
        y[0] = Check(x[0]);
        for (int i = 1; i < 3; i++) Normalization.CheckVector("GroupNorm", i == 1 ? "gamma" : "beta", x[i], x[0], x[0].Shape[1], "axis 1");
        CheckPairs("the moments", x[3], x[0], attributes.Groups);
    }

    /// <summary>x (n, c, …), gamma (c), g of the shape of x, the moments (2, n, groups), the sums (2, n, c).</summary>
    public static void InferGradient(ReadOnlySpan<TensorType> x, GroupNormAttributes attributes, Span<TensorType> y)
    {
        y[0] = Check(x[0]);
        Normalization.CheckVector("GroupNorm", "gamma", x[1], x[0], x[0].Shape[1], "axis 1");
        CheckPairs("the moments", x[3], x[0], attributes.Groups);
        CheckPairs("the sums", x[4], x[0], x[0].Shape[1]);
    }

    /// <summary>x (n, c, …), g of its shape, the moments (2, n, groups): two sums for each channel of each sample.</summary>
    public static void InferSums(ReadOnlySpan<TensorType> x, GroupNormAttributes attributes, Span<TensorType> y)
    {
        y[0] = Check(x[0]) with { Shape = (2, x[0].Shape[0], x[0].Shape[1]) };
        CheckPairs("the moments", x[2], x[0], attributes.Groups);
    }

    public static void Run(NDArray x, NDArray gamma, NDArray beta, NDArray moments, GroupNormAttributes attributes, NDArray y)
    {
        (x, gamma, beta, moments) = (x.Contiguous(), gamma.Contiguous(), beta.Contiguous(), moments.Contiguous());
        fixed (byte* from = &x.Data, to = &y.Data, scale = &gamma.Data, shift = &beta.Data, about = &moments.Data)
        {
            GroupNormalize.Forward(x.DType, (nint)from, (nint)scale, (nint)shift, (nint)about, (nint)to, Sizes(x, attributes), attributes.Epsilon);
        }

        GC.KeepAlive(x);
        GC.KeepAlive(gamma);
        GC.KeepAlive(beta);
        GC.KeepAlive(moments);
    }

    public static void RunGradient(NDArray x, NDArray gamma, NDArray g, NDArray moments, NDArray sums, GroupNormAttributes attributes, NDArray dx)
    {
        (x, gamma, g, moments, sums) = (x.Contiguous(), gamma.Contiguous(), g.Contiguous(), moments.Contiguous(), sums.Contiguous());
        fixed (byte* from = &x.Data, upstream = &g.Data, to = &dx.Data, scale = &gamma.Data, about = &moments.Data, totals = &sums.Data)
        {
            GroupShape shape = Sizes(x, attributes);
            if (x.DType == DType.Float32)
            {
                GroupNormalize.Gradient(x.DType, (nint)from, (float*)scale, (nint)upstream, (nint)about, (float*)totals, (nint)to, shape,
                    attributes.Epsilon);
            }
            else
            {
                GroupNormalize.Gradient(x.DType, (nint)from, (double*)scale, (nint)upstream, (nint)about, (double*)totals, (nint)to, shape,
                    attributes.Epsilon);
            }
        }

        GC.KeepAlive(x);
        GC.KeepAlive(gamma);
        GC.KeepAlive(g);
        GC.KeepAlive(moments);
        GC.KeepAlive(sums);
    }

    public static void RunSums(NDArray x, NDArray g, NDArray moments, GroupNormAttributes attributes, NDArray sums)
    {
        (x, g, moments) = (x.Contiguous(), g.Contiguous(), moments.Contiguous());
        fixed (byte* from = &x.Data, upstream = &g.Data, to = &sums.Data, about = &moments.Data)
            GroupNormalize.Sums(x.DType, (nint)from, (nint)upstream, (nint)about, (nint)to, Sizes(x, attributes), attributes.Epsilon);
        GC.KeepAlive(x);
        GC.KeepAlive(g);
        GC.KeepAlive(moments);
    }

    /// <summary>x (n, c, …) as (n, groups, elements of a group).</summary>
    public static NDArray Rows(NDArray x, GroupNormAttributes attributes) => Nd.Reshape(x, x.Shape[0], attributes.Groups, -1);

    /// <summary>Mean and variance of each group, (2, n, groups).</summary>
    public static NDArray Moments(NDArray x, GroupNormAttributes attributes) =>
        Nd.Reshape(OpTable.ChannelMoments.Apply(Nd.Reshape(x, 1, x.Shape[0] * attributes.Groups, -1)), 2, x.Shape[0], attributes.Groups);

    private static TensorType Check(TensorType x)
    {
        RowOps.Check("GroupNorm", x);
        return x.Shape.Rank >= 2 ? x : throw new ShapeException($"GroupNorm: the input {x.Shape} must be (batch, channels, …).");
    }

    private static void CheckPairs(string name, TensorType pairs, TensorType x, int count)
    {
        if (pairs.Shape != (2, x.Shape[0], count))
            throw new ShapeException($"GroupNorm: {name} must be (2, {x.Shape[0]}, {count}) for the input {x.Shape}, not {pairs.Shape}.");
    }

    private static GroupShape Sizes(NDArray x, GroupNormAttributes attributes)
    {
        long rows = (long)x.Shape[0] * x.Shape[1];
        return new GroupShape(x.Shape[0], x.Shape[1], attributes.Groups, rows == 0 ? 0 : x.Size / rows);
    }
}
