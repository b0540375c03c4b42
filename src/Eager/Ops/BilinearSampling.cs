using Fusion.Kernels;

namespace Fusion;

/// <summary>The size of the images that are sampled.</summary>
internal sealed record SampleAttributes(int Images, int Height, int Width);

/// <summary>Samples of images between their pixels: the kernel's call, and neighbours and weights for the gradients.</summary>
internal static class BilinearSampling
{
    /// <summary>Pixels (images·height·width, channels), image, row and column (points) to (points, channels).</summary>
    public static unsafe void Run(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        SampleAttributes size = (SampleAttributes)attributes!;
        NDArray pixels = inputs[0].Contiguous(), images = inputs[1].Contiguous(), rows = inputs[2].Contiguous(), columns = inputs[3].Contiguous(), y = outputs[0];
        if (images.Size == 0) return;
        fixed (byte* from = &pixels.Data, at = &images.Data, row = &rows.Data, column = &columns.Data, to = &y.Data)
        {
            GatherIndex index = new((nint)at, images.DType, size.Images);
            Indexing.ThrowIfBad("SampleBilinear", index.FirstBad(images.Size), images, size.Images);
            BilinearSample.Run(pixels.DType, (nint)from, index, (nint)row, (nint)column, (nint)to, images.Size, size.Height, size.Width, y.Shape[1]);
        }

        GC.KeepAlive(pixels);
        GC.KeepAlive(images);
        GC.KeepAlive(rows);
        GC.KeepAlive(columns);
    }

    /// <summary>Of the four neighbours of each point: the place of its pixel, whether it lies inside, and how far the point is below and to the right.</summary>
    public static IEnumerable<(NDArray Place, NDArray Inside, NDArray Down, NDArray Right)> Corners(
        NDArray image, NDArray row, NDArray column, SampleAttributes size)
    {
        NDArray top = Nd.Floor(row.Detach()), left = Nd.Floor(column.Detach()), first = image.AsType(DType.Int64) * ((long)size.Height * size.Width);
        (double bottom, double end) = (Last(row, size.Height), Last(row, size.Width));
        for (int corner = 0; corner < 4; corner++)
        {
            NDArray y = top + (corner / 2), x = left + (corner % 2);
            NDArray inside = Nd.LogicalAnd(Nd.LogicalAnd(y >= 0, y <= bottom), Nd.LogicalAnd(x >= 0, x <= end));
            NDArray place = first + (Nd.Clip(y, 0, Math.Max(0, bottom)).AsType(DType.Int64) * size.Width)
                + Nd.Clip(x, 0, Math.Max(0, end)).AsType(DType.Int64);
            yield return (place, inside, row - y, column - x);
        }
    }

    /// <summary>The samples by operators that every device has.</summary>
    public static void RunOnDevice(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        using var paused = Autograd.Pause();
        NDArray pixels = inputs[0].Detach();
        Movement.CopyTo(
            Total(Corners(inputs[1], inputs[2], inputs[3], (SampleAttributes)attributes!)
                .Select(c => Nd.Take(pixels, c.Place) * Nd.ExpandDims(Weight(c.Inside, c.Down, c.Right), 1))),
            outputs[0]);
    }

    /// <summary>The gradient of the points (points, channels), image, row and column (points) to what they add to the pixels.</summary>
    public static unsafe void RunPixelGradient(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        SampleAttributes size = (SampleAttributes)attributes!;
        NDArray g = inputs[0].Contiguous(), images = inputs[1].Contiguous(), rows = inputs[2].Contiguous(), columns = inputs[3].Contiguous(), y = outputs[0];
        Movement.Fill(y, 0);
        if (images.Size == 0 || y.Size == 0) return;
        fixed (byte* from = &g.Data, at = &images.Data, row = &rows.Data, column = &columns.Data, to = &y.Data)
        {
            GatherIndex index = new((nint)at, images.DType, size.Images);
            Indexing.ThrowIfBad("SampleBilinear", index.FirstBad(images.Size), images, size.Images);
            BilinearGradients.AddToPixels(
                g.DType, (nint)from, index, (nint)row, (nint)column, (nint)to, images.Size, size.Images, size.Height, size.Width, y.Shape[1]);
        }

        GC.KeepAlive(g);
        GC.KeepAlive(images);
        GC.KeepAlive(rows);
        GC.KeepAlive(columns);
    }

