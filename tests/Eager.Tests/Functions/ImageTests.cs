using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

public sealed class ImageTests
{
    [Theory]
    [InlineData(4, 6, false)]
    [InlineData(5, 3, false)]
    [InlineData(2, 2, true)]
    [InlineData(7, 5, true)]
    [InlineData(1, 1, true)]
    public void BilinearResizeMeetsItsDefinition(int height, int width, bool alignCorners)
    {
        NDArray x = Random((2, 2, 3, 4));
        double[] expected = new double[2 * 2 * height * width];
        for (int i = 0; i < expected.Length; i++)
        {
            (int image, int y, int z) = (i / (height * width), i / width % height, i % width);
            (int y0, int y1, double fy) = Place(y, 3, height);
            (int z0, int z1, double fz) = Place(z, 4, width);
            double At(int a, int b) => x[image / 2, image % 2, a, b].Item<double>();
            expected[i] = (1 - fy) * ((1 - fz) * At(y0, z0) + fz * At(y0, z1)) + fy * ((1 - fz) * At(y1, z0) + fz * At(y1, z1));
        }

        Close((2, 2, height, width), expected, Nd.Resize(x, height, width, alignCorners: alignCorners));
        Gradients(i => Nd.Resize(i[0], height, width, alignCorners: alignCorners), Random((1, 1, 2, 3)));

        (int Low, int High, double Part) Place(int i, int size, int target)
        {
            double at = alignCorners ? (target == 1 ? 0 : i * (size - 1.0) / (target - 1)) : Math.Max(0, (i + 0.5) * size / target - 0.5);
            int low = (int)at;
            return (low, Math.Min(low + 1, size - 1), at - low);
        }
    }

