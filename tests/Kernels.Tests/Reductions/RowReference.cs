namespace Fusion.Tests;

/// <summary>The softmax family in double precision.</summary>
internal sealed class RowReference
{
    public RowReference(double[] x, double[] g, long[] labels, int rows, int columns)
    {
        Softmax = new double[x.Length];
        LogSoftmax = new double[x.Length];
        SoftmaxGradient = new double[x.Length];
        LogSoftmaxGradient = new double[x.Length];
        CrossEntropyGradient = new double[x.Length];
        LogSumExp = new double[rows];
        CrossEntropy = new double[rows];
        for (var r = 0; r < rows; r++)
        {
            var range = new Range(r * columns, (r + 1) * columns);
            var (row, gradient) = (x[range], g[range]);
            var max = row.Max();
            LogSumExp[r] = max + Math.Log(row.Sum(v => Math.Exp(v - max)));
            double dot = 0, sum = gradient.Sum();
            for (var c = 0; c < columns; c++)
            {
                var i = r * columns + c;
                LogSoftmax[i] = x[i] - LogSumExp[r];
                Softmax[i] = Math.Exp(LogSoftmax[i]);
                dot += Softmax[i] * g[i];
            }

            for (var c = 0; c < columns; c++)
            {
                var i = r * columns + c;
                SoftmaxGradient[i] = Softmax[i] * (g[i] - dot);
                LogSoftmaxGradient[i] = g[i] - Softmax[i] * sum;
                CrossEntropyGradient[i] = (Softmax[i] - (c == labels[r] ? 1 : 0)) * g[r];
            }

            CrossEntropy[r] = -LogSoftmax[r * columns + labels[r]];
        }
    }

    public double[] Softmax { get; }

    public double[] LogSoftmax { get; }

    public double[] SoftmaxGradient { get; }

    public double[] LogSoftmaxGradient { get; }

    public double[] CrossEntropyGradient { get; }

    public double[] LogSumExp { get; }

    public double[] CrossEntropy { get; }
}
