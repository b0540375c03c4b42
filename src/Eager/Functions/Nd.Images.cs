namespace Fusion;

/// <summary>How an image is enlarged or reduced.</summary>
public enum ResizeMode
{
    /// <summary>The nearest pixel, ⌊i·size/new size⌋.</summary>
    Nearest,

    /// <summary>Straight lines between neighbours, in both directions.</summary>
    Bilinear,
}

// Images and windows of them, (n, channels, height, width): selections with index arrays that depend on sizes only.
public static partial class Nd
{
    /// <summary>Images of another height and width. Centres of pixels correspond, or with <paramref name="alignCorners"/> those of the corner pixels.</summary>
    /// <exception cref="ShapeException">The rank is not 4, or there are no pixels.</exception>
    public static NDArray Resize(this NDArray x, int height, int width, ResizeMode mode = ResizeMode.Bilinear, bool alignCorners = false)
    {
        Require.Positive(height);
        Require.Positive(width);
        Require.Member(mode);
        (_, _, int h, int w) = Image(x, "Resize");
        if (h == 0 || w == 0) throw new ShapeException($"Resize: {x.Shape} has no pixels.");
        if (x.DType.IsHalf && mode != ResizeMode.Nearest) return Resize(Elements.Wide(x), height, width, mode, alignCorners).AsType(x.DType);
        if (mode == ResizeMode.Nearest)
        {
            NDArray nearest = NearestAxis(NearestAxis(x, 2, height), 3, width);
            return ReferenceEquals(nearest, x) ? x.Alias() : nearest;
        }

        ResampleAttributes.CheckSize("Resize", Math.Max(height, width));
        ResampleKind kind = alignCorners ? ResampleKind.LinearCorners : ResampleKind.Linear;
        return OpTable.Resample.Apply(RealInput(x), new ResampleAttributes(kind, h, w, height, width, false));
    }

