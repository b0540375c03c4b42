namespace Fusion;

// Two arrays broadcast as in NumPy and are promoted to a common type; a C# number is weak: it takes the array's type when its value fits.
public static partial class Nd
{
    /// <summary>x + y.</summary>
    public static NDArray Add(this NDArray x, NDArray y) => Elements.Number(OpTable.Add, x, y);

    /// <summary>x + y.</summary>
    public static NDArray Add(this NDArray x, double y) => Elements.Number(OpTable.Add, x, y);

    /// <summary>x + y.</summary>
    public static NDArray Add(double x, NDArray y) => Elements.Number(OpTable.Add, x, y);

    /// <summary>x − y.</summary>
    public static NDArray Subtract(this NDArray x, NDArray y) => Elements.Number(OpTable.Subtract, x, y);

    /// <summary>x − y.</summary>
    public static NDArray Subtract(this NDArray x, double y) => Elements.Number(OpTable.Subtract, x, y);

    /// <summary>x − y.</summary>
    public static NDArray Subtract(double x, NDArray y) => Elements.Number(OpTable.Subtract, x, y);

    /// <summary>x · y.</summary>
    public static NDArray Multiply(this NDArray x, NDArray y) => Elements.Number(OpTable.Multiply, x, y);

    /// <summary>x · y.</summary>
    public static NDArray Multiply(this NDArray x, double y) => Elements.Number(OpTable.Multiply, x, y);

    /// <summary>x · y.</summary>
    public static NDArray Multiply(double x, NDArray y) => Elements.Number(OpTable.Multiply, x, y);

    /// <summary>x / y; integers give Float32.</summary>
    public static NDArray Divide(this NDArray x, NDArray y) => Elements.Real(OpTable.Divide, x, y);

    /// <summary>x / y; integers give Float32.</summary>
    public static NDArray Divide(this NDArray x, double y) => Elements.Real(OpTable.Divide, x, y);

    /// <summary>x / y; integers give Float32.</summary>
    public static NDArray Divide(double x, NDArray y) => Elements.Real(OpTable.Divide, x, y);

    /// <summary>⌊x / y⌋; integers stay integers.</summary>
    public static NDArray FloorDivide(this NDArray x, NDArray y) => Elements.Number(OpTable.FloorDivide, x, y);

    /// <summary>⌊x / y⌋; integers stay integers.</summary>
    public static NDArray FloorDivide(this NDArray x, double y) => Elements.Number(OpTable.FloorDivide, x, y);

    /// <summary>⌊x / y⌋; integers stay integers.</summary>
    public static NDArray FloorDivide(double x, NDArray y) => Elements.Number(OpTable.FloorDivide, x, y);

    /// <summary>x − y·⌊x / y⌋: the sign is the divisor's.</summary>
    public static NDArray Mod(this NDArray x, NDArray y) => Elements.Number(OpTable.Mod, x, y);

    /// <summary>x − y·⌊x / y⌋: the sign is the divisor's.</summary>
    public static NDArray Mod(this NDArray x, double y) => Elements.Number(OpTable.Mod, x, y);

    /// <summary>x − y·⌊x / y⌋: the sign is the divisor's.</summary>
    public static NDArray Mod(double x, NDArray y) => Elements.Number(OpTable.Mod, x, y);

    /// <summary>xʸ with the special cases of IEEE 754; integers give Float32.</summary>
    public static NDArray Pow(this NDArray x, NDArray y) => Elements.Real(OpTable.Pow, x, y);

    /// <summary>xʸ with the special cases of IEEE 754; integers give Float32. The exponents 2, 3 and −1 are products and a quotient.</summary>
    public static NDArray Pow(this NDArray x, double y) => y switch
    {
        // At most two roundings: closer to the exact power than the general formula, and the same at NaN, infinities and zeros.
        2 => Elements.Real(OpTable.Square, x),
        3 => Elements.Real(OpTable.Cube, x),
        -1 => Elements.Real(OpTable.Reciprocal, x),
        _ => Elements.Real(OpTable.Pow, x, y),
    };

    /// <summary>xʸ with the special cases of IEEE 754; integers give Float32.</summary>
    public static NDArray Pow(double x, NDArray y) => Elements.Real(OpTable.Pow, x, y);

    /// <summary>The larger; NaN if one is; ties give their gradient to x.</summary>
    public static NDArray Maximum(this NDArray x, NDArray y) => Elements.Number(OpTable.Maximum, x, y);

    /// <summary>The larger; NaN if one is; ties give their gradient to x.</summary>
    public static NDArray Maximum(this NDArray x, double y) => Elements.Number(OpTable.Maximum, x, y);

    /// <summary>The larger; NaN if one is; ties give their gradient to x.</summary>
    public static NDArray Maximum(double x, NDArray y) => Elements.Number(OpTable.Maximum, x, y);

    /// <summary>The smaller; NaN if one is; ties give their gradient to x.</summary>
    public static NDArray Minimum(this NDArray x, NDArray y) => Elements.Number(OpTable.Minimum, x, y);

    /// <summary>The smaller; NaN if one is; ties give their gradient to x.</summary>
    public static NDArray Minimum(this NDArray x, double y) => Elements.Number(OpTable.Minimum, x, y);

