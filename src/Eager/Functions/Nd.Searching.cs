namespace Fusion;

// Sets, positions in sorted arrays, comparison of whole arrays.
public static partial class Nd
{
    /// <summary>
    /// Where each value would be inserted into an ascending array of rank 1 to keep it sorted, Int64: before equal elements, or behind them with
    /// <paramref name="right"/>. NaN counts as the largest number.
    /// </summary>
    /// <exception cref="ShapeException">The first array does not have rank 1.</exception>
    public static NDArray SearchSorted(this NDArray sorted, NDArray values, bool right = false)
    {
        DType dtype = Elements.NumberType(DTypes.Promote(Checked(sorted).DType, Checked(values).DType));
        return OpTable.SearchSorted.Apply(Elements.To(sorted, dtype), Elements.To(values, dtype), right);
    }

    /// <summary>
    /// The piecewise linear function through the points (positions, heights) at x; constant beyond the ends. The positions ascend; at equal ones, a step, the last
    /// height counts. NaN where x is. Gradients go to x, the heights and the positions.
    /// </summary>
    /// <exception cref="ShapeException">Positions and heights are not of one rank-1 shape, or there are none.</exception>
    public static NDArray Interp(this NDArray x, NDArray positions, NDArray heights)
    {
        DType dtype = DTypes.Promote(Checked(x).DType, DTypes.Promote(Checked(positions).DType, Checked(heights).DType));
        if (dtype.IsHalf) return Interp(Elements.Wide(x), Elements.Wide(positions), Elements.Wide(heights)).AsType(dtype);
        NDArray at = RealInput(positions), value = RealInput(heights);
        if (at.Rank != 1 || at.Shape != value.Shape || at.Shape[0] == 0)
            throw new ShapeException($"Interp: positions {at.Shape} and heights {value.Shape} must be of one shape (n,) with n > 0.");
        NDArray real = RealInput(x);
        if (at.Shape[0] == 1) return Where(IsNaN(real), real, Reshape(value, []));
        NDArray inside = Maximum(Minimum(real, Reshape(Slice(at, 0, -1, null), [])), Reshape(Slice(at, 0, 0, 1), []));
        NDArray left = Clip(SearchSorted(at.Detach(), inside.Detach(), right: true) - 1, 0, at.Shape[0] - 2);
        NDArray start = Take(at, left), width = Take(at, left + 1) - start, step = Equal(width, 0);
        return Where(IsNaN(inside), inside, Lerp(Take(value, left), Take(value, left + 1), Where(step, 1, (inside - start) / Where(step, 1, width))));
    }

    /// <summary>The distinct elements in ascending order. Reads the values.</summary>
    public static NDArray Unique(this NDArray x) => Checked(x).IsOnGpu
        ? Unique(x.To(Device.Cpu)).To(x.Device)
        : Searching.Distinct(OneAxis("Unique", x), null).Values;

    /// <summary>
    /// The distinct elements in ascending order, for each element of x the position of its value (of x's shape, Int64), and how often each occurs (Int64).
    /// Every NaN is equal to every other. Reads the values.
    /// </summary>
    public static (NDArray Values, NDArray Inverse, NDArray Counts) UniqueWithCounts(this NDArray x)
    {
        if (Checked(x).IsOnGpu)
        {
            (NDArray distinct, NDArray places, NDArray often) = UniqueWithCounts(x.To(Device.Cpu));
            return (distinct.To(x.Device), places.To(x.Device), often.To(x.Device));
        }

        NDArray inverse = NDArray.Allocate(DType.Int64, x.Shape);
        (NDArray values, NDArray counts) = Searching.Distinct(OneAxis("UniqueWithCounts", x), inverse);
        return (values, inverse, counts);
    }

    /// <summary>|x − y| ≤ absolute + relative·|y|, as Bool; infinities are close to themselves, and NaN to NaN if asked.</summary>
    public static NDArray IsClose(this NDArray x, NDArray y, double relative = 1e-5, double absolute = 1e-8, bool equalNaN = false)
    {
        _ = Broadcasting.Infer("IsClose", Checked(x).Shape, Checked(y).Shape);
        using Temporaries made = Temporaries.Collect();
        (NDArray a, NDArray b) = (Exact(x), Exact(y));
        NDArray near = LogicalAnd(Abs(a - b) <= Abs(b) * relative + absolute, IsFinite(b));
        NDArray close = LogicalOr(near, Equal(a, b));
        return made.Keep(equalNaN ? LogicalOr(close, LogicalAnd(IsNaN(a), IsNaN(b))) : close);
        // Not every Int32 is a Float32.
        static NDArray Exact(NDArray x) => x.DType.IsFloat ? Elements.Wide(x) : x.AsType(DType.Float64);
    }

    /// <summary>Whether all elements are close, see <see cref="IsClose"/>. Reads the values.</summary>
    public static bool AllClose(this NDArray x, NDArray y, double relative = 1e-5, double absolute = 1e-8, bool equalNaN = false)
    {
        _ = Broadcasting.Infer("AllClose", Checked(x).Shape, Checked(y).Shape);
        return All(IsClose(x, y, relative, absolute, equalNaN)).Item<bool>();
    }

    /// <summary>Whether shapes and all elements are equal. Reads the values.</summary>
    public static bool ArrayEqual(this NDArray x, NDArray y) => Checked(x).Shape == Checked(y).Shape && All(Equal(x, y)).Item<bool>();
}
