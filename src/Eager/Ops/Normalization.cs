using Fusion.Kernels;

namespace Fusion;

/// <summary>ε of a normalization, and whether the mean is subtracted.</summary>
internal sealed record NormAttributes(double Epsilon, bool Centered);

/// <summary>Shape rules, kernel calls and second derivatives of the normalizations.</summary>
internal static unsafe class Normalization
{
    // Channels with fewer contiguous elements than this are gathered first.
    private const int MinRun = 8;

    /// <summary>x (…, n), then vectors (n).</summary>
    public static void InferRows(string op, ReadOnlySpan<TensorType> x, Span<TensorType> y)
    {
        y[0] = RowOps.Check(op, x[0]);
        for (int i = 1; i < x.Length; i++) CheckVector(op, i == 1 ? "gamma" : "beta", x[i], x[0], x[0].Shape[-1], "the last axis");
    }

    /// <summary>x (n, c, …), gamma and beta (c), the moments (2, c).</summary>
    public static void InferBatchNorm(ReadOnlySpan<TensorType> x, Span<TensorType> y)
    {
        InferChannels(x[..3], y);
        CheckPairs("the moments", x[3], x[0]);
    }

    /// <summary>x (n, c, …), gamma (c), g of the shape of x, the moments and the sums, (2, c) each.</summary>
    public static void InferBatchNormGradient(ReadOnlySpan<TensorType> x, Span<TensorType> y)
    {
        InferChannels(x[..2], y);
        CheckPairs("the moments", x[3], x[0]);
        CheckPairs("the sums", x[4], x[0]);
    }

    /// <summary>x (n, c, …), g of its shape, the moments (2, c): two sums a channel.</summary>
    public static void InferSums(ReadOnlySpan<TensorType> x, Span<TensorType> y)
    {
        InferMoments(x, y);
        CheckPairs("the moments", x[2], x[0]);
    }

    /// <summary>x (n, c, …), then vectors (c).</summary>
    private static void InferChannels(ReadOnlySpan<TensorType> x, Span<TensorType> y)
    {
        y[0] = CheckChannels(x[0]);
        for (int i = 1; i < x.Length; i++) CheckVector("BatchNorm", i == 1 ? "gamma" : "beta", x[i], x[0], x[0].Shape[1], "axis 1");
    }

    /// <summary>(2, c).</summary>
    public static void InferMoments(ReadOnlySpan<TensorType> x, Span<TensorType> y) => y[0] = CheckChannels(x[0]) with { Shape = (2, x[0].Shape[1]) };

    public static void RunRows(NDArray x, NDArray? gamma, NDArray? beta, NormAttributes a, NDArray y)
    {
        x = x.Contiguous();
        gamma = gamma?.Contiguous();
        beta = beta?.Contiguous();
        fixed (byte* from = &x.Data, to = &y.Data, scale = &Optional(gamma), shift = &Optional(beta))
            RowNormalize.Forward(x.DType, (nint)from, (nint)scale, (nint)shift, (nint)to, Rows(x), x.Shape[-1], a.Epsilon, a.Centered);
        GC.KeepAlive(x);
        GC.KeepAlive(gamma);
        GC.KeepAlive(beta);
    }

    public static void RunRowsGradient(NDArray x, NDArray g, NDArray? gamma, NormAttributes a, NDArray dx)
    {
        x = x.Contiguous();
        g = g.Contiguous();
        gamma = gamma?.Contiguous();
        fixed (byte* from = &x.Data, upstream = &g.Data, to = &dx.Data, scale = &Optional(gamma))
            RowNormalize.Gradient(x.DType, (nint)from, (nint)upstream, (nint)scale, (nint)to, Rows(x), x.Shape[-1], a.Epsilon, a.Centered);
        GC.KeepAlive(x);
        GC.KeepAlive(g);
        GC.KeepAlive(gamma);
    }

    /// <summary>Some rows of x, then of x̂ with these vectors.</summary>
    public static RowRule Rows(bool gamma, bool beta) => RowOps.Rows((p, types, attributes, rows, columns) =>
    {
        NormAttributes a = (NormAttributes)attributes!;
        int vectors = (gamma ? 1 : 0) + (beta ? 1 : 0);
        RowNormalize.Forward(types[0], p[0], gamma ? p[1] : 0, beta ? p[2] : 0, p[1 + vectors], rows, columns, a.Epsilon, a.Centered);
    }, firstVector: 1);

    /// <summary>Some rows of x and g, then of D(x, g) or D(x, g·gamma).</summary>
    public static RowRule GradientRows(bool gamma) => RowOps.Rows((p, types, attributes, rows, columns) =>
    {
        NormAttributes a = (NormAttributes)attributes!;
        RowNormalize.Gradient(types[0], p[0], p[1], gamma ? p[2] : 0, p[gamma ? 3 : 2], rows, columns, a.Epsilon, a.Centered);
    }, firstVector: 2);

