namespace Fusion.Kernels;

/// <summary>A linear map of an axis: each output is a weighted sum of inputs side by side.</summary>
internal sealed class AxisTaps
{
    private AxisTaps(int from, int to)
    {
        From = from;
        First = new int[to];
        Start = new int[to + 1];
    }

    /// <summary>The size of the axis before.</summary>
    public int From { get; }

    /// <summary>The size of the axis after.</summary>
    public int To => First.Length;

    /// <summary>The first input of each output.</summary>
    public int[] First { get; }

    /// <summary>Where the weights of each output begin, and the end of the last ones.</summary>
    public int[] Start { get; }

    public double[] Weights { get; private init; } = [];

    /// <summary>Nothing to do.</summary>
    public bool IsIdentity { get; private init; }

    /// <summary>Straight lines between neighbours: centres correspond, or those at the corners.</summary>
    public static AxisTaps Linear(int from, int to, bool alignCorners)
    {
        AxisTaps taps = new(from, to) { Weights = new double[2 * to], IsIdentity = from == to };
        int at = 0;
        for (int i = 0; i < to; i++)
        {
            double position = alignCorners ? (to == 1 ? 0 : (double)i * (from - 1) / (to - 1)) : Math.Max(0, ((i + 0.5) * from / to) - 0.5);
            int low = Math.Min((int)position, from - 1);
            double part = low == from - 1 ? 0 : position - low;
            taps.First[i] = low;
            taps.Weights[at++] = 1 - part;
            if (part != 0) taps.Weights[at++] = part;
            taps.Start[i + 1] = at;
        }

        return taps;
    }

    /// <summary>The means of windows that cover the axis: window i from ⌊i·from/to⌋ to ⌈(i + 1)·from/to⌉ − 1.</summary>
    public static AxisTaps Average(int from, int to)
    {
        AxisTaps taps = new(from, to) { Weights = new double[from + (2 * to)], IsIdentity = from == to };
        for (int i = 0; i < to; i++)
        {
            int first = (int)((long)i * from / to), end = (int)((((i + 1L) * from) + to - 1) / to);
            taps.First[i] = first;
            taps.Start[i + 1] = taps.Start[i] + end - first;
            taps.Weights.AsSpan(taps.Start[i], end - first).Fill(1.0 / (end - first));
        }

        return taps;
    }

    /// <summary>The transposed map, from the outputs back. The outputs of each input lie side by side, since both run in the same direction.</summary>
    public AxisTaps Transpose()
    {
        AxisTaps result = new(To, From) { Weights = new double[Start[To]], IsIdentity = IsIdentity };
        for (int o = 0; o < To; o++)
            for (int k = Start[o]; k < Start[o + 1]; k++)
            {
                int i = First[o] + k - Start[o];
                if (result.Start[i + 1]++ == 0) result.First[i] = o;
            }

        for (int i = 0; i < From; i++) result.Start[i + 1] += result.Start[i];
        for (int o = 0; o < To; o++)
            for (int k = Start[o]; k < Start[o + 1]; k++)
            {
                int i = First[o] + k - Start[o];
                result.Weights[result.Start[i] + o - result.First[i]] = Weights[k];
            }

        return result;
    }

    /// <summary>The map as a matrix (to, from), row by row.</summary>
    public double[] Matrix()
    {
        double[] matrix = new double[(long)To * From];
        for (int o = 0; o < To; o++)
            for (int k = Start[o]; k < Start[o + 1]; k++) matrix[((long)o * From) + First[o] + k - Start[o]] = Weights[k];
        return matrix;
    }
}
