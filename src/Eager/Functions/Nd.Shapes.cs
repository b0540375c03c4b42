using System.Runtime.CompilerServices;
using Fusion.Kernels;

namespace Fusion;

// Functions that rearrange elements. Reshape, transpose, broadcast and slice share storage with their input until one of the two is written.
public static partial class Nd
{
    /// <summary>The same elements in row-major order with another shape; one size may be −1 and follows from the others.</summary>
    /// <exception cref="ShapeException">The number of elements differs, or the size of −1 could be any, since another size is 0.</exception>
    [OverloadResolutionPriority(1)] // x.Reshape([2, 3]) fits the shape overload as well
    public static NDArray Reshape(this NDArray x, params ReadOnlySpan<int> shape)
    {
        ArgumentNullException.ThrowIfNull(x);
        int[] sizes = shape.ToArray();
        int unknown = System.Array.IndexOf(sizes, -1);
        if (unknown >= 0)
        {
            long known = 1;
            for (int i = 0; i < sizes.Length; i++)
            {
                if (i == unknown) continue;
                if (sizes[i] < 0) throw new ShapeException($"Reshape: ({IntegerList.Text(sizes)}): only one size may be −1.");
                known *= sizes[i];
            }

            if (known == 0 && x.Size == 0)
                throw new ShapeException($"Reshape: ({IntegerList.Text(sizes)}): −1 could be any size, since the array {x.Shape} and the other sizes have no element. Give it as a number.");
            if (known == 0 || x.Size % known != 0) throw new ShapeException($"Reshape: {x.Shape}, {x.Size} elements, does not divide into ({IntegerList.Text(sizes)}).");
            sizes[unknown] = Errors.Extent("Reshape", x.Size / known);
        }
        else if (System.Array.Exists(sizes, static size => size < 0))
        {
            throw new ShapeException($"Reshape: ({IntegerList.Text(sizes)}): a size is negative. Sizes are 0 or more, or −1 for the one that follows from the others.");
        }

        return OpTable.Reshape.Apply(x, new ShapeAttributes(Shape.Own(sizes)));
    }

    /// <summary>The same elements in row-major order with another shape.</summary>
    public static NDArray Reshape(this NDArray x, Shape shape) => Reshape(x, shape.Dimensions);

    /// <summary>The same elements in row-major order with another shape; one size may be −1.</summary>
    public static NDArray Reshape(this NDArray x, (int, int) shape) => Reshape(x, shape.Item1, shape.Item2);

    /// <summary>The same elements in row-major order with another shape; one size may be −1.</summary>
    public static NDArray Reshape(this NDArray x, (int, int, int) shape) => Reshape(x, shape.Item1, shape.Item2, shape.Item3);

    /// <summary>The same elements in row-major order with another shape; one size may be −1.</summary>
    public static NDArray Reshape(this NDArray x, (int, int, int, int) shape) => Reshape(x, shape.Item1, shape.Item2, shape.Item3, shape.Item4);

