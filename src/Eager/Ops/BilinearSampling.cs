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
        for (int corner = 0; corner < 4; corner++)
        {
            NDArray y = top + (corner / 2), x = left + (corner % 2);
            NDArray inside = Nd.LogicalAnd(Nd.LogicalAnd(y >= 0, y <= size.Height - 1), Nd.LogicalAnd(x >= 0, x <= size.Width - 1));
            NDArray place = first + (Nd.Clip(y, 0, Math.Max(0, size.Height - 1)).AsType(DType.Int64) * size.Width)
                + Nd.Clip(x, 0, Math.Max(0, size.Width - 1)).AsType(DType.Int64);
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

    /// <summary>What the samples' gradient adds to the pixels.</summary>
    public static NDArray PixelGradient(GradientContext c)
    {
        (NDArray g, TakeAttributes take) = (c.G, new TakeAttributes(0, c.ShapeOf(0)));
        return Total(Corners(c.Y, c.Z, c.W, c.Attributes<SampleAttributes>())
            .Select(k => OpTable.TakeGradient.Apply(g * Nd.ExpandDims(Weight(k.Inside, k.Down, k.Right), 1), k.Place, take)));
    }

    /// <summary>The gradient of a coordinate: the slope of the weight, with |x|' = 0 at 0, times the products of gradient and pixel.</summary>
    public static NDArray CoordinateGradient(GradientContext c, bool isRow)
    {
        NDArray products = c.Common(Products);
        return Total(Corners(c.Y, c.Z, c.W, c.Attributes<SampleAttributes>()).Select((k, corner) =>
        {
            (NDArray along, NDArray across) = isRow ? (k.Down, k.Right) : (k.Right, k.Down);
            return products[corner] * Nd.Where(k.Inside, Nd.Sign(along) * (Nd.Abs(across) - 1), 0);
        }));
    }

    // For each corner, of each point the gradient times the pixel: both coordinates need it.
    private static NDArray Products(GradientContext c)
    {
        (NDArray g, NDArray pixels) = (c.G, c.X);
        return Nd.Stack([.. Corners(c.Y, c.Z, c.W, c.Attributes<SampleAttributes>()).Select(k => Nd.SumOfProducts(g, Nd.Take(pixels, k.Place), [1]))]);
    }

    private static NDArray Weight(NDArray inside, NDArray down, NDArray right) => Nd.Where(inside, (1 - Nd.Abs(down)) * (1 - Nd.Abs(right)), 0);

    private static NDArray Total(IEnumerable<NDArray> parts) => parts.Aggregate(static (sum, part) => sum + part);
}