    [Fact]
    public void NearestResizeRepeatsPixels()
    {
        NDArray x = Shaped((1, 1, 2, 2), 1, 2, 3, 4);
        Close([1, 1, 2, 1, 1, 2, 3, 3, 4], Nd.Resize(x, 3, 3, ResizeMode.Nearest));
        Close([1], Nd.Resize(x, 1, 1, ResizeMode.Nearest));
        Assert.Equal(DType.UInt8, Nd.Resize(x.AsType(DType.UInt8), 4, 4, ResizeMode.Nearest).DType);
        Gradients(i => Nd.Resize(i[0], 3, 3, ResizeMode.Nearest), x);
        Assert.Throws<ShapeException>(() => Nd.Resize(Nd.Ones((2, 2)), 1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Resize(x, 0, 1));
    }

    [Theory]
    [InlineData(2, 2, 1, 0, 1)]
    [InlineData(3, 2, 2, 1, 1)]
    [InlineData(2, 2, 1, 1, 2)]
    public void UnfoldListsWindowsAndFoldAddsThemUp(int kh, int kw, int stride, int padding, int dilation)
    {
        NDArray x = Random((2, 3, 5, 4)), columns = Nd.Unfold(x, (kh, kw), stride, padding, dilation);
        int down = (5 + 2 * padding - dilation * (kh - 1) - 1) / stride + 1, across = (4 + 2 * padding - dilation * (kw - 1) - 1) / stride + 1;
        double[] expected = new double[2 * 3 * kh * kw * down * across];
        for (int i = 0; i < expected.Length; i++)
        {
            (int rest, int place) = Math.DivRem(i, down * across);
            (rest, int window) = Math.DivRem(rest, kh * kw);
            int y = place / across * stride + window / kw * dilation - padding, z = place % across * stride + window % kw * dilation - padding;
            if (y >= 0 && y < 5 && z >= 0 && z < 4) expected[i] = x[rest / 3, rest % 3, y, z].Item<double>();
        }

        Close((2, 3 * kh * kw, down * across), expected, columns);

        // <fold(c), x> = <c, unfold(x)>: the definition of the transpose.
        NDArray other = Random(columns.Shape, 5), folded = Nd.Fold(other, 5, 4, (kh, kw), stride, padding, dilation);
        Close(Nd.Sum(other * columns), Nd.Sum(folded * x));
        Gradients(i => Nd.Unfold(i[0], (kh, kw), stride, padding, dilation), Random((1, 1, 5, 4)));
        Gradients(i => Nd.Fold(i[0], 5, 4, (kh, kw), stride, padding, dilation), Random((1, kh * kw, down * across)));
    }

    [Fact]
    public void WindowsThatDoNotFitAreRefused()
    {
        Assert.Throws<ShapeException>(() => Nd.Unfold(Nd.Ones((1, 1, 2, 2)), (3, 1)));
        Assert.Throws<ShapeException>(() => Nd.Fold(Nd.Ones((1, 4, 3)), 3, 3, (2, 2)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Unfold(Nd.Ones((1, 1, 2, 2)), (1, 1), stride: 0));
    }

    [Fact]
    public void SamplesBetweenPixelsAreBilinearAndZeroOutside()
    {
        NDArray x = Shaped((1, 1, 2, 2), 1, 2, 3, 4), image = Nd.Array([0, 0, 0, 0]);
        Close((4, 1), [2.5, 4, 0, 2], Nd.SampleBilinear(x, image, Doubles(0.5, 1, 3, 1.5), Doubles(0.5, 1, 0, 1)));
        Gradients(i => Nd.SampleBilinear(i[0], Nd.Array([1, 0, 1]), i[1], i[2]), Random((2, 2, 3, 3)), Doubles(0.3, 1.6, 2.4), Doubles(1.2, 0.7, -0.4));
        Assert.Throws<ShapeException>(() => Nd.SampleBilinear(x, image, Doubles(1), Doubles(1)));

        foreach (DType half in (DType[])[DType.Float16, DType.BFloat16])
        {
            NDArray narrow = x.AsType(half), row = Doubles(0.3, 1.1, 0.7, -0.2).AsType(half), column = Doubles(0.6, 0.2, 1.4, 0.9).AsType(half);
            NDArray wide = Nd.SampleBilinear(narrow.AsType(DType.Float32), image, row.AsType(DType.Float32), column.AsType(DType.Float32));
            Assert.Equal(wide.AsType(half).Values(), Nd.SampleBilinear(narrow, image, row, column).Values());
        }
    }

    /// <summary>The number of the last place is no Float32; the next one, to which it would be rounded, is the first place of the next image.</summary>
    [Fact]
    public void SamplesBehindALongAxisAreOutside()
    {
        const int size = (1 << 24) + 4;
        NDArray x = Nd.Ones((2, 1, size, 1)), rows = Nd.Array([(float)size]), y;
        x.AttachGrad();
        using (Autograd.Record()) y = Nd.SampleBilinear(x, Nd.Array([0]), rows, Nd.Zeros(1));
        Assert.Equal(0, y.Item<float>());
        y.Backward();
        Assert.Equal(0, x.Grad!.Sum().Item<float>());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void RoiAlignAveragesSamplesOfEachCell(bool aligned)
    {
        NDArray x = Random((2, 3, 6, 7)), regions = Shaped((3, 5), 0, 1, 1, 9, 7, 1, 0.5, 2, 6, 11, 0, -4, -3, 30, 20);
        const double scale = 0.5;
        const int height = 2, width = 3, samples = 2;
        double[] expected = new double[3 * 3 * height * width];
        for (int i = 0; i < expected.Length; i++)
        {
            (int region, int c, int y, int z) = (i / (3 * height * width), i / (height * width) % 3, i / width % height, i % width);
            double[] box = [.. regions[region].Values()];
            double offset = aligned ? 0.5 : 0, x1 = box[1] * scale - offset, y1 = box[2] * scale - offset, w = box[3] * scale - offset - x1, h = box[4] * scale - offset - y1;
            if (!aligned) (w, h) = (Math.Max(w, 1), Math.Max(h, 1));
            for (int s = 0; s < samples * samples; s++)
                expected[i] += Sample((int)box[0], c, y1 + h / height * (y + (s / samples + 0.5) / samples), x1 + w / width * (z + (s % samples + 0.5) / samples)) / (samples * samples);
        }

        Close((3, 3, height, width), expected, Nd.RoiAlign(x, regions, height, width, scale, samples, aligned));
        Gradients(i => Nd.RoiAlign(i[0], regions, 1, 2, scale, 2, aligned), x);
        Assert.Throws<ShapeException>(() => Nd.RoiAlign(x, Nd.Ones((2, 4)), 1, 1));

        double Sample(int image, int c, double row, double column)
        {
            if (row < -1 || row > 6 || column < -1 || column > 7) return 0;
            (row, column) = (Math.Clamp(row, 0, 5), Math.Clamp(column, 0, 6));
            (int top, int left) = ((int)row, (int)column);
            double sum = 0;
            for (int a = top; a <= Math.Min(top + 1, 5); a++)
                for (int b = left; b <= Math.Min(left + 1, 6); b++) sum += (1 - Math.Abs(row - a)) * (1 - Math.Abs(column - b)) * x[image, c, a, b].Item<double>();
            return sum;
        }
    }
}
