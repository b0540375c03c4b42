namespace Fusion.Tests;

/// <summary>An array of the references: sizes and numbers in row-major order, computed on by plain loops in double precision.</summary>
internal sealed record RefArray(int[] Shape, double[] Values)
{
    public int Rank => Shape.Length;

    /// <summary>One element; an axis of size 1 is read for every index, and too many leading indices are ignored: NumPy's broadcasting.</summary>
    public double this[params ReadOnlySpan<int> index]
    {
        get
        {
            int at = 0;
            int shift = index.Length - Rank;
            for (int i = 0; i < Rank; i++) at = (at * Shape[i]) + (Shape[i] == 1 ? 0 : index[i + shift]);
            return Values[at];
        }
    }

    /// <summary>The elements of an array of any type.</summary>
    public static RefArray Of(NDArray array) => new(array.Shape.ToArray(), array.AsType(DType.Float64).ToArray<double>());

    /// <summary>The array with <c>element(i)</c> at every multi-index i.</summary>
    public static RefArray Build(int[] shape, Func<int[], double> element)
    {
        double[] values = new double[shape.Aggregate(1, static (a, b) => a * b)];
        int[] index = new int[shape.Length];
        for (int k = 0; k < values.Length; k++)
        {
            values[k] = element(index);
            for (int i = shape.Length - 1; i >= 0 && ++index[i] == shape[i]; i--) index[i] = 0;
        }

        return new RefArray(shape, values);
    }

    /// <summary>A function of corresponding elements of arrays that broadcast.</summary>
    public static RefArray Zip(RefArray[] x, Func<double[], double> f)
    {
        int rank = x.Max(static a => a.Rank);
        int[] shape = new int[rank];
        for (int i = 1; i <= rank; i++)
            shape[rank - i] = x.Where(a => a.Rank >= i).Select(a => a.Shape[^i]).Aggregate(1, static (a, b) => a == 1 ? b : a);
        return Build(shape, i => f([.. x.Select(a => a[i])]));
    }

    /// <summary>Every line of the last axis turned into another one, of any length.</summary>
    public RefArray Lines(Func<double[], double[]> f)
    {
        int n = Shape[^1];
        double[][] lines = [.. Enumerable.Range(0, Shape[..^1].Aggregate(1, static (a, b) => a * b)).Select(i => f(Values[(i * n)..((i + 1) * n)]))];
        int m = lines.Length > 0 ? lines[0].Length : f(new double[n]).Length;
        return new RefArray([.. Shape[..^1], m], [.. lines.SelectMany(static line => line)]);
    }

    /// <summary>The elements along some axes (all of them if none are given), in row-major order, turned into one number.</summary>
    public RefArray Reduce(Func<double[], double> f, int[]? axes = null, bool keepDims = false)
    {
        HashSet<int> reduced = axes is null ? [.. Enumerable.Range(0, Rank)] : [.. axes.Select(a => a < 0 ? a + Rank : a)];
        int[] kept = [.. Enumerable.Range(0, Rank).Where(i => !reduced.Contains(i))];
        int[] moved = [.. kept, .. reduced.Order()];
        int n = reduced.Aggregate(1, (a, i) => a * Shape[i]);
        RefArray lines = Transpose(moved).Reshape([.. kept.Select(i => Shape[i]), n]);
        int[] shape = keepDims ? [.. Shape.Select((size, i) => reduced.Contains(i) ? 1 : size)] : [.. kept.Select(i => Shape[i])];
        return lines.Lines(line => [f(line)]).Reshape(shape);
    }

    /// <summary>A function of the lines along one axis, which keeps its place.</summary>
    public RefArray Along(int axis, Func<double[], double[]> f)
    {
        axis = axis < 0 ? axis + Rank : axis;
        int[] order = [.. Enumerable.Range(0, Rank).Where(i => i != axis), axis];
        return Transpose(order).Lines(f).Transpose([.. Enumerable.Range(0, Rank).Select(i => Array.IndexOf(order, i))]);
    }

    public RefArray Reshape(params int[] shape) => this with { Shape = shape };

    /// <summary>Axis i of the result is axis order[i].</summary>
    public RefArray Transpose(params int[] order)
    {
        int[] back = new int[Rank];
        int[] from = new int[Rank];
        for (int i = 0; i < Rank; i++) back[order[i]] = i;
        return Build([.. order.Select(i => Shape[i])], index =>
        {
            for (int i = 0; i < from.Length; i++) from[i] = index[back[i]];
            return this[from];
        });
    }
}