    /// <summary>The gradient of the points, pixels, image (points), rows and columns (2, points) to the gradients of rows and columns (2, points).</summary>
    public static unsafe void RunSlopes(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        SampleAttributes size = (SampleAttributes)attributes!;
        NDArray g = inputs[0].Contiguous(), pixels = inputs[1].Contiguous(), images = inputs[2].Contiguous(), points = inputs[3].Contiguous(), y = outputs[0];
        if (images.Size == 0) return;
        fixed (byte* gradient = &g.Data, from = &pixels.Data, at = &images.Data, row = &points.Data, to = &y.Data)
        {
            GatherIndex index = new((nint)at, images.DType, size.Images);
            Indexing.ThrowIfBad("SampleBilinear", index.FirstBad(images.Size), images, size.Images);
            nint column = (nint)row + ((nint)images.Size * g.DType.Size);
            BilinearGradients.Slopes(
                g.DType, (nint)gradient, (nint)from, index, (nint)row, column, (nint)to, images.Size, size.Height, size.Width, g.Shape[1]);
        }

        GC.KeepAlive(g);
        GC.KeepAlive(pixels);
        GC.KeepAlive(images);
        GC.KeepAlive(points);
    }

    /// <summary><see cref="RunPixelGradient"/> by operators that every device has.</summary>
    public static void RunPixelGradientOnDevice(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        using var paused = Autograd.Pause();
        (NDArray g, TakeAttributes take) = (inputs[0].Detach(), new TakeAttributes(0, outputs[0].Shape));
        Movement.CopyTo(
            Total(Corners(inputs[1], inputs[2], inputs[3], (SampleAttributes)attributes!)
                .Select(k => OpTable.TakeGradient.Apply(g * Nd.ExpandDims(Weight(k.Inside, k.Down, k.Right), 1), k.Place, take))),
            outputs[0]);
    }

    /// <summary><see cref="RunSlopes"/> by operators that every device has.</summary>
    public static void RunSlopesOnDevice(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        using var paused = Autograd.Pause();
        NDArray g = inputs[0].Detach(), pixels = inputs[1].Detach();
        Movement.CopyTo(
            Total(Corners(inputs[2], inputs[3][0], inputs[3][1], (SampleAttributes)attributes!).Select(k =>
                Nd.Stack([Slope(k.Inside, k.Down, k.Right), Slope(k.Inside, k.Right, k.Down)]) * Nd.SumOfProducts(g, Nd.Take(pixels, k.Place), [1]))),
            outputs[0]);
    }

    /// <summary>Of the samples' gradient g with respect to row and column (2, points): the slopes of the weights, with |x|' = 0 at 0, times g·pixel.</summary>
    public static NDArray Slopes(NDArray g, NDArray pixels, NDArray image, NDArray row, NDArray column, SampleAttributes size) =>
        OpTable.SampleSlopes.Apply([g, pixels, image, Nd.Stack([row, column])], size);

    /// <summary>The gradient of <see cref="RunSlopes"/> with respect to one of its inputs.</summary>
    public static NDArray SlopesGradient(GradientContext c)
    {
        (NDArray g, NDArray pixels, NDArray points) = (c.X, c.Y, c.W);
        (NDArray down, NDArray across, int input, Shape all) = (c.G[0], c.G[1], c.Index, c.ShapeOf(1));
        return Total(Corners(c.Z, points[0], points[1], c.Attributes<SampleAttributes>()).Select(k =>
        {
            NDArray weight = Nd.ExpandDims((down * Slope(k.Inside, k.Down, k.Right)) + (across * Slope(k.Inside, k.Right, k.Down)), 1);
            return input switch
            {
                0 => Nd.Take(pixels, k.Place) * weight,
                1 => OpTable.TakeGradient.Apply(g * weight, k.Place, new TakeAttributes(0, all)),

                // ∂²weight/∂row∂column; the others are 0.
                _ => Nd.Stack([across, down]) * (Nd.Where(k.Inside, Nd.Sign(k.Down) * Nd.Sign(k.Right), 0) * Nd.SumOfProducts(g, Nd.Take(pixels, k.Place), [1])),
            };
        }));
    }

    // The derivative of the weight along one axis.
    private static NDArray Slope(NDArray inside, NDArray along, NDArray across) => Nd.Where(inside, Nd.Sign(along) * (Nd.Abs(across) - 1), 0);

    private static NDArray Weight(NDArray inside, NDArray down, NDArray right) => Nd.Where(inside, (1 - Nd.Abs(down)) * (1 - Nd.Abs(right)), 0);

    private static double Last(NDArray row, int size) => row.DType == DType.Float64 ? BilinearSample.Last<double>(size) : BilinearSample.Last<float>(size);

    private static NDArray Total(IEnumerable<NDArray> parts) => parts.Aggregate(static (sum, part) => sum + part);
}
