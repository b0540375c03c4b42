using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

/// <summary>Arrays of many pieces: what is joined or surrounded, element by element.</summary>
public sealed class ArrayPartsTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void JoinedArraysLieSideBySide(int axis)
    {
        int[] shape = [5, 7, 90, 11], turned = [11, 90, 7, 5];
        NDArray a = Counted(shape), b = Nd.Transpose(Counted(turned), 3, 2, 1, 0), c = Nd.BroadcastTo(Nd.Scalar(-1.0), shape);
        double[] expected = new double[3 * a.Size];
        NDArray[] sources = [a, b, c];
        NDArray joined = Nd.Concat(sources, axis);
        int[] sizes = joined.Shape.ToArray();
        double[][] parts = [.. sources.Select(static x => x.Values())];
        for (int i = 0; i < expected.Length; i++)
        {
            int[] at = At(i, sizes);
            int part = at[axis] / shape[axis];
            at[axis] %= shape[axis];
            expected[i] = parts[part][Flat(at, shape)];
        }

        Assert.Equal(expected, joined.Values());
        Assert.Equal(joined.Values(), Nd.Concat([.. sources.SelectMany(x => Nd.Split(x, shape[axis], axis))], axis).Values());
    }

    [Theory]
    [InlineData(0, 0, 0, 0)]
    [InlineData(0, 0, 2, 1)]
    [InlineData(0, 3, 0, 2)]
    [InlineData(1, 0, 2, 3)]
    [InlineData(2, 1, 0, 0)]
    public void PaddingSurroundsTheArray(int first, int second, int third, int fourth)
    {
        int[] shape = [5, 7, 90, 11], widths = [first, second, third, fourth];
        foreach (NDArray x in (NDArray[])[Counted(shape), Nd.Transpose(Counted([11, 90, 7, 5]), 3, 2, 1, 0)])
        {
            NDArray padded = Nd.Pad(x, [.. widths.Select(static (w, i) => (w, i * w))], -2);
            int[] sizes = [.. shape.Select((n, i) => n + widths[i] + (i * widths[i]))];
            double[] from = x.Values(), expected = new double[sizes.Aggregate(1, static (a, b) => a * b)];
            for (int i = 0; i < expected.Length; i++)
            {
                int[] at = [.. At(i, sizes).Select((k, axis) => k - widths[axis])];
                expected[i] = at.Where((k, axis) => k < 0 || k >= shape[axis]).Any() ? -2 : from[Flat(at, shape)];
            }

            Assert.Equal(expected, padded.Values());
        }
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    [InlineData(DType.Float16)]
    public void PaddingKeepsTheSignOfZero(DType dtype)
    {
        foreach (double value in (double[])[0.0, -0.0])
        {
            double[] padded = Nd.Pad(Nd.Ones((1, 2), dtype), [(1, 0), (0, 1)], value).Values();
            Assert.Equal([value, value, value, 1, 1, value], padded);
            Assert.Equal(double.IsNegative(value), double.IsNegative(padded[0]));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void GradientsOfManyPartsAreTheirSlices(int every)
    {
        NDArray[] parts = [.. Enumerable.Range(0, 300).Select(static i => Nd.Full((2, i % 4), i))];
        for (int i = 0; i < parts.Length; i += every) parts[i].AttachGrad();
        NDArray joined;
        using (Autograd.Record()) joined = Nd.Concat(parts, 1);
        NDArray head = Nd.Arange(0, joined.Size).Reshape(joined.Shape);
        joined.Backward(head);
        int start = 0;
        foreach (NDArray part in parts)
        {
            if (part.Grad is { } gradient) Assert.Equal(head.Slice(1, start, start + part.Shape[1]).Values(), gradient.Values());
            start += part.Shape[1];
        }
    }

    private static NDArray Counted(int[] shape) => Nd.Arange(0, shape.Aggregate(1, static (a, b) => a * b), 1, DType.Float64).Reshape(shape);

    private static int[] At(int i, int[] shape)
    {
        int[] at = new int[shape.Length];
        for (int d = shape.Length - 1; d >= 0; d--) (i, at[d]) = Math.DivRem(i, shape[d]);
        return at;
    }

    private static int Flat(int[] at, int[] shape) => at.Zip(shape).Aggregate(0, static (sum, p) => (sum * p.Second) + p.First);
}