    /// <summary>Some rows of x and g.</summary>
    public static RowSumRule SumRule { get; } = new(static (x, _) => x.Shape[-1], static (p, types, attributes, rows, columns) =>
    {
        NormAttributes a = (NormAttributes)attributes!;
        RowNormalizeSums.Take(types[0], p[0], p[1], p[2], rows, columns, a.Epsilon, a.Centered);
    })
    {
        Terms = static (p, x, attributes) =>
        {
            NormAttributes a = (NormAttributes)attributes!;
            return [x[1], x[1] * RowFormulas.Standardized(p, x[0], p.Constant(a.Epsilon), a.Centered).Value];
        },
    };

    public static void RunRowsSums(NDArray x, NDArray g, NormAttributes a, NDArray sums)
    {
        x = x.Contiguous();
        g = g.Contiguous();
        fixed (byte* from = &x.Data, upstream = &g.Data, to = &sums.Data)
            RowNormalizeSums.Run(x.DType, (nint)from, (nint)upstream, (nint)to, Rows(x), x.Shape[-1], a.Epsilon, a.Centered);
        GC.KeepAlive(x);
        GC.KeepAlive(g);
    }

    /// <summary>The gradients of x, gamma and, if there is one, beta.</summary>
    public static NDArray[] RowsGradients(GradientContext c)
    {
        NormAttributes a = c.Attributes<NormAttributes>();
        NDArray x = c.X.Contiguous(), gamma = c.Y.Contiguous(), g = c.G.Contiguous();
        NDArray dx = NDArray.Allocate(x.DType, x.Shape), sums = NDArray.Allocate(x.DType, (2, x.Shape[-1]));
        fixed (byte* from = &x.Data, upstream = &g.Data, scale = &gamma.Data, to = &dx.Data, totals = &sums.Data)
        {
            RowNormalizeGradients.Run(
                x.DType, (nint)from, (nint)upstream, (nint)scale, (nint)to, (nint)totals, Rows(x), x.Shape[-1], a.Epsilon, a.Centered);
        }

        GC.KeepAlive(x);
        GC.KeepAlive(g);
        GC.KeepAlive(gamma);
        return c.InputCount == 2 ? [dx, sums[1]] : [dx, sums[1], sums[0]];
    }

    public static void RunMoments(NDArray x, NDArray moments)
    {
        x = Channels(x, out long batch, out long channels, out long size);
        fixed (byte* from = &x.Data, to = &moments.Data) ChannelNormalize.Moments(x.DType, (nint)from, (nint)to, batch, channels, size);
        GC.KeepAlive(x);
    }

    /// <summary>x̂·gamma + beta of channels, with the moments, which are given or computed as well.</summary>
    public static void RunChannels(NDArray x, NDArray gamma, NDArray beta, NDArray moments, double epsilon, NDArray y, bool computesMoments = false)
    {
        x = Channels(x, out long batch, out long channels, out long size);
        (gamma, beta, moments) = (gamma.Contiguous(), beta.Contiguous(), moments.Contiguous());
        NDArray result = Target(x, batch, y);
        fixed (byte* from = &x.Data, to = &result.Data, scale = &gamma.Data, shift = &beta.Data, about = &moments.Data)
            ChannelNormalize.Forward(x.DType, (nint)from, (nint)scale, (nint)shift, (nint)about, (nint)to, batch, channels, size, epsilon, computesMoments);
        Scatter(result, y);
        GC.KeepAlive(x);
        GC.KeepAlive(gamma);
        GC.KeepAlive(beta);
        GC.KeepAlive(moments);
    }

    /// <summary>Their gradient with respect to x, with the sums, which are given or computed as well.</summary>
    public static void RunChannelsGradient(
        NDArray x, NDArray gamma, NDArray g, NDArray moments, NDArray sums, double epsilon, NDArray dx, bool computesSums = false)
    {
        x = Channels(x, out long batch, out long channels, out long size);
        g = Channels(g, out _, out _, out _);
        (gamma, moments, sums) = (gamma.Contiguous(), moments.Contiguous(), sums.Contiguous());
        NDArray result = Target(x, batch, dx);
        fixed (byte* from = &x.Data, upstream = &g.Data, to = &result.Data, scale = &gamma.Data, about = &moments.Data, totals = &sums.Data)
        {
            ChannelNormalize.Gradient(x.DType, (nint)from, (nint)scale, (nint)upstream, (nint)about, (nint)totals, (nint)to, batch, channels, size,
                epsilon, computesSums);
        }

        Scatter(result, dx);
        GC.KeepAlive(x);
        GC.KeepAlive(g);
        GC.KeepAlive(gamma);
        GC.KeepAlive(moments);
        GC.KeepAlive(sums);
    }

    /// <summary>The gradients of x, gamma and beta.</summary>
    public static NDArray[] ChannelsGradients(GradientContext c)
    {
        NDArray dx = NDArray.Allocate(c.X.DType, c.X.Shape), sums = NDArray.Allocate(c.X.DType, (2, c.X.Shape[1]));
        RunChannelsGradient(c.X, c.Y, c.G, c.W, sums, c.Attributes<NormAttributes>().Epsilon, dx, computesSums: true);
        return [dx, sums[1], sums[0]];
    }

