using Fusion.NN;

namespace Fusion.Tests;

public sealed class RecurrentTests
{
    private const int Time = 4, Batch = 2, Input = 3, Hidden = 2;

    /// <summary>One direction of one layer by PyTorch's formulas, sample by sample, in double.</summary>
    private static double[,,] Reference(string kind, double[,,] x, Module layer, string suffix, bool reverse, double[,]? hidden = null, double[,]? cell = null)
    {
        double[] P(string name) => Samples.Values(layer.Parameters[name + suffix]);
        double[] wi = P("weight_ih"), wh = P("weight_hh"), bi = P("bias_ih"), bh = P("bias_hh");
        int size = x.GetLength(2), gates = bi.Length / Hidden;
        double[,,] y = new double[Time, Batch, Hidden];
        for (int n = 0; n < Batch; n++)
        {
            double[] h = [.. Enumerable.Range(0, Hidden).Select(j => hidden?[n, j] ?? 0)], c = [.. Enumerable.Range(0, Hidden).Select(j => cell?[n, j] ?? 0)];
            for (int step = 0; step < Time; step++)
            {
                int t = reverse ? Time - 1 - step : step;
                double[] a = [.. Enumerable.Range(0, gates * Hidden).Select(g => bi[g] + Enumerable.Range(0, size).Sum(k => wi[g * size + k] * x[t, n, k]))];
                double[] b = [.. Enumerable.Range(0, gates * Hidden).Select(g => bh[g] + Enumerable.Range(0, Hidden).Sum(k => wh[g * Hidden + k] * h[k]))];
                double[] next = new double[Hidden];
                for (int j = 0; j < Hidden; j++)
                {
                    double Gate(int g) => a[g * Hidden + j] + b[g * Hidden + j];
                    if (kind == "rnn") next[j] = Math.Tanh(Gate(0));
                    else if (kind == "lstm")
                    {
                        c[j] = Sigmoid(Gate(1)) * c[j] + Sigmoid(Gate(0)) * Math.Tanh(Gate(2));
                        next[j] = Sigmoid(Gate(3)) * Math.Tanh(c[j]);
                    }
                    else
                    {
                        double z = Sigmoid(Gate(1)), proposed = Math.Tanh(a[2 * Hidden + j] + Sigmoid(Gate(0)) * b[2 * Hidden + j]);
                        next[j] = (1 - z) * proposed + z * h[j];
                    }
                }

                h = next;
                for (int j = 0; j < Hidden; j++) y[t, n, j] = h[j];
            }
        }

        return y;

        static double Sigmoid(double v) => 1 / (1 + Math.Exp(-v));
    }

    private static RecurrentLayer Make(string kind, int layers = 1, bool batchFirst = false, bool bidirectional = false) => kind switch
    {
        "rnn" => new Rnn(Input, Hidden, layers, batchFirst: batchFirst, bidirectional: bidirectional, dtype: DType.Float64),
        "lstm" => new Lstm(Input, Hidden, layers, batchFirst: batchFirst, bidirectional: bidirectional, dtype: DType.Float64),
        _ => new Gru(Input, Hidden, layers, batchFirst: batchFirst, bidirectional: bidirectional, dtype: DType.Float64),
    };

    private static double[,,] Cube(NDArray x)
    {
        double[,,] cube = new double[x.Shape[0], x.Shape[1], x.Shape[2]];
        Buffer.BlockCopy(Samples.Values(x), 0, cube, 0, (int)x.Size * 8);
        return cube;
    }

    [Theory]
    [InlineData("rnn")]
    [InlineData("lstm")]
    [InlineData("gru")]
    public void OutputsAreThoseOfTheFormulas(string kind)
    {
        NDArray x = Samples.Normal((Time, Batch, Input), 1);
        RecurrentLayer layer = Make(kind);
        double[] expected = [.. Reference(kind, Cube(x), layer, "_l0", false).Cast<double>()];
        Samples.Close(expected, layer.Forward(x));

        RecurrentLayer batchFirst = Make(kind, batchFirst: true);
        foreach ((string name, NDArray p) in batchFirst.Parameters) p.Assign(layer.Parameters[name]);
        Samples.Close(expected, batchFirst.Forward(x.SwapAxes(0, 1)).SwapAxes(0, 1));

        RecurrentLayer deep = Make(kind, layers: 2, bidirectional: true);
        double[,,] input = Cube(x);
        for (int l = 0; l < 2; l++)
        {
            double[,,] forward = Reference(kind, input, deep, $"_l{l}", false), backward = Reference(kind, input, deep, $"_l{l}_reverse", true);
            input = new double[Time, Batch, 2 * Hidden];
            for (int i = 0; i < input.Length; i++)
            {
                (int t, int n, int j) = (i / (2 * Hidden) / Batch, i / (2 * Hidden) % Batch, i % (2 * Hidden));
                input[t, n, j] = j < Hidden ? forward[t, n, j] : backward[t, n, j - Hidden];
            }
        }

        Samples.Close([.. input.Cast<double>()], deep.Forward(x));
    }

    [Fact]
    public void FirstStatesAreTakenAndLastOnesGiven()
    {
        NDArray x = Samples.Normal((Time, Batch, Input), 1), hidden = Samples.Normal((1, Batch, Hidden), 2), cell = Samples.Normal((1, Batch, Hidden), 3);
        double[,] h = new double[Batch, Hidden], c = new double[Batch, Hidden];
        Buffer.BlockCopy(Samples.Values(hidden), 0, h, 0, h.Length * 8);
        Buffer.BlockCopy(Samples.Values(cell), 0, c, 0, c.Length * 8);

        Lstm lstm = (Lstm)Make("lstm");
        (NDArray output, NDArray lastHidden, NDArray lastCell) = lstm.Forward(x, hidden, cell);
        Samples.Close([.. Reference("lstm", Cube(x), lstm, "_l0", false, h, c).Cast<double>()], output);
        Assert.Equal(Samples.Values(output[Time - 1]), Samples.Values(lastHidden[0]));
        Assert.Equal(hidden.Shape, lastCell.Shape);
        // Two halves with the states between them are the whole.
        (NDArray first, NDArray h1, NDArray c1) = lstm.Forward(x[..2], hidden, cell);
        Assert.Equal(Samples.Values(output), Samples.Values(Nd.Concat([first, lstm.Forward(x[2..], h1, c1).Output])));

        Gru gru = (Gru)Make("gru");
        Samples.Close([.. Reference("gru", Cube(x), gru, "_l0", false, h).Cast<double>()], gru.Forward(x, hidden).Output);
        Rnn rnn = (Rnn)Make("rnn");
        Samples.Close([.. Reference("rnn", Cube(x), rnn, "_l0", false, h).Cast<double>()], rnn.Forward(x, hidden).Output);
        ShapeException error = Assert.Throws<ShapeException>(() => gru.Forward(x, Nd.Zeros((2, Batch, Hidden))));
        Assert.Contains("(1, 2, 2)", error.Message, StringComparison.Ordinal);
        Assert.Throws<ShapeException>(() => gru.Forward(x[0]));
    }

    [Theory]
    [InlineData("rnn")]
    [InlineData("lstm")]
    [InlineData("gru")]
    public void GradientsMatchFiniteDifferences(string kind)
    {
        RecurrentLayer layer = Make(kind);
        Samples.PassesGradientCheck(v => layer.Forward(v[0]), [Samples.Normal((3, 1, Input), 1)], kind);
    }
}