    /// <summary>The smaller; NaN if one is; ties give their gradient to x.</summary>
    public static NDArray Minimum(double x, NDArray y) => Elements.Number(OpTable.Minimum, x, y);

    /// <summary>x = y, as Bool.</summary>
    public static NDArray Equal(this NDArray x, NDArray y) => Elements.Number(OpTable.Equal, x, y);

    /// <summary>x = y, as Bool.</summary>
    public static NDArray Equal(this NDArray x, double y) => Elements.Number(OpTable.Equal, x, y);

    /// <summary>x = y, as Bool.</summary>
    public static NDArray Equal(double x, NDArray y) => Elements.Number(OpTable.Equal, x, y);

    /// <summary>x ≠ y, as Bool.</summary>
    public static NDArray NotEqual(this NDArray x, NDArray y) => Elements.Number(OpTable.NotEqual, x, y);

    /// <summary>x ≠ y, as Bool.</summary>
    public static NDArray NotEqual(this NDArray x, double y) => Elements.Number(OpTable.NotEqual, x, y);

    /// <summary>x ≠ y, as Bool.</summary>
    public static NDArray NotEqual(double x, NDArray y) => Elements.Number(OpTable.NotEqual, x, y);

    /// <summary>x &gt; y, as Bool.</summary>
    public static NDArray Greater(this NDArray x, NDArray y) => Elements.Number(OpTable.Greater, x, y);

    /// <summary>x &gt; y, as Bool.</summary>
    public static NDArray Greater(this NDArray x, double y) => Elements.Number(OpTable.Greater, x, y);

    /// <summary>x &gt; y, as Bool.</summary>
    public static NDArray Greater(double x, NDArray y) => Elements.Number(OpTable.Greater, x, y);

    /// <summary>x ≥ y, as Bool.</summary>
    public static NDArray GreaterOrEqual(this NDArray x, NDArray y) => Elements.Number(OpTable.GreaterOrEqual, x, y);

    /// <summary>x ≥ y, as Bool.</summary>
    public static NDArray GreaterOrEqual(this NDArray x, double y) => Elements.Number(OpTable.GreaterOrEqual, x, y);

    /// <summary>x ≥ y, as Bool.</summary>
    public static NDArray GreaterOrEqual(double x, NDArray y) => Elements.Number(OpTable.GreaterOrEqual, x, y);

    /// <summary>x &lt; y, as Bool.</summary>
    public static NDArray Less(this NDArray x, NDArray y) => Elements.Number(OpTable.Less, x, y);

    /// <summary>x &lt; y, as Bool.</summary>
    public static NDArray Less(this NDArray x, double y) => Elements.Number(OpTable.Less, x, y);

    /// <summary>x &lt; y, as Bool.</summary>
    public static NDArray Less(double x, NDArray y) => Elements.Number(OpTable.Less, x, y);

    /// <summary>x ≤ y, as Bool.</summary>
    public static NDArray LessOrEqual(this NDArray x, NDArray y) => Elements.Number(OpTable.LessOrEqual, x, y);

    /// <summary>x ≤ y, as Bool.</summary>
    public static NDArray LessOrEqual(this NDArray x, double y) => Elements.Number(OpTable.LessOrEqual, x, y);

    /// <summary>x ≤ y, as Bool.</summary>
    public static NDArray LessOrEqual(double x, NDArray y) => Elements.Number(OpTable.LessOrEqual, x, y);

    /// <summary>Both are true (or ≠ 0), as Bool.</summary>
    public static NDArray LogicalAnd(this NDArray x, NDArray y) => Elements.Logical(OpTable.LogicalAnd, x, y);

    /// <summary>Both are true (or ≠ 0), as Bool.</summary>
    public static NDArray LogicalAnd(this NDArray x, double y) => Elements.Logical(OpTable.LogicalAnd, x, y);

    /// <summary>Both are true (or ≠ 0), as Bool.</summary>
    public static NDArray LogicalAnd(double x, NDArray y) => Elements.Logical(OpTable.LogicalAnd, y, x);

    /// <summary>One is true (or ≠ 0), as Bool.</summary>
    public static NDArray LogicalOr(this NDArray x, NDArray y) => Elements.Logical(OpTable.LogicalOr, x, y);

    /// <summary>One is true (or ≠ 0), as Bool.</summary>
    public static NDArray LogicalOr(this NDArray x, double y) => Elements.Logical(OpTable.LogicalOr, x, y);

    /// <summary>One is true (or ≠ 0), as Bool.</summary>
    public static NDArray LogicalOr(double x, NDArray y) => Elements.Logical(OpTable.LogicalOr, y, x);

    /// <summary>Exactly one is true (or ≠ 0), as Bool.</summary>
    public static NDArray LogicalXor(this NDArray x, NDArray y) => Elements.Logical(OpTable.LogicalXor, x, y);

    /// <summary>Exactly one is true (or ≠ 0), as Bool.</summary>
    public static NDArray LogicalXor(this NDArray x, double y) => Elements.Logical(OpTable.LogicalXor, x, y);

    /// <summary>Exactly one is true (or ≠ 0), as Bool.</summary>
    public static NDArray LogicalXor(double x, NDArray y) => Elements.Logical(OpTable.LogicalXor, y, x);
}
