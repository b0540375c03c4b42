namespace Fusion;

/// <summary>What surrounds an array that is padded.</summary>
public enum PadMode
{
    /// <summary>One value.</summary>
    Constant,

    /// <summary>The element at the edge.</summary>
    Edge,

    /// <summary>The array mirrored at the element of the edge: 3 2 | 1 2 3 | 2 1, and so on: 1 2 3 2 | 1 2 3 | 2 1 2 3.</summary>
    Reflect,

    /// <summary>The array mirrored behind the edge, again and again: 2 1 | 1 2 3 | 3 2.</summary>
    Symmetric,

    /// <summary>The array repeated: 2 3 | 1 2 3 | 1 2.</summary>
    Wrap,

    /// <summary>The largest element along the axis.</summary>
    Maximum,

    /// <summary>The smallest element along the axis.</summary>
    Minimum,
}

// Further rearrangements, made of views, joins and selections.
public static partial class Nd
{
    /// <summary>
    /// The coordinates of a grid as one array per axis. By default the first two axes are exchanged, as in NumPy (<c>xy</c>); else <c>ij</c>.
    /// </summary>
    /// <exception cref="ShapeException">An argument does not have rank 1.</exception>
    public static NDArray[] Meshgrid(IReadOnlyList<NDArray> axes, bool matrixIndexing = false)
    {
        ArgumentNullException.ThrowIfNull(axes);
        int[] sizes = new int[axes.Count];
        bool exchange = !matrixIndexing && axes.Count > 1;
        NDArray[] grid = new NDArray[axes.Count];
        int Place(int i) => exchange && i < 2 ? 1 - i : i;
        for (int i = 0; i < sizes.Length; i++)
        {
            if (Checked(axes[i], nameof(axes)).Rank != 1) throw new ShapeException($"Meshgrid: argument {i} is {axes[i].Shape}; each axis is an array of rank 1.");
            sizes[Place(i)] = axes[i].Shape[0];
        }

        for (int i = 0; i < grid.Length; i++)
        {
            int[] own = Ones1(sizes.Length);
            own[Place(i)] = axes[i].Shape[0];
            grid[i] = BroadcastTo(Reshape(axes[i], own), sizes);
        }

        return grid;
    }

    /// <summary>Cuts an axis into parts whose sizes differ by at most 1, larger ones first.</summary>
    public static NDArray[] ArraySplit(this NDArray x, int sections, int axis = 0)
    {
        Require.Positive(sections);
        int n = Checked(x).Shape[x.Shape.Axis(axis, "ArraySplit")];
        int[] positions = Errors.Numbers<int>(sections - 1);
        for (int i = 0; i < positions.Length; i++) positions[i] = (i + 1) * (n / sections) + Math.Min(i + 1, n % sections);
        return ArraySplit(x, positions, axis);
    }

    /// <summary>Cuts an axis before each of the given positions.</summary>
    public static NDArray[] ArraySplit(this NDArray x, int[] positions, int axis = 0)
    {
        ArgumentNullException.ThrowIfNull(positions);
        int at = Checked(x).Shape.Axis(axis, "ArraySplit");
        NDArray[] parts = new NDArray[positions.Length + 1];
        for (int i = 0; i < parts.Length; i++) parts[i] = Slice(x, at, i == 0 ? 0 : positions[i - 1], i < positions.Length ? positions[i] : null);
        return parts;
    }

    /// <summary>Rotates by k quarter turns in the plane of two axes, from the first towards the second.</summary>
    public static NDArray Rot90(this NDArray x, int k = 1, int axis1 = 0, int axis2 = 1)
    {
        int a = Checked(x).Shape.Axis(axis1, "Rot90", nameof(axis1)), b = x.Shape.Axis(axis2, "Rot90", nameof(axis2));
        if (a == b) throw new ShapeException($"Rot90: the axes {axis1} and {axis2} of {x.Shape} are one.");
        int turns = (k % 4 + 4) % 4;
        return turns switch
        {
            0 => x.Alias(),
            1 => SwapAxes(Flip(x, b), a, b),
            2 => Flip(Flip(x, a), b),
            _ => Flip(SwapAxes(x, a, b), b),
        };
    }

    /// <summary>Moves one axis to another place; the others keep their order.</summary>
    public static NDArray MoveAxis(this NDArray x, int source, int destination)
    {
        int from = Checked(x).Shape.Axis(source, "MoveAxis", nameof(source)), to = x.Shape.Axis(destination, "MoveAxis", nameof(destination));
        List<int> order = [.. Enumerable.Range(0, x.Rank)];
        order.RemoveAt(from);
        order.Insert(to, from);
        return Transpose(x, [.. order]);
    }

