using Fusion.Kernels;

namespace Fusion;

/// <summary>ε of a group normalization, and how many groups the channels form.</summary>
internal sealed record GroupNormAttributes(double Epsilon, int Groups);

/// <summary>Shape rules and kernel calls of the group normalization.</summary>
internal static unsafe class GroupNormalization
{
    /// <summary>x (n, c, …), gamma and beta (c).</summary>
    public static void Infer(ReadOnlySpan<TensorType> x, GroupNormAttributes attributes, Span<TensorType> y)
    {
        y[0] = Check(x[0], attributes);
        for (int i = 1; i < 3; i++) Normalization.CheckVector("GroupNorm", i == 1 ? "gamma" : "beta", x[i], x[0], x[0].Shape[1], "axis 1");
    }

    /// <summary>x (n, c, …), gamma (c), g of the shape of x, the sums (2, n, c).</summary>
    public static void InferGradient(ReadOnlySpan<TensorType> x, GroupNormAttributes attributes, Span<TensorType> y)
    {
        y[0] = Check(x[0], attributes);
        Normalization.CheckVector("GroupNorm", "gamma", x[1], x[0], x[0].Shape[1], "axis 1");
        if (x[3].Shape != (2, x[0].Shape[0], x[0].Shape[1]))
            throw new ShapeException($"GroupNorm: the sums must be (2, {x[0].Shape[0]}, {x[0].Shape[1]}) for the input {x[0].Shape}, not {x[3].Shape}.");
    }

    /// <summary>x (n, c, …), g of its shape: two sums for each channel of each sample.</summary>
    public static void InferSums(ReadOnlySpan<TensorType> x, GroupNormAttributes attributes, Span<TensorType> y)
    {
        RowOps.CheckPair("GroupNormSums", x);
        y[0] = Check(x[0], attributes) with { Shape = (2, x[0].Shape[0], x[0].Shape[1]) };
    }

    public static void Run(NDArray x, NDArray gamma, NDArray beta, GroupNormAttributes attributes, NDArray y)
    {
        (x, gamma, beta) = (x.Contiguous(), gamma.Contiguous(), beta.Contiguous());
        fixed (byte* from = &x.Data, to = &y.Data, scale = &gamma.Data, shift = &beta.Data)
            GroupNormalize.Forward(x.DType, (nint)from, (nint)scale, (nint)shift, (nint)to, Sizes(x, attributes), attributes.Epsilon);
        GC.KeepAlive(x);
        GC.KeepAlive(gamma);
        GC.KeepAlive(beta);
    }

    public static void RunGradient(NDArray x, NDArray gamma, NDArray g, NDArray sums, GroupNormAttributes attributes, NDArray dx)
    {
        (x, gamma, g, sums) = (x.Contiguous(), gamma.Contiguous(), g.Contiguous(), sums.Contiguous());
        fixed (byte* from = &x.Data, upstream = &g.Data, to = &dx.Data, scale = &gamma.Data, totals = &sums.Data)
        {
            GroupNormalize.Gradient(x.DType, (nint)from, (nint)scale, (nint)upstream, (nint)totals, (nint)to, Sizes(x, attributes), attributes.Epsilon);
        }

        GC.KeepAlive(x);
        GC.KeepAlive(gamma);
        GC.KeepAlive(g);
        GC.KeepAlive(sums);
    }

    public static void RunSums(NDArray x, NDArray g, GroupNormAttributes attributes, NDArray sums)
    {
        (x, g) = (x.Contiguous(), g.Contiguous());
        fixed (byte* from = &x.Data, upstream = &g.Data, to = &sums.Data)
            GroupNormalize.Sums(x.DType, (nint)from, (nint)upstream, (nint)to, Sizes(x, attributes), attributes.Epsilon);
        GC.KeepAlive(x);
        GC.KeepAlive(g);
    }

    /// <summary>The gradient of x, and the sums that it is made of.</summary>
    public static void RunGradients(NDArray x, NDArray gamma, NDArray g, GroupNormAttributes attributes, NDArray dx, NDArray sums)
    {
        (x, gamma, g) = (x.Contiguous(), gamma.Contiguous(), g.Contiguous());
        fixed (byte* from = &x.Data, upstream = &g.Data, to = &dx.Data, scale = &gamma.Data, totals = &sums.Data)
        {
            GroupNormalize.Gradients(x.DType, (nint)from, (nint)scale, (nint)upstream, (nint)totals, (nint)to, Sizes(x, attributes), attributes.Epsilon);
        }

        GC.KeepAlive(x);
        GC.KeepAlive(gamma);
        GC.KeepAlive(g);
    }

    /// <summary>The gradients of x, gamma and beta.</summary>
    public static NDArray[] Gradients(GradientContext c)
    {
        NDArray x = c.X, dx = NDArray.Allocate(x.DType, x.Shape), sums = NDArray.Allocate(x.DType, (2, x.Shape[0], x.Shape[1]));
        RunGradients(x, c.Y, c.G, c.Attributes<GroupNormAttributes>(), dx, sums);
        return [dx, Nd.Sum(sums[1], 0), Nd.Sum(sums[0], 0)];
    }

    /// <summary>x (n, c, …) as (n, groups, elements of a group).</summary>
    public static NDArray Rows(NDArray x, GroupNormAttributes attributes) => Nd.Reshape(x, x.Shape[0], attributes.Groups, -1);

    private static TensorType Check(TensorType x, GroupNormAttributes attributes)
    {
        RowOps.Check("GroupNorm", x);
        if (x.Shape.Rank < 2) throw new ShapeException($"GroupNorm: the input {x.Shape} must be (batch, channels, …).");
        if (x.Shape.Size == 0 || x.Shape[1] % attributes.Groups != 0)
            throw new ShapeException($"GroupNorm: {attributes.Groups} groups do not divide the {x.Shape[1]} channels of the input {x.Shape}, or it is empty.");
        return x;
    }

    private static GroupShape Sizes(NDArray x, GroupNormAttributes attributes)
    {
        return new GroupShape(x.Shape[0], x.Shape[1], attributes.Groups, x.Size / ((long)x.Shape[0] * x.Shape[1]));
    }
}
