using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>Recurrent layers by their formulas, unit by unit, in the layout of <see cref="SequenceLayout"/>.</summary>
internal static class SequenceReference
{
    public static int Gates(RecurrentCell cell) => cell switch { RecurrentCell.Lstm => 4, RecurrentCell.Gru => 3, _ => 1 };

    /// <summary>States in all.</summary>
    public static int States(RecurrentCell cell, int time, bool keep) => cell switch
    {
        RecurrentCell.Lstm => keep ? (2 * (time + 1)) + (4 * time) : time + 2,
        RecurrentCell.Gru => time + 1 + (keep ? 4 * time : 0),
        _ => time + 1,
    };

    public static RefArray States(RecurrentCell cell, bool reverse, bool keep, RefArray[] x)
    {
        (RefArray input, RefArray weight, int batch, int hidden) = (x[0], x[1], x[2].Shape[0], x[2].Shape[1]);
        int time = input.Shape[0] / batch, gates = Gates(cell), count = States(cell, time, keep);
        double[] result = new double[count * batch * hidden];
        for (int n = 0; n < batch; n++)
        {
            double[] h = [.. Enumerable.Range(0, hidden).Select(j => x[2][n, j])], c = [.. Enumerable.Range(0, hidden).Select(j => cell == RecurrentCell.Lstm ? x[3][n, j] : 0)];
            Write(0, reverse ? time : 0, h);
            Write(time + 1, keep && reverse ? time : 0, cell == RecurrentCell.Lstm ? c : []);
            for (int step = 0; step < time; step++)
            {
                int t = reverse ? time - 1 - step : step, sample = n, row = (t * batch) + n;
                double[] before = h;
                double Product(int g, int j) => Enumerable.Range(0, hidden).Sum(k => weight[(g * hidden) + j, k] * before[k]) + (cell == RecurrentCell.Gru ? x[3][(g * hidden) + j] : 0);
                double Gate(int g, int j) => input[row, (g * hidden) + j] + Product(g, j);
                double[][] kept = new double[4][];
                h = new double[hidden];
                for (int g = 0; g < 4; g++) kept[g] = new double[hidden];
                for (int j = 0; j < hidden; j++)
                {
                    switch (cell)
                    {
                        case RecurrentCell.Lstm:
                            for (int g = 0; g < 4; g++) kept[g][j] = g == 2 ? Math.Tanh(Gate(g, j)) : Sigmoid(Gate(g, j));
                            c[j] = (kept[1][j] * c[j]) + (kept[0][j] * kept[2][j]);
                            h[j] = kept[3][j] * Math.Tanh(c[j]);
                            break;
                        case RecurrentCell.Gru:
                            (kept[0][j], kept[1][j], kept[3][j]) = (Sigmoid(Gate(0, j)), Sigmoid(Gate(1, j)), Product(2, j));
                            kept[2][j] = Math.Tanh(input[row, (2 * hidden) + j] + (kept[0][j] * kept[3][j]));
                            h[j] = ((1 - kept[1][j]) * kept[2][j]) + (kept[1][j] * before[j]);
                            break;
                        default:
                            h[j] = cell == RecurrentCell.Relu ? Math.Max(0, Gate(0, j)) : Math.Tanh(Gate(0, j));
                            break;
                    }
                }

                Write(0, reverse ? t : t + 1, h);
                Write(time + 1, keep ? reverse ? t : t + 1 : 0, cell == RecurrentCell.Lstm ? c : []);
                if (!keep || gates == 1) continue;
                int start = (cell == RecurrentCell.Lstm ? 2 : 1) * (time + 1) * batch * hidden;
                for (int g = 0; g < 4; g++) kept[g].CopyTo(result, start + (((row * 4) + g) * hidden));
            }

            void Write(int plane, int slot, double[] state)
            {
                if (state.Length > 0) state.CopyTo(result, (((plane + slot) * batch) + n) * hidden);
            }
        }

        return new RefArray([count, batch, hidden], result);
    }

    /// <summary>By the chain rule, from arbitrary kept values.</summary>
    public static RefArray Gradients(RecurrentCell cell, bool reverse, bool first, RefArray[] x)
    {
        (RefArray states, RefArray weight, RefArray upstream) = (x[0], x[1], x[2]);
        (int time, int batch, int hidden) = (upstream.Shape[0], upstream.Shape[1], upstream.Shape[2]);
        int gates = Gates(cell), parts = cell == RecurrentCell.Gru ? 2 : 1, firsts = !first ? 0 : cell == RecurrentCell.Lstm ? 2 : 1;
        int count = (parts * gates * time) + firsts;
        double[] result = new double[count * batch * hidden];
        for (int n = 0; n < batch; n++)
        {
            double[] dh = new double[hidden], dc = [.. Enumerable.Range(0, hidden).Select(j => cell == RecurrentCell.Lstm ? x[3][n, j] : 0)];
            for (int step = time - 1; step >= 0; step--)
            {
                int t = reverse ? time - 1 - step : step, before = reverse ? t + 1 : t, after = reverse ? t : t + 1, row = (t * batch) + n, sample = n;
                double Kept(int g, int j) => states.Values[((cell == RecurrentCell.Lstm ? 2 : 1) * (time + 1) * batch * hidden) + (((row * 4) + g) * hidden) + j];
                double[] next = new double[hidden];
                double[,] products = new double[gates, hidden];
                for (int j = 0; j < hidden; j++)
                {
                    double g = upstream[t, sample, j] + dh[j];
                    double[] inputs = new double[gates];
                    if (cell == RecurrentCell.Lstm)
                    {
                        (double i, double f, double u, double o) = (Kept(0, j), Kept(1, j), Kept(2, j), Kept(3, j));
                        double tanh = Math.Tanh(states[time + 1 + after, sample, j]), d = dc[j] + (g * o * (1 - (tanh * tanh)));
                        inputs = [d * u * i * (1 - i), d * states[time + 1 + before, sample, j] * f * (1 - f), d * i * (1 - (u * u)), g * tanh * o * (1 - o)];
                        dc[j] = d * f;
                    }
                    else if (cell == RecurrentCell.Gru)
                    {
                        (double r, double z, double u, double q) = (Kept(0, j), Kept(1, j), Kept(2, j), Kept(3, j));
                        double du = g * (1 - z) * (1 - (u * u));
                        inputs = [du * q * r * (1 - r), g * (states[before, sample, j] - u) * z * (1 - z), du];
                        next[j] = g * z;
                    }
                    else
                    {
                        double h = states[after, sample, j];
                        inputs = [cell == RecurrentCell.Tanh ? g * (1 - (h * h)) : h > 0 ? g : 0];
                    }

                    for (int k = 0; k < gates; k++)
                    {
                        result[(row * gates * hidden) + (k * hidden) + j] = inputs[k];
                        products[k, j] = cell == RecurrentCell.Gru && k == 2 ? inputs[k] * Kept(0, j) : inputs[k];
                        if (parts == 2) result[(((time * batch) + row) * gates * hidden) + (k * hidden) + j] = products[k, j];
                    }
                }

                for (int j = 0; j < hidden; j++)
                    for (int k = 0; k < gates * hidden; k++) next[j] += products[k / hidden, k % hidden] * weight[k, j];
                dh = next;
            }

            if (firsts > 0) dh.CopyTo(result, (((count - firsts) * batch) + n) * hidden);
            if (firsts > 1) dc.CopyTo(result, (((count - 1) * batch) + n) * hidden);
        }

        return new RefArray(parts == 1 && firsts == 0 ? [time * batch, gates * hidden] : [count, batch, hidden], result);
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
