namespace Fusion;

public sealed partial class NDArray
{
    /// <summary><c>x + y</c>: <see cref="Nd.Add(NDArray, NDArray)"/>.</summary>
    public static NDArray operator +(NDArray x, NDArray y) => Nd.Add(x, y);

    /// <summary><c>x + y</c>: <see cref="Nd.Add(NDArray, NDArray)"/>.</summary>
    public static NDArray operator +(NDArray x, double y) => Nd.Add(x, y);

    /// <summary><c>x + y</c>: <see cref="Nd.Add(NDArray, NDArray)"/>.</summary>
    public static NDArray operator +(double x, NDArray y) => Nd.Add(x, y);

    /// <summary><c>x - y</c>: <see cref="Nd.Subtract(NDArray, NDArray)"/>.</summary>
    public static NDArray operator -(NDArray x, NDArray y) => Nd.Subtract(x, y);

    /// <summary><c>x - y</c>: <see cref="Nd.Subtract(NDArray, NDArray)"/>.</summary>
    public static NDArray operator -(NDArray x, double y) => Nd.Subtract(x, y);

    /// <summary><c>x - y</c>: <see cref="Nd.Subtract(NDArray, NDArray)"/>.</summary>
    public static NDArray operator -(double x, NDArray y) => Nd.Subtract(x, y);

    /// <summary><c>x * y</c>: <see cref="Nd.Multiply(NDArray, NDArray)"/>.</summary>
    public static NDArray operator *(NDArray x, NDArray y) => Nd.Multiply(x, y);

    /// <summary><c>x * y</c>: <see cref="Nd.Multiply(NDArray, NDArray)"/>.</summary>
    public static NDArray operator *(NDArray x, double y) => Nd.Multiply(x, y);

    /// <summary><c>x * y</c>: <see cref="Nd.Multiply(NDArray, NDArray)"/>.</summary>
    public static NDArray operator *(double x, NDArray y) => Nd.Multiply(x, y);

    /// <summary><c>x / y</c>: <see cref="Nd.Divide(NDArray, NDArray)"/>.</summary>
    public static NDArray operator /(NDArray x, NDArray y) => Nd.Divide(x, y);

    /// <summary><c>x / y</c>: <see cref="Nd.Divide(NDArray, NDArray)"/>.</summary>
    public static NDArray operator /(NDArray x, double y) => Nd.Divide(x, y);

    /// <summary><c>x / y</c>: <see cref="Nd.Divide(NDArray, NDArray)"/>.</summary>
    public static NDArray operator /(double x, NDArray y) => Nd.Divide(x, y);

    /// <summary><c>x % y</c>: <see cref="Nd.Mod(NDArray, NDArray)"/>.</summary>
    public static NDArray operator %(NDArray x, NDArray y) => Nd.Mod(x, y);

    /// <summary><c>x % y</c>: <see cref="Nd.Mod(NDArray, NDArray)"/>.</summary>
    public static NDArray operator %(NDArray x, double y) => Nd.Mod(x, y);

    /// <summary><c>x % y</c>: <see cref="Nd.Mod(NDArray, NDArray)"/>.</summary>
    public static NDArray operator %(double x, NDArray y) => Nd.Mod(x, y);

    /// <summary><c>x &lt; y</c>: <see cref="Nd.Less(NDArray, NDArray)"/>.</summary>
    public static NDArray operator <(NDArray x, NDArray y) => Nd.Less(x, y);

    /// <summary><c>x &lt; y</c>: <see cref="Nd.Less(NDArray, NDArray)"/>.</summary>
    public static NDArray operator <(NDArray x, double y) => Nd.Less(x, y);

    /// <summary><c>x &lt; y</c>: <see cref="Nd.Less(NDArray, NDArray)"/>.</summary>
    public static NDArray operator <(double x, NDArray y) => Nd.Less(x, y);

    /// <summary><c>x &gt; y</c>: <see cref="Nd.Greater(NDArray, NDArray)"/>.</summary>
    public static NDArray operator >(NDArray x, NDArray y) => Nd.Greater(x, y);

    /// <summary><c>x &gt; y</c>: <see cref="Nd.Greater(NDArray, NDArray)"/>.</summary>
    public static NDArray operator >(NDArray x, double y) => Nd.Greater(x, y);

    /// <summary><c>x &gt; y</c>: <see cref="Nd.Greater(NDArray, NDArray)"/>.</summary>
    public static NDArray operator >(double x, NDArray y) => Nd.Greater(x, y);

    /// <summary><c>x &lt;= y</c>: <see cref="Nd.LessOrEqual(NDArray, NDArray)"/>.</summary>
    public static NDArray operator <=(NDArray x, NDArray y) => Nd.LessOrEqual(x, y);

    /// <summary><c>x &lt;= y</c>: <see cref="Nd.LessOrEqual(NDArray, NDArray)"/>.</summary>
    public static NDArray operator <=(NDArray x, double y) => Nd.LessOrEqual(x, y);

    /// <summary><c>x &lt;= y</c>: <see cref="Nd.LessOrEqual(NDArray, NDArray)"/>.</summary>
    public static NDArray operator <=(double x, NDArray y) => Nd.LessOrEqual(x, y);

    /// <summary><c>x &gt;= y</c>: <see cref="Nd.GreaterOrEqual(NDArray, NDArray)"/>.</summary>
    public static NDArray operator >=(NDArray x, NDArray y) => Nd.GreaterOrEqual(x, y);

    /// <summary><c>x &gt;= y</c>: <see cref="Nd.GreaterOrEqual(NDArray, NDArray)"/>.</summary>
    public static NDArray operator >=(NDArray x, double y) => Nd.GreaterOrEqual(x, y);

    /// <summary><c>x &gt;= y</c>: <see cref="Nd.GreaterOrEqual(NDArray, NDArray)"/>.</summary>
    public static NDArray operator >=(double x, NDArray y) => Nd.GreaterOrEqual(x, y);

    /// <summary><c>−x</c>: <see cref="Nd.Negate(NDArray)"/>.</summary>
    public static NDArray operator -(NDArray x) => Nd.Negate(x);
}
