namespace Fusion.Tests;

/// <summary>Convolutions by their definition: every product of one input and one tap, one by one, in double.</summary>
internal sealed class WindowReference
{
    private readonly int[] _x;
    private readonly int[] _w;
    private readonly int[] _stride;
    private readonly int[] _dilation;
    private readonly int[] _before;
    private readonly int _groups;

    public WindowReference(int[] x, int[] w, int[] stride, int[] dilation, (int Before, int After)[] padding, int groups)
    {
        (_x, _w, _stride, _dilation, _groups) = (x, w, stride, dilation, groups);
        _before = [.. padding.Select(p => p.Before)];
        int[] spatial = [.. Enumerable.Range(0,
            x.Length - 2).Select(i => (x[i + 2] + padding[i].Before + padding[i].After - (w[i + 2] - 1) * dilation[i] - 1) / stride[i] + 1)];
        OutputShape = [x[0], w[0], .. spatial];
    }

    public int[] OutputShape { get; }

    public double[] Forward(double[] x, double[] w) => Sum(OutputShape, (y, i, k) => (y, x[i] * w[k]));

    public double[] InputGradient(double[] g, double[] w) => Sum(_x, (y, i, k) => (i, g[y] * w[k]));

    public double[] WeightGradient(double[] x, double[] g) => Sum(_w, (y, i, k) => (k, x[i] * g[y]));

    /// <summary>The elements (positions in the array) that each window of a pooling of one-channel kernels meets.</summary>
    public List<int>[] Windows()
    {
        List<int>[] windows = [.. Enumerable.Range(0, Size(OutputShape)).Select(_ => new List<int>())];
        Visit((y, i, _) => windows[y].Add(i));
        return windows;
    }

    private double[] Sum(int[] shape, Func<int, int, int, (int At, double Term)> term)
    {
        double[] result = new double[Size(shape)];
        Visit((y, i, k) =>
        {
            (int at, double value) = term(y, i, k);
            result[at] += value;
        });
        return result;
    }

    private void Visit(Action<int, int, int> visit)
    {
        int filtersPerGroup = _w[0] / _groups, n = _x.Length;
        int[] i = new int[n];
        foreach (int[] o in Indices(OutputShape))
        {
            foreach (int[] k in Indices(_w[1..]))
            {
                i[0] = o[0];
                i[1] = o[1] / filtersPerGroup * _w[1] + k[0];
                bool inside = true;
                for (int d = 2; d < n; d++)
                {
                    i[d] = o[d] * _stride[d - 2] + k[d - 1] * _dilation[d - 2] - _before[d - 2];
                    inside &= i[d] >= 0 && i[d] < _x[d];
                }

                if (inside) visit(Flat(o, OutputShape), Flat(i, _x), o[1] * Size(_w[1..]) + Flat(k, _w[1..]));
            }
        }
    }

    public static int Size(int[] shape) => shape.Aggregate(1, (a, b) => a * b);

    private static int Flat(int[] index, int[] shape)
    {
        int at = 0;
        for (int d = 0; d < shape.Length; d++) at = at * shape[d] + index[d];
        return at;
    }

    /// <summary>Every index of a shape, in row-major order; always the same array.</summary>
    private static IEnumerable<int[]> Indices(int[] shape)
    {
        int[] index = new int[shape.Length];
        for (int count = Size(shape); count > 0; count--)
        {
            yield return index;
            for (int i = shape.Length - 1; i >= 0 && ++index[i] == shape[i]; i--) index[i] = 0;
        }
    }
}