    /// <summary>Keeps the first axis and joins all others: (n, …) becomes (n, m).</summary>
    public static NDArray Flatten(this NDArray x)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Rank == 0) return Reshape(x, 1, 1);
        int rest = 1;
        for (int i = 1; i < x.Rank; i++) rest = Errors.Extent("Flatten", (long)rest * x.Shape[i]);
        return Reshape(x, x.Shape[0], rest);
    }

    /// <summary>Inserts an axis of size 1 before <paramref name="axis"/> (−1: after the last).</summary>
    public static NDArray ExpandDims(this NDArray x, int axis) => ExpandDims(Checked(x), axis, "ExpandDims");

    private static NDArray ExpandDims(NDArray x, int axis, string op)
    {
        int at = axis < 0 ? axis + x.Rank + 1 : axis;
        if (at < 0 || at > x.Rank) throw new ArgumentOutOfRangeException(nameof(axis), axis, $"{op}: axis {axis} is out of range for the shape {x.Shape}.");
        return Reshape(x, Shape.Create([.. x.Shape.Dimensions[..at], 1, .. x.Shape.Dimensions[at..]]));
    }

    /// <summary>Removes axes of size 1: the given ones, or all.</summary>
    /// <exception cref="ShapeException">A given axis has another size, or is given twice.</exception>
    public static NDArray Squeeze(this NDArray x, params int[] axes)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(axes);
        List<int> sizes = [];
        HashSet<int> removed = [];
        foreach (int axis in axes)
        {
            int i = x.Shape.Axis(axis, "Squeeze");
            if (x.Shape[i] != 1) throw new ShapeException($"Squeeze: axis {axis} of the shape {x.Shape} has size {x.Shape[i]}, not 1.");
            if (!removed.Add(i)) throw new ShapeException($"Squeeze: axis {i} of the shape {x.Shape} is given twice.");
        }

        for (int i = 0; i < x.Rank; i++)
            if (axes.Length == 0 ? x.Shape[i] != 1 : !removed.Contains(i)) sizes.Add(x.Shape[i]);
        return Reshape(x, Shape.Own([.. sizes]));
    }

    /// <summary>Permutes the axes; without arguments reverses them.</summary>
    /// <exception cref="ShapeException">The arguments are not a permutation of the axes.</exception>
    public static NDArray Transpose(this NDArray x, params int[] axes)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(axes);
        int[] order = new int[x.Rank];
        if (axes.Length == 0)
        {
            for (int i = 0; i < order.Length; i++) order[i] = order.Length - 1 - i;
        }
        else
        {
            if (axes.Length != x.Rank) throw new ShapeException($"Transpose: {axes.Length} axes for the shape {x.Shape}; give each axis once.");
            ulong seen = 0;
            for (int i = 0; i < order.Length; i++)
            {
                order[i] = x.Shape.Axis(axes[i], "Transpose");
                seen |= 1UL << order[i];
            }

            if (System.Numerics.BitOperations.PopCount(seen) != x.Rank) throw new ShapeException($"Transpose: ({IntegerList.Text(axes)}) is not a permutation of the axes of {x.Shape}.");
        }

        return OpTable.Transpose.Apply(x, new PermutationAttributes(new IntList(order)));
    }

    /// <summary>Exchanges two axes.</summary>
    public static NDArray SwapAxes(this NDArray x, int axis1, int axis2)
    {
        ArgumentNullException.ThrowIfNull(x);
        int[] order = new int[x.Rank];
        for (int i = 0; i < order.Length; i++) order[i] = i;
        int a = x.Shape.Axis(axis1, "SwapAxes", nameof(axis1));
        int b = x.Shape.Axis(axis2, "SwapAxes", nameof(axis2));
        (order[a], order[b]) = (b, a);
        return Transpose(x, order);
    }

    /// <summary>Stretches axes of size 1 and adds leading axes, without a copy.</summary>
    public static NDArray BroadcastTo(this NDArray x, Shape shape)
    {
        ArgumentNullException.ThrowIfNull(x);
        return x.Shape == shape ? x.Alias() : OpTable.BroadcastTo.Apply(x, new ShapeAttributes(shape));
    }

    /// <summary>Joins arrays along an axis; their other sizes must agree. Types are promoted.</summary>
    public static NDArray Concat(IReadOnlyList<NDArray> arrays, int axis = 0)
    {
        ArgumentNullException.ThrowIfNull(arrays);
        if (arrays.Count == 0) throw new ShapeException("Concat: the list of arrays is empty.");
        NDArray[] inputs = new NDArray[arrays.Count];
        DType dtype = (arrays[0] ?? throw new ArgumentNullException(nameof(arrays))).DType;
        foreach (NDArray array in arrays) dtype = DTypes.Promote(dtype, (array ?? throw new ArgumentNullException(nameof(arrays))).DType);
        for (int i = 0; i < inputs.Length; i++) inputs[i] = Elements.To(arrays[i], dtype);
        return OpTable.Concat.Apply(inputs, new AxisAttributes(inputs[0].Shape.Axis(axis, "Concat")));
    }

    /// <summary>Joins arrays of one shape along a new axis.</summary>
    public static NDArray Stack(IReadOnlyList<NDArray> arrays, int axis = 0)
    {
        ArgumentNullException.ThrowIfNull(arrays);
        if (arrays.Count == 0) throw new ShapeException("Stack: the list of arrays is empty.");
        NDArray[] expanded = new NDArray[arrays.Count];
        for (int i = 0; i < expanded.Length; i++)
        {
            ArgumentNullException.ThrowIfNull(arrays[i], nameof(arrays));
            if (arrays[i].Shape != arrays[0].Shape) throw new ShapeException($"Stack: {arrays[0].Shape} and {arrays[i].Shape} differ; stacked arrays have one shape.");
            expanded[i] = arrays[i];
        }

        // Numbers of the processor go with those of a device.
        if (expanded[0].Rank == 0 && System.Array.Find(expanded, static x => x.IsOnGpu) is { Device: var device })
            for (int i = 0; i < expanded.Length; i++) expanded[i] = expanded[i].IsSymbolic || expanded[i].IsOnGpu ? expanded[i] : expanded[i].To(device);
        for (int i = 0; i < expanded.Length; i++) expanded[i] = ExpandDims(expanded[i], axis, "Stack");

        return Concat(expanded, axis < 0 ? axis + expanded[0].Rank : axis);
    }

    /// <summary>Cuts an axis into equal parts.</summary>
    /// <exception cref="ShapeException">The axis does not divide evenly.</exception>
    public static NDArray[] Split(this NDArray x, int sections, int axis = 0)
    {
        ArgumentNullException.ThrowIfNull(x);
        int at = x.Shape.Axis(axis, "Split");
        if (sections < 1 || x.Shape[at] % sections != 0)
            throw new ShapeException($"Split: axis {axis} of the shape {x.Shape} has size {x.Shape[at]}, which does not divide into {sections} equal parts.");
        int size = x.Shape[at] / sections;
        NDArray[] parts = new NDArray[sections];
        for (int i = 0; i < sections; i++) parts[i] = Slice(x, at, i * size, (i + 1) * size);
        return parts;
    }

    /// <summary>The elements start, start + step, … before stop along one axis; negative positions count from the end and are clamped, as in Python.</summary>
    public static NDArray Slice(this NDArray x, int axis, int? start, int? stop, int step = 1)
    {
        ArgumentNullException.ThrowIfNull(x);
        return OpTable.Slice.Apply(x, Cut("Slice", x.Shape, axis, start, stop, step));
    }

    /// <summary>x with the elements that <see cref="Slice"/> selects replaced by values, which broadcast and are converted to the type of x; x stays as it is.</summary>
    /// <exception cref="ShapeException">The values do not broadcast to the selected part.</exception>
    public static NDArray SliceUpdate(this NDArray x, NDArray values, int axis, int? start, int? stop, int step = 1)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(values);
        SliceAttributes part = Cut("SliceUpdate", x.Shape, axis, start, stop, step);
        Shape selected = part.Counts.Span.ToArray();
        if (!Broadcasting.FitsInto(values.Shape, selected))
            throw new ShapeException($"SliceUpdate: the values {values.Shape} do not broadcast to the selected part {selected} of {x.Shape}.");
        return OpTable.WriteSlice.Apply(x, BroadcastTo(Elements.To(values, x.DType), selected), part);
    }

    private static SliceAttributes Cut(string op, Shape shape, int axis, int? start, int? stop, int step)
    {
        Require.NotZero(step, op);
        int at = shape.Axis(axis, op);
        int n = shape[at];
        int first = Clamp(start ?? (step > 0 ? 0 : n - 1), n, step > 0 ? 0 : -1, step > 0 ? n : n - 1);
        int end = stop is null ? (step > 0 ? n : -1) : Clamp(stop.Value, n, step > 0 ? 0 : -1, step > 0 ? n : n - 1);
        int count = (int)Math.Max(0, step > 0 ? ((long)end - first + step - 1) / step : ((long)first - end - step - 1) / -(long)step);
        int[] starts = new int[shape.Rank];
        int[] steps = Ones1(shape.Rank);
        int[] counts = shape.ToArray();
        (starts[at], steps[at], counts[at]) = (first, step, count);
        return new SliceAttributes(new IntList(starts), new IntList(counts), new IntList(steps), shape);

        static int Clamp(int position, int n, int low, int high) => Math.Clamp(position < 0 ? position + n : position, low, high);
    }

    /// <summary>Reverses an axis.</summary>
    public static NDArray Flip(this NDArray x, int axis) => Slice(x, Checked(x).Shape.Axis(axis, "Flip"), null, null, -1);

    /// <summary>Moves elements along an axis by <paramref name="shift"/>; what leaves one end enters at the other.</summary>
    public static NDArray Roll(this NDArray x, int shift, int axis)
    {
        ArgumentNullException.ThrowIfNull(x);
        int at = x.Shape.Axis(axis, "Roll"), n = x.Shape[at];
        int by = n == 0 ? 0 : shift % n;
        if (by < 0) by += n;
        return OpTable.Roll.Apply(x, new RollAttributes(at, by));
    }

    /// <summary>Moves elements along several axes, along each by its shift; an axis that is given twice is moved by the sum.</summary>
    /// <remarks><c>mx.np.roll</c>, <c>np.roll</c>, <c>torch.roll</c> with tuples.</remarks>
    /// <exception cref="ShapeException">There are not as many shifts as axes.</exception>
    public static NDArray Roll(this NDArray x, int[] shifts, int[] axes)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(shifts);
        ArgumentNullException.ThrowIfNull(axes);
        if (shifts.Length != axes.Length) throw new ShapeException($"Roll: {shifts.Length} shifts for {axes.Length} axes of {x.Shape}; give one shift per axis.");
        foreach (int axis in axes) _ = x.Shape.Axis(axis, "Roll", nameof(axes));
        NDArray y = x;
        for (int i = 0; i < axes.Length; i++) y = Roll(y, shifts[i], axes[i]);
        return axes.Length == 0 ? x.Alias() : y;
    }

    /// <summary>Moves elements of the flattened array by <paramref name="shift"/>; the shape stays.</summary>
    /// <remarks><c>mx.np.roll</c>, <c>np.roll</c>, <c>torch.roll</c> without an axis.</remarks>
    public static NDArray Roll(this NDArray x, int shift) => Reshape(Roll(OneAxis("Roll", Checked(x)), shift, 0), x.Shape);

    /// <summary>Repeats each element <paramref name="count"/> times along an axis.</summary>
    public static NDArray Repeat(this NDArray x, int count, int axis)
    {
        ArgumentNullException.ThrowIfNull(x);
        Require.NotNegative(count);
        int at = x.Shape.Axis(axis, "Repeat");
        ReadOnlySpan<int> sizes = x.Shape.Dimensions;
        Shape stretched = Shape.Create([.. sizes[..(at + 1)], count, .. sizes[(at + 1)..]]);
        return Reshape(BroadcastTo(ExpandDims(x, at + 1), stretched), Shape.Create([.. sizes[..at], Errors.Extent("Repeat", (long)sizes[at] * count), .. sizes[(at + 1)..]]));
    }

    /// <summary>Repeats the whole array along each axis.</summary>
    public static NDArray Tile(this NDArray x, params int[] counts)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(counts);
        int rank = Math.Max(x.Rank, counts.Length);
        int[] sizes = [.. Ones1(rank - x.Rank), .. x.Shape.Dimensions];
        int[] repeats = [.. Ones1(rank - counts.Length), .. counts];
        int[] split = new int[2 * rank];
        int[] stretched = new int[2 * rank];
        int[] joined = new int[rank];
        for (int i = 0; i < rank; i++)
        {
            Require.NotNegative(repeats[i], argument: nameof(counts));
            (split[2 * i], split[2 * i + 1]) = (1, sizes[i]);
            (stretched[2 * i], stretched[2 * i + 1]) = (repeats[i], sizes[i]);
            joined[i] = Errors.Extent("Tile", (long)sizes[i] * repeats[i]);
        }

        return Reshape(BroadcastTo(Reshape(x, split), stretched), joined);
    }

    /// <summary>Surrounds the array with a constant: (before, after) per axis.</summary>
    public static NDArray Pad(this NDArray x, (int Before, int After)[] widths, double value = 0)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(widths);
        if (widths.Length != x.Rank) throw new ShapeException($"Pad: {widths.Length} pairs of widths for the shape {x.Shape}; give one per axis.");
        int[] starts = new int[x.Rank];
        int[] full = new int[x.Rank];
        for (int i = 0; i < x.Rank; i++)
        {
            if (widths[i].Before < 0 || widths[i].After < 0) throw new ShapeException($"Pad: negative width at axis {i}. Slice the array to make it smaller.");
            starts[i] = widths[i].Before;
            full[i] = Errors.Extent("Pad", (long)widths[i].Before + x.Shape[i] + widths[i].After);
        }

        SliceAttributes place = new(new IntList(starts), new IntList(x.Shape.ToArray()), new IntList(Ones1(x.Rank)), full);
        if (value == 0 && !double.IsNegative(value)) return OpTable.Unslice.Apply(x, place);
        DType dtype = Elements.WeakType(x.DType, value);
        return OpTable.Pad.Apply(Elements.To(x, dtype), new PadAttributes(place, value));
    }

    /// <summary>The same value without history: gradients stop here. While recording it is an operator whose gradient is 0, otherwise what <see cref="NDArray.Detach"/> gives.</summary>
    public static NDArray StopGradient(this NDArray x)
    {
        ArgumentNullException.ThrowIfNull(x);
        NDArray result = x.Detach();
        if (Autograd.IsRecording) result.ClearSource();
        return result;
    }
}
