namespace Fusion;

// Polynomials, and integrals of samples.
public static partial class Nd
{
    /// <summary>The polynomial c₀·xⁿ⁻¹ + c₁·xⁿ⁻² + … + cₙ₋₁ of the coefficients (n), by Horner's scheme; of no coefficients 0. The result has x's shape.</summary>
    /// <remarks><c>mx.np.polyval</c>, <c>np.polyval</c>: the highest power comes first.</remarks>
    /// <exception cref="ShapeException">The coefficients do not have rank 1.</exception>
    public static NDArray PolyVal(this NDArray coefficients, NDArray x)
    {
        if (Checked(coefficients).Rank != 1) throw new ShapeException($"PolyVal: the coefficients {coefficients.Shape} must have rank 1. Reshape them.");
        DType dtype = Elements.NumberType(DTypes.Promote(coefficients.DType, Checked(x).DType));
        if (dtype.IsHalf) return PolyVal(Elements.Wide(coefficients), Elements.Wide(x)).AsType(dtype);
        (coefficients, x) = (Elements.To(coefficients, dtype), Elements.To(x, dtype));
        int n = coefficients.Shape[0];
        if (n == 0) return ZerosLike(x);
        using Temporaries made = Temporaries.Collect();
        NDArray y = BroadcastTo(coefficients[0], x.Shape);
        for (int i = 1; i < n; i++) y = y * x + coefficients[i];
        return made.Keep(y);
    }

    /// <summary>The powers of x (m) as columns, (m, n): xⁿ⁻¹, …, x, 1, or 1, x, …, xⁿ⁻¹ if <paramref name="increasing"/>; n is m by default.</summary>
    /// <remarks><c>np.vander</c>, <c>torch.linalg.vander</c> (increasing).</remarks>
    /// <exception cref="ShapeException">x does not have rank 1.</exception>
    /// <exception cref="ArgumentOutOfRangeException">n is negative.</exception>
    public static NDArray Vander(this NDArray x, int? n = null, bool increasing = false)
    {
        if (Checked(x).Rank != 1) throw new ShapeException($"Vander: {x.Shape} must have rank 1. Reshape it.");
        int count = n ?? x.Shape[0];
        Require.NotNegative(count, "Vander", nameof(n));
        DType dtype = Elements.NumberType(x.DType);
        if (dtype.IsHalf) return Vander(Elements.Wide(x), count, increasing).AsType(dtype);
        NDArray number = Elements.To(x, dtype);
        if (count == 0) return Reshape(Slice(number, 0, 0, 0), x.Shape[0] == 0 ? (0, 0) : (x.Shape[0], 0));
        NDArray[] powers = Errors.Numbers<NDArray>(count);
        powers[0] = OnesLike(number);
        for (int i = 1; i < count; i++) powers[i] = i == 1 ? number : powers[i - 1] * number;
        if (!increasing) System.Array.Reverse(powers);
        return Stack(powers, 1);
    }

    /// <summary>Σ (x[i + 1] − x[i])·(y[i] + y[i + 1])/2 along an axis: the integral of the straight lines between samples at a distance.</summary>
    /// <param name="y">The samples.</param>
    /// <param name="dx">The distance of neighbours.</param>
    /// <param name="axis">The axis, which is left out of the result.</param>
    /// <remarks><c>np.trapezoid(y, dx=…)</c>, <c>torch.trapezoid</c>. Of one sample or none it is 0.</remarks>
    public static NDArray Trapezoid(this NDArray y, double dx = 1, int axis = -1)
    {
        int at = Checked(y).Shape.Axis(axis, "Trapezoid");
        if (y.DType.IsHalf) return Trapezoid(Elements.Wide(y), dx, at).AsType(y.DType);
        using Temporaries made = Temporaries.Collect();
        return made.Keep(Sum(Neighbours(RealInput(y), at), [at]) * (dx / 2));
    }

    /// <summary>The same of samples y at the places x: of y's shape, or (n), along the axis.</summary>
    /// <param name="y">The samples.</param>
    /// <param name="x">Where they were taken; gradients go to it, too.</param>
    /// <param name="axis">The axis, which is left out of the result.</param>
    /// <remarks><c>np.trapezoid(y, x)</c>, <c>torch.trapezoid</c>.</remarks>
    /// <exception cref="ShapeException">The places are neither of y's shape nor (n).</exception>
    public static NDArray Trapezoid(this NDArray y, NDArray x, int axis = -1)
    {
        int at = Checked(y).Shape.Axis(axis, "Trapezoid"), n = y.Shape[at];
        if (Checked(x).Shape != y.Shape && x.Shape != (Shape)n)
            throw new ShapeException($"Trapezoid: the places {x.Shape} must be of the shape of the samples, {y.Shape}, or ({n},) along axis {axis}. Reshape or BroadcastTo.");
        DType dtype = Elements.RealType(DTypes.Promote(y.DType, x.DType));
        if (dtype.IsHalf) return Trapezoid(Elements.Wide(y), Elements.Wide(x), at).AsType(dtype);
        using Temporaries made = Temporaries.Collect();
        (y, x) = (Elements.To(y, dtype), Elements.To(x, dtype));
        if (x.Rank < y.Rank) x = Reshape(x, Shape.Create([n, .. Ones1(y.Rank - 1 - at)]));
        int along = x.Rank - y.Rank + at;
        NDArray distances = Slice(x, along, 1, null) - Slice(x, along, 0, -1);
        return made.Keep(Sum(distances * Neighbours(y, at), [at]) / 2);
    }

    private static NDArray Neighbours(NDArray y, int axis) => Slice(y, axis, 1, null) + Slice(y, axis, 0, -1);
}
