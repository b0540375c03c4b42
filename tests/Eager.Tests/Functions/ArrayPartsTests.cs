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

    private static NDArray Counted(int[] shape) => Nd.Arange(0, shape.Aggregate(1, static (a, b) => a * b), 1, DType.Float64).Reshape(shape);

    private static int[] At(int i, int[] shape)
    {
        int[] at = new int[shape.Length];
        for (int d = shape.Length - 1; d >= 0; d--) (i, at[d]) = Math.DivRem(i, shape[d]);
        return at;
    }

    private static int Flat(int[] at, int[] shape) => at.Zip(shape).Aggregate(0, static (sum, p) => (sum * p.Second) + p.First);
}
