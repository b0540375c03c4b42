namespace Fusion;

public static partial class Nd
{
    /// <summary>Slices along an axis by an array of indices (Int32 or Int64; negative ones count from the end): the axis is replaced by the indices' axes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside the axis.</exception>
    public static NDArray Take(this NDArray x, NDArray indices, int axis = 0)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(indices);
        return OpTable.Take.Apply(x, indices, new TakeAttributes(x.Shape.Axis(axis, "Take"), x.Shape));
    }

    /// <summary>One element per line along an axis; the indices have the shape without that axis.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside the axis.</exception>
    public static NDArray Pick(this NDArray x, NDArray indices, int axis = -1)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(indices);
        return OpTable.Pick.Apply(AxisLast(x, x.Shape.Axis(axis, "Pick")), indices);
    }

    /// <summary>A new last axis of size <paramref name="depth"/>, Float32, 1 at the index and 0 elsewhere.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside [0, depth).</exception>
    public static NDArray OneHot(this NDArray indices, int depth)
    {
        ArgumentNullException.ThrowIfNull(indices);
        Require.NotNegative(depth);
        Indexing.CheckIndexType("OneHot", indices.DType);
        return OpTable.OneHot.Apply(indices, new DepthAttributes(depth));
    }

    /// <summary>The array with one axis moved to the end.</summary>
    internal static NDArray AxisLast(NDArray x, int axis)
    {
        if (axis == x.Rank - 1) return x;
        int[] order = new int[x.Rank];
        int at = 0;
        for (int i = 0; i < x.Rank; i++)
            if (i != axis) order[at++] = i;
        order[at] = axis;
        return Transpose(x, order);
    }
}