    public static void RunSums(NDArray x, NDArray g, NDArray moments, double epsilon, NDArray sums)
    {
        x = Channels(x, out long batch, out long channels, out long size);
        g = Channels(g, out _, out _, out _);
        moments = moments.Contiguous();
        fixed (byte* from = &x.Data, upstream = &g.Data, to = &sums.Data, about = &moments.Data)
            ChannelNormalize.Sums(x.DType, (nint)from, (nint)upstream, (nint)about, (nint)to, batch, channels, size, epsilon);
        GC.KeepAlive(x);
        GC.KeepAlive(g);
        GC.KeepAlive(moments);
    }

    /// <summary>
    /// The derivative in x of Σ u·D(x, h), where D(x, h) = r·(h − mean h − x̂·mean(h·x̂)) is the gradient of x̂ (without centering, without mean h). With
    /// a = Σ u·h − n·mean u·mean h, p = Σ u·x̂, q = Σ h·x̂: −(r/n)·(r·x̂·(a − p·q/n) + q·D(x, u) + p·D(x, h)).
    /// </summary>
    public static NDArray SecondDerivative(NDArray x, NDArray h, NDArray u, int[] axes, NormAttributes attributes, NDArray normalized, NDArray gradientU,
        NDArray gradientH)
    {
        double n = 1;
        foreach (int axis in axes) n *= x.Shape[axis];
        NDArray square = attributes.Centered ? Nd.Var(x, axes, keepDims: true) : Nd.Mean(Nd.Square(x), axes, keepDims: true);
        NDArray r = Nd.ReciprocalSqrt(square + attributes.Epsilon);
        NDArray a = Total(u * h), p = Total(u * normalized), q = Total(h * normalized);
        if (attributes.Centered) a -= Total(u) * Total(h) / n;
        return -(r / n) * (r * normalized * (a - p * q / n) + q * gradientU + p * gradientH);

        NDArray Total(NDArray values) => Nd.Sum(values, axes, keepDims: true);
    }

    /// <summary>All axes but that of the channels.</summary>
    public static int[] ChannelAxes(int rank) => [0, .. Enumerable.Range(2, rank - 2)];

    private static TensorType CheckChannels(TensorType x)
    {
        RowOps.Check("BatchNorm", x);
        if (x.Shape.Rank < 2) throw new ShapeException($"BatchNorm: the input {x.Shape} must be (batch, channels, …).");
        if (x.Shape.Size == 0 && x.Shape[1] > 0)
            throw new ShapeException($"BatchNorm: the input {x.Shape} has no element in a channel, hence no mean. Skip empty batches while training.");
        return x;
    }

    /// <summary>One value for each of some places.</summary>
    public static void CheckVector(string op, string name, TensorType vector, TensorType x, int size, string axis)
    {
        CheckSize(op, name, vector.Shape, x.Shape, size, axis);
        if (vector.DType != x.DType) throw new DTypeException($"{op}: the input is {x.DType}, {name} is {vector.DType}. Convert with AsType.");
    }

    public static void CheckSize(string op, string name, Shape vector, Shape x, int size, string axis)
    {
        if (vector.Rank != 1 || vector[0] != size) throw new ShapeException($"{op}: {name} must be ({size},), as {axis} of the input {x}, it is {vector}.");
    }

    // Of an operand of half precision they are Float32.
    private static void CheckPairs(string name, TensorType pairs, TensorType x)
    {
        if (pairs.Shape != (2, x.Shape[1]))
            throw new ShapeException($"BatchNorm: {name} must be (2, {x.Shape[1]}), two for each channel of the input {x.Shape}, not {pairs.Shape}.");
        if (pairs.DType != (x.DType.IsHalf ? DType.Float32 : x.DType)) throw new DTypeException($"BatchNorm: the input is {x.DType}, {name} {pairs.DType}.");
    }

    /// <summary>The input as (batch, channels, size); with short runs as (1, channels, batch · size), gathered.</summary>
    private static NDArray Channels(NDArray x, out long batch, out long channels, out long size)
    {
        (batch, channels) = (x.Shape[0], x.Shape[1]);
        size = batch * channels == 0 ? 0 : x.Size / (batch * channels);
        if (size >= MinRun || batch <= 1) return x.Contiguous();
        (batch, size) = (1, batch * size);
        return Views.Transpose(x, Swap(x.Rank)).Contiguous();
    }

    /// <summary>Where a kernel writes the channels of <paramref name="y"/>: y itself, or an array in the order of a gathered input.</summary>
    private static NDArray Target(NDArray x, long batch, NDArray y) => batch == y.Shape[0] ? y : NDArray.Allocate(y.DType, x.Shape);

    private static void Scatter(NDArray result, NDArray y)
    {
        if (!ReferenceEquals(result, y)) Movement.CopyTo(Views.Transpose(result, Swap(y.Rank)), y);
    }

    private static int[] Swap(int rank) => [1, 0, .. Enumerable.Range(2, rank - 2)];

    private static long Rows(NDArray x) => x.Shape[-1] == 0 ? 0 : x.Size / x.Shape[-1];

    private static ref byte Optional(NDArray? x)
    {
        if (x is null) return ref System.Runtime.CompilerServices.Unsafe.NullRef<byte>();
        return ref x.Data;
    }
}