    /// <summary>
    /// The windows of images as columns: (n, c, h, w) to (n, c·kh·kw, l), where l counts the places of the window, padding counted as 0 (im2col).
    /// </summary>
    /// <exception cref="ShapeException">The rank is not 4, or the window does not fit.</exception>
    public static NDArray Unfold(this NDArray x, (int Height, int Width) kernel, int stride = 1, int padding = 0, int dilation = 1)
    {
        (int n, int c, int h, int w) = Image(x, "Unfold");
        (int[] positions, int places, int pixels) = Windows("Unfold", h, w, padding, kernel, stride, dilation);
        NDArray padded = padding == 0 ? x : Pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)]);
        NDArray windows = Take(Reshape(padded, n, c, pixels), Table(positions, positions.Length, x.Device), 2);
        return Reshape(windows, n, c * kernel.Height * kernel.Width, places);
    }

    /// <summary>The transpose of <see cref="Unfold"/>: adds the columns (n, c·kh·kw, l) up to images (n, c, height, width) (col2im).</summary>
    /// <exception cref="ShapeException">The columns are not those of such images.</exception>
    public static NDArray Fold(this NDArray x, int height, int width, (int Height, int Width) kernel, int stride = 1, int padding = 0, int dilation = 1)
    {
        ArgumentNullException.ThrowIfNull(x);
        Require.NotNegative(height);
        Require.NotNegative(width);
        (int[] positions, int places, int pixels) = Windows("Fold", height, width, padding, kernel, stride, dilation);
        int area = kernel.Height * kernel.Width;
        if (x.Rank != 3 || x.Shape[1] % area != 0 || x.Shape[2] != places)
            throw new ShapeException($"Fold: {x.Shape} are not the columns (n, c·{area}, {places}) of images ({height}, {width}).");
        (int n, int c) = (x.Shape[0], x.Shape[1] / area);
        NDArray sums = OpTable.TakeGradient.Apply(Reshape(x, n, c, positions.Length), Table(positions, positions.Length, x.Device), new TakeAttributes(2, (n, c, pixels)));
        NDArray padded = Reshape(sums, n, c, height + 2 * padding, width + 2 * padding);
        return padding == 0 ? padded : Slice(Slice(padded, 2, padding, padding + height), 3, padding, padding + width);
    }

    /// <summary>
    /// Values of images between their pixels, bilinear, 0 outside: images (n, c, h, w), for each of k points the index of its image and its coordinates in
    /// pixels,
    /// all (k); the result is (k, c). Gradients go to the images and the coordinates.
    /// </summary>
    /// <exception cref="ShapeException">The image rank is not 4, or the points are not of one shape (k,).</exception>
    public static NDArray SampleBilinear(this NDArray x, NDArray image, NDArray row, NDArray column)
    {
        (int n, int c, int h, int w) = Image(x, "SampleBilinear");
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(column);
        if (Checked(image).Rank != 1 || image.Shape != row.Shape || image.Shape != column.Shape)
            throw new ShapeException(
                $"SampleBilinear: the images {image.Shape}, rows {row.Shape} and columns {column.Shape} of the points must be of one shape (k,).");
        DType dtype = DTypes.Promote(x.DType, DTypes.Promote(row.DType, column.DType));
        if (dtype.IsHalf) return SampleBilinear(Elements.Wide(x), image, Elements.Wide(row), Elements.Wide(column)).AsType(dtype);
        dtype = Elements.RealType(dtype);
        NDArray pixels = Reshape(Transpose(Elements.To(x, dtype), 0, 2, 3, 1), n * h * w, c), index = image.AsType(DType.Int64);
        (NDArray down, NDArray right, SampleAttributes size) = (Elements.To(row, dtype), Elements.To(column, dtype), new(n, h, w));
        return OpTable.SampleBilinear.Apply([pixels, index, down, right], size);
    }

    /// <summary>
    /// Averages regions of images to (k, c, height, width): each region (image index, x1, y1, x2, y2), times <paramref name="spatialScale"/> in pixels, is cut
    /// into
    /// height × width cells, and in each <paramref name="samples"/>² bilinear samples are averaged. With <paramref name="aligned"/> pixel centres lie at
    /// half-integers.
    /// </summary>
    /// <remarks>He et al., "Mask R-CNN", ICCV 2017, section 3; the convention of torchvision.</remarks>
    /// <exception cref="ShapeException">The images are not of rank 4, or the regions not (k, 5).</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no image of a region's index.</exception>
    public static NDArray RoiAlign(this NDArray x, NDArray regions, int height, int width, double spatialScale = 1, int samples = 2, bool aligned = false)
    {
        Require.Positive(height);
        Require.Positive(width);
        Require.Positive(samples);
        (int n, int c, int h, int w) = Image(x, "RoiAlign");
        DType dtype = DTypes.Promote(x.DType, Checked(regions).DType);
        if (dtype.IsHalf) return RoiAlign(Elements.Wide(x), Elements.Wide(regions), height, width, spatialScale, samples, aligned).AsType(dtype);
        NDArray boxes = RealInput(regions);
        if (boxes.Rank != 2 || boxes.Shape[1] != 5) throw new ShapeException($"RoiAlign: the regions are (k, 5), not {regions.Shape}.");
        int k = boxes.Shape[0];
        NDArray rows = Samples(2, height, h), columns = Samples(1, width, w);
        Shape grid = (k, height * samples, width * samples);
        NDArray index = InRange("RoiAlign", nameof(regions), "image", Column(0).Detach(), -n, n - 1), image = Reshape(BroadcastTo(Reshape(index, k, 1, 1), grid), -1);
        NDArray values = SampleBilinear(x, image, Reshape(BroadcastTo(ExpandDims(rows, 2), grid), -1), Reshape(BroadcastTo(ExpandDims(columns, 1), grid), -1));
        return Transpose(Mean(Reshape(values, k, height, samples, width, samples, c), [2, 4]), 0, 3, 1, 2);

        NDArray Column(int i) => Slice(boxes, 1, i, i + 1);

        // (k, cells·samples); a sample up to one pixel outside takes the value of the edge, as the reference does.
        NDArray Samples(int first, int cells, int size)
        {
            double offset = aligned ? 0.5 : 0;
            NDArray start = Column(first) * spatialScale - offset, length = Column(first + 2) * spatialScale - offset - start;
            if (!aligned) length = Maximum(length, 1);
            NDArray steps = (Arange(0, cells * samples, 1, boxes.DType, boxes.Device) + 0.5) / (cells * samples);
            NDArray at = start + length * steps;
            NDArray near = LogicalAnd(at >= -1, at <= size);
            return Where(near, Clip(at, 0, Math.Max(0, size - 1)), -2);
        }
    }

    private static NDArray NearestAxis(NDArray x, int axis, int size)
    {
        int n = x.Shape[axis];
        if (n == size) return x;
        int[] nearest = Errors.Numbers<int>(size);
        for (int i = 0; i < size; i++) nearest[i] = Math.Min((int)Math.Floor((double)i * n / size), n - 1);
        return Take(x, Table(nearest, nearest.Length, x.Device), axis);
    }

    // The position in the padded image of each window element, window element by window element, the number of places, and that of the padded image's pixels.
    private static (int[] Positions, int Places, int Pixels) Windows(
        string op, int height, int width, int padding, (int Height, int Width) kernel, int stride, int dilation)
    {
        Require.Positive(stride, op);
        Require.Positive(dilation, op);
        Require.NotNegative(padding, op);
        int h = Errors.Extent(op, height + 2L * padding), w = Errors.Extent(op, width + 2L * padding), pixels = Errors.Extent(op, (long)h * w);
        long spareRows = h - dilation * (kernel.Height - 1L) - 1, spareColumns = w - dilation * (kernel.Width - 1L) - 1;
        if (kernel.Height < 1 || kernel.Width < 1 || spareRows < 0 || spareColumns < 0)
            throw new ShapeException($"{op}: the window ({kernel.Height}, {kernel.Width}) with dilation {dilation} does not fit into ({h}, {w}).");
        int down = (int)(spareRows / stride) + 1, across = (int)(spareColumns / stride) + 1;
        int[] positions = Errors.Numbers<int>(Errors.Extent(op, (Int128)kernel.Height * kernel.Width * down * across));
        int at = 0;
        for (int ky = 0; ky < kernel.Height; ky++)
            for (int kx = 0; kx < kernel.Width; kx++)
                for (int y = 0; y < down; y++)
                    for (int z = 0; z < across; z++) positions[at++] = (y * stride + ky * dilation) * w + z * stride + kx * dilation;
        return (positions, down * across, pixels);
    }
}
