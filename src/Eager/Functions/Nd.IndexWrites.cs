namespace Fusion;

/// <summary>How values that meet at one place are joined, together with what was there.</summary>
public enum ScatterReduction
{
    /// <summary>Their sum.</summary>
    Sum,

    /// <summary>Their mean.</summary>
    Mean,

    /// <summary>The largest.</summary>
    Max,

    /// <summary>The smallest.</summary>
    Min,
}

// New arrays with some elements replaced, added to or joined: writes that gradients flow through.
public static partial class Nd
{
    /// <summary>x with values added to its slices at the indices along an axis; an index may occur several times.</summary>
    /// <param name="x">The array.</param>
    /// <param name="indices">(k), Int32 or Int64; negative ones count from the end.</param>
    /// <param name="values">Of x's shape, except k along the axis.</param>
    /// <param name="axis">The axis.</param>
    /// <exception cref="ShapeException">The values have another shape.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside the axis.</exception>
    public static NDArray IndexAdd(this NDArray x, NDArray indices, NDArray values, int axis = 0)
    {
        int at = CheckWrite("IndexAdd", x, indices, values, axis);
        return IndexAddFor("IndexAdd", x, indices, values, at);
    }

    private static NDArray IndexAddFor(string op, NDArray x, NDArray indices, NDArray values, int axis)
    {
        DType dtype = Elements.NumberType(DTypes.Promote(x.DType, values.DType));
        return OpTable.IndexAdd.Apply([Elements.To(x, dtype), indices, Elements.To(values, dtype)], new TakeAttributes(axis, x.Shape, op));
    }

    /// <summary>x with its slices at the indices along an axis replaced; where an index occurs several times the last value stays.</summary>
    /// <exception cref="ShapeException">The values have another shape.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside the axis.</exception>
    public static NDArray IndexUpdate(this NDArray x, NDArray indices, NDArray values, int axis = 0)
    {
        int at = CheckWrite("IndexUpdate", x, indices, values, axis);
        DType dtype = DTypes.Promote(x.DType, values.DType);
        return OpTable.IndexUpdate.Apply([Elements.To(x, dtype), indices, Elements.To(values, dtype)], new TakeAttributes(at, x.Shape));
    }

    /// <summary>
    /// x with values joined to its slices at the indices along an axis; the gradient of a largest or smallest value is shared equally among ties.
    /// </summary>
    /// <exception cref="ShapeException">The values have another shape.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside the axis.</exception>
    public static NDArray IndexReduce(this NDArray x, NDArray indices, NDArray values, ScatterReduction reduction, int axis = 0)
    {
        int at = CheckWrite("IndexReduce", x, indices, values, axis);
        Require.Member(reduction);
        switch (reduction)
        {
            case ScatterReduction.Sum: return IndexAddFor("IndexReduce", x, indices, values, at);
            case ScatterReduction.Mean when DTypes.Promote(x.DType, values.DType) is { IsHalf: true } half:
                return IndexReduce(Elements.Wide(x), indices, Elements.Wide(values), reduction, axis).AsType(half);
            case ScatterReduction.Mean:
                NDArray count = OpTable.TakeGradient.Apply(Ones(indices.Shape, DType.Int64, indices.Device), indices, new TakeAttributes(0, x.Shape[at], "IndexReduce"));
                return IndexAddFor("IndexReduce", x, indices, values, at) / AlongAxisOf(count + 1, x.Shape, at).AsType(Elements.RealType(x.DType));
            default:
                DType dtype = DTypes.Promote(x.DType, values.DType);
                ExtremumAttributes attributes = new(at, reduction == ScatterReduction.Max);
                return OpTable.IndexExtremum.Apply([Elements.To(x, dtype), indices, Elements.To(values, dtype)], attributes);
        }
    }

    /// <summary>x with values[i…] added at [indices[0, i…], …, indices[m − 1, i…]], as <see cref="Gather"/> reads.</summary>
    /// <exception cref="ShapeException">The values do not have the shape that gathering would give.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside its axis.</exception>
    public static NDArray ScatterAdd(this NDArray x, NDArray indices, NDArray values)
    {
        Indexing.CheckAdded("ScatterAdd", Elements.NumberType(DTypes.Promote(Checked(x).DType, Checked(values).DType)));
        (NDArray flat, NDArray positions, NDArray lines) = Scattered("ScatterAdd", x, indices, values);
        return Reshape(IndexAddFor("ScatterAdd", flat, positions, lines, 0), x.Shape);
    }

