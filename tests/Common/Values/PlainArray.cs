namespace Fusion.Tests.Values;

/// <summary>An array that shares nothing with any other: what an <see cref="NDArray"/> should seem to be. Every view is a copy.</summary>
internal sealed class PlainArray(double[] values, int[] shape)
{
    public double[] Values => values;

    public int[] Shape => shape;

    public PlainArray Copy() => new([.. values], shape);

    /// <summary>The same values in another shape.</summary>
    public PlainArray Reshaped(params int[] other) => new([.. values], other);

    /// <summary>Elements along an axis from one on, some places apart.</summary>
    public PlainArray Slice(int axis, int first, int count, int step) => Of([.. shape[..axis], count, .. shape[(axis + 1)..]], at => Place(at, axis, first + (at[axis] * step)));

    public PlainArray Transposed(int[] order) =>
        Of([.. order.Select(i => shape[i])], at => Place([.. Enumerable.Range(0, shape.Length).Select(i => at[Array.IndexOf(order, i)])]));

    public PlainArray Map(Func<double, double> f) => new([.. values.Select(f)], shape);

    /// <summary>Takes the values of another array of the same shape.</summary>
    public void Assign(PlainArray other) => other.Values.ToArray().CopyTo(values, 0);

    /// <summary>Writes along an axis, from a place on.</summary>
    public void Write(int axis, int first, PlainArray part)
    {
        double[] source = [.. part.Values];
        int k = 0;
        foreach (int[] at in Indices(part.Shape)) values[Place(at, axis, first + at[axis])] = source[k++];
    }

    private int Place(int[] at, int axis = -1, int position = 0)
    {
        int place = 0;
        for (int i = 0; i < shape.Length; i++) place = (place * shape[i]) + (i == axis ? position : at[i]);
        return place;
    }

    private PlainArray Of(int[] size, Func<int[], int> place) => new([.. Indices(size).Select(at => values[place(at)])], size);

    private static IEnumerable<int[]> Indices(int[] size)
    {
        int count = size.Aggregate(1, static (a, b) => a * b);
        int[] at = new int[size.Length];
        for (int k = 0; k < count; k++)
        {
            yield return at;
            for (int i = size.Length - 1; i >= 0 && ++at[i] == size[i]; i--) at[i] = 0;
        }
    }
}