    /// <summary>Surrounds the array: (before, after) per axis. What repeats or mirrors the array does so as often as the widths ask for, as in NumPy.</summary>
    /// <exception cref="ShapeException">Another number of pairs than axes, a negative width, or an axis without an element to repeat.</exception>
    public static NDArray Pad(this NDArray x, (int Before, int After)[] widths, PadMode mode)
    {
        Require.Member(mode);
        if (mode == PadMode.Constant) return Pad(x, widths);
        ArgumentNullException.ThrowIfNull(widths);
        if (widths.Length != Checked(x).Rank) throw new ShapeException($"Pad: {widths.Length} pairs of widths for the shape {x.Shape}; give one per axis.");
        NDArray padded = x;
        for (int axis = 0; axis < widths.Length; axis++)
        {
            (int before, int after) = widths[axis];
            int n = x.Shape[axis];
            if (before < 0 || after < 0) throw new ShapeException($"Pad: the widths ({before}, {after}) of axis {axis} of {x.Shape} must not be negative. Slice removes elements.");
            if ((before, after) == (0, 0)) continue;
            if (n == 0) throw new ShapeException($"Pad: axis {axis} of {x.Shape} has no element for the mode {mode}. Pad with a value.");
            int size = Errors.Extent("Pad", (long)before + n + after);
            if (mode is PadMode.Maximum or PadMode.Minimum)
            {
                NDArray line = Elements.To(mode == PadMode.Maximum ? Max(padded, [axis], true) : Min(padded, [axis], true), x.DType);
                padded = Concat([Stretch(line, axis, before), padded, Stretch(line, axis, after)], axis);
                continue;
            }

            if (mode != PadMode.Edge && Math.Max(before, after) > (mode == PadMode.Reflect ? n - 1 : n))
            {
                padded = Take(padded, Array(Repeats(n, before, size, mode)).To(x.Device), axis);
                continue;
            }

            List<NDArray> parts = [padded];
            if (before > 0) parts.Insert(0, Before(padded, axis, n, before, mode));
            if (after > 0) parts.Add(After(padded, axis, n, after, mode));
            padded = Concat([.. parts], axis);
        }

        return ReferenceEquals(padded, x) ? x.Alias() : padded;

        // Which elements an axis of n consists of afterwards, where they come more than twice: they have a period.
        static int[] Repeats(int n, int before, int size, PadMode mode)
        {
            long period = mode switch { PadMode.Wrap => n, PadMode.Symmetric => 2L * n, _ => Math.Max(1, 2L * (n - 1)) };
            int[] places = new int[size];
            for (int i = 0; i < size; i++)
            {
                long place = ((i - (long)before) % period + period) % period;
                places[i] = (int)(place < n ? place : mode == PadMode.Symmetric ? period - 1 - place : period - place);
            }

            return places;
        }

        // The edges are views, too.
        static NDArray Before(NDArray x, int axis, int n, int count, PadMode mode) => mode switch
        {
            PadMode.Edge => Stretch(Slice(x, axis, 0, 1), axis, count),
            PadMode.Wrap => Slice(x, axis, n - count, n),
            PadMode.Symmetric => Slice(x, axis, count - 1, null, -1),
            _ => Slice(x, axis, count, 0, -1),
        };

        static NDArray After(NDArray x, int axis, int n, int count, PadMode mode) => mode switch
        {
            PadMode.Edge => Stretch(Slice(x, axis, n - 1, n), axis, count),
            PadMode.Wrap => Slice(x, axis, 0, count),
            PadMode.Symmetric => Slice(x, axis, n - 1, Down(n - 1 - count), -1),
            _ => Slice(x, axis, n - 2, Down(n - 2 - count), -1),
        };

        // Where a slice that runs backwards ends; before the first element there is no number for it.
        static int? Down(int stop) => stop < 0 ? null : stop;

        static NDArray Stretch(NDArray line, int axis, int count)
        {
            int[] sizes = line.Shape.ToArray();
            sizes[axis] = count;
            return BroadcastTo(line, sizes);
        }
    }

    /// <summary>Blocks of pixels become channels: (n, c, h, w) to (n, c·b², h/b, w/b), the position in the block before the channel.</summary>
    /// <exception cref="ShapeException">The rank is not 4, or height or width are no multiples of the block.</exception>
    public static NDArray SpaceToDepth(this NDArray x, int block)
    {
        Require.Positive(block);
        (int n, int c, int h, int w) = Image(x, "SpaceToDepth");
        if (h % block != 0 || w % block != 0) throw new ShapeException($"SpaceToDepth: height and width of {x.Shape} are not multiples of {block}.");
        NDArray cut = Reshape(x, n, c, h / block, block, w / block, block);
        return Reshape(Transpose(cut, 0, 3, 5, 1, 2, 4), n, Errors.Extent("SpaceToDepth", (Int128)c * block * block), h / block, w / block);
    }

    /// <summary>The inverse of <see cref="SpaceToDepth"/>: (n, c·b², h, w) to (n, c, h·b, w·b).</summary>
    /// <exception cref="ShapeException">The rank is not 4, or the channels are no multiple of the block's size.</exception>
    public static NDArray DepthToSpace(this NDArray x, int block)
    {
        Require.Positive(block);
        (int n, int c, int h, int w) = Image(x, "DepthToSpace");
        long area = (long)block * block;
        if (c % area != 0) throw new ShapeException($"DepthToSpace: the channels of {x.Shape} are no multiple of {block}² = {area}.");
        (int depth, int height, int width) = ((int)(c / area), Errors.Extent("DepthToSpace", (long)h * block), Errors.Extent("DepthToSpace", (long)w * block));
        return Reshape(Transpose(Reshape(x, n, block, block, depth, h, w), 0, 3, 4, 1, 5, 2), n, depth, height, width);
    }

    /// <summary>One value everywhere, of the shape and type of <paramref name="x"/>.</summary>
    public static NDArray FullLike(this NDArray x, double value) => RecordedLike(Full(Checked(x).Shape, value, x.DType, x.Device));

    private static (int N, int C, int H, int W) Image(NDArray x, string op)
    {
        if (Checked(x).Rank != 4) throw new ShapeException($"{op}: {x.Shape} is not (n, channels, height, width).");
        return (x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]);
    }
}