    /// <summary>x with [indices[0, i…], …, indices[m − 1, i…]] replaced by values[i…]; where a place occurs several times the last value stays.</summary>
    /// <exception cref="ShapeException">The values do not have the shape that gathering would give.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside its axis.</exception>
    public static NDArray ScatterUpdate(this NDArray x, NDArray indices, NDArray values)
    {
        (NDArray flat, NDArray positions, NDArray lines) = Scattered("ScatterUpdate", x, indices, values);
        return Reshape(IndexUpdate(flat, positions, lines), x.Shape);
    }

    /// <summary>x with a value where the mask, which broadcasts to x, is true.</summary>
    public static NDArray MaskedFill(this NDArray x, NDArray mask, double value)
    {
        _ = Broadcasting.Infer("MaskedFill", Checked(x).Shape, Checked(mask).Shape);
        return Where(mask, value, x);
    }

    /// <summary>
    /// x with the elements where the mask, of x's shape, is true replaced by values, in row-major order; values that are left over are not used.
    /// </summary>
    /// <exception cref="ShapeException">The mask has another shape, or the values are not of rank 1.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer values than elements to replace.</exception>
    public static NDArray MaskedAssign(this NDArray x, NDArray mask, NDArray values)
    {
        (Shape shape, Shape given) = (Checked(x).Shape, Checked(values).Shape);
        if (Checked(mask).Shape != shape || given.Rank != 1)
            throw new ShapeException($"MaskedAssign: the mask {mask.Shape} must have x's shape {x.Shape}, and the values {values.Shape} rank 1.");
        if (x.Size == 0) return x.Alias();
        NDArray set = Elements.To(mask, DType.Bool);
        if (values.Shape[0] == 0) return BooleanMask(OneAxis("MaskedAssign", x), OneAxis("MaskedAssign", set)).Size == 0 ? x.Alias() : throw TooFew();
        using Temporaries made = Temporaries.Collect();

        // Before the first true element the order is −1, which is a place, too; what is taken there is not used.
        NDArray order = Reshape(CumSum(set) - 1, x.Shape);
        return made.Keep(Where(set, OpTable.Take.Apply(values, order, new TakeAttributes(0, values.Shape, "MaskedAssign", nameof(values))), x));

        static ArgumentOutOfRangeException TooFew() => new(nameof(values), "MaskedAssign: there are no values for the elements to replace.");
    }

    private static int CheckWrite(string op, NDArray x, NDArray indices, NDArray values, int axis)
    {
        int at = Checked(x).Shape.Axis(axis, op);
        Indexing.CheckIndexType(op, Checked(indices).DType);
        if (indices.Rank != 1) throw new ShapeException($"{op}: the indices {indices.Shape} must have rank 1.");
        int[] expected = x.Shape.ToArray();
        expected[at] = indices.Shape[0];
        if (Checked(values).Shape != expected)
            throw new ShapeException(
                $"{op}: {indices.Shape[0]} indices into axis {at} of {x.Shape} need values of shape {(Shape)expected}, not {values.Shape}.");
        return at;
    }

    // The indexed axes as one, where on it the indices point, and the values one after the other.
    private static (NDArray Flat, NDArray Positions, NDArray Lines) Scattered(string op, NDArray x, NDArray indices, NDArray values)
    {
        Indexing.CheckScattered(op, Checked(indices), Checked(x).Shape, Checked(values));
        NDArray positions = OpTable.RavelIndex.Apply(indices, new RavelAttributes(x.Shape, op));
        NDArray flat = Reshape(x, JoinAxes(op, x.Shape, indices.Shape[0]));
        return (flat, Reshape(positions, -1), Reshape(values, Shape.Create([(int)positions.Size, .. flat.Shape.Dimensions[1..]])));
    }

    /// <summary>Something for every position of an axis, in a shape that broadcasts along it.</summary>
    internal static NDArray AlongAxisOf(NDArray line, Shape shape, int axis)
    {
        int[] sizes = Ones1(shape.Rank);
        sizes[axis] = shape.Dimensions[axis];
        return Reshape(line, sizes);
    }
}
