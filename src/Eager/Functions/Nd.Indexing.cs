namespace Fusion;

/// <summary>What becomes of an index outside its axis of n elements.</summary>
public enum IndexMode
{
    /// <summary>An exception; −n to −1 count from the end.</summary>
    Error,

    /// <summary>The nearest position, 0 for every negative index: MXNet's and NumPy's <c>'clip'</c>.</summary>
    Clip,

    /// <summary>The remainder of a division by n, 0 to n − 1: MXNet's and NumPy's <c>'wrap'</c>.</summary>
    Wrap,
}

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

    /// <summary>Slices along an axis by an array of indices (Int32 or Int64), of which <paramref name="mode"/> says what becomes of those outside the axis.</summary>
    /// <remarks><c>mx.np.take</c>, <c>np.take</c> with <c>mode</c>; <c>torch.index_select</c> of clamped indices.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside the axis, and the mode is <see cref="IndexMode.Error"/>.</exception>
    /// <exception cref="ShapeException">The axis is empty and has no position for an index.</exception>
    public static NDArray Take(this NDArray x, NDArray indices, int axis, IndexMode mode)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(indices);
        Require.Member(mode);
        return Take(x, Inside("Take", x.Shape, x.Shape.Axis(axis, "Take"), indices, mode), axis);
    }

    /// <summary>One element per line along an axis; the indices have the shape without that axis.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside the axis.</exception>
    public static NDArray Pick(this NDArray x, NDArray indices, int axis = -1)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(indices);
        return OpTable.Pick.Apply(AxisLast(x, x.Shape.Axis(axis, "Pick")), indices);
    }

    /// <summary>
    /// One element per line along an axis, which stays with the size 1 if <paramref name="keepDims"/>; the indices have the shape without that axis, and
    /// <paramref name="mode"/> says what becomes of those outside it.
    /// </summary>
    /// <remarks><c>mx.npx.pick</c>, whose mode is clip by default; <c>np.take_along_axis</c>, <c>torch.gather</c>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside the axis, and the mode is <see cref="IndexMode.Error"/>.</exception>
    /// <exception cref="ShapeException">The indices have another shape, or the axis is empty and has no position for an index.</exception>
    public static NDArray Pick(this NDArray x, NDArray indices, int axis, IndexMode mode, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(indices);
        Require.Member(mode);
        int at = x.Shape.Axis(axis, "Pick");
        NDArray picked = Pick(x, Inside("Pick", x.Shape, at, indices, mode), at);
        return keepDims ? ExpandDims(picked, at) : picked;
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

    // Indices that lie within an axis, as a mode has them.
    private static NDArray Inside(string op, Shape shape, int axis, NDArray indices, IndexMode mode)
    {
        Indexing.CheckIndexType(op, indices.DType);
        int n = shape[axis];
        if (mode == IndexMode.Error || indices.Size == 0) return indices;
        if (n == 0) throw new ShapeException($"{op}: axis {axis} of {shape} is empty and has no position for an index, in the mode {mode} either. Give an axis that has elements.");
        return mode == IndexMode.Clip ? Clip(indices, 0, n - 1) : Mod(indices, n);
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
