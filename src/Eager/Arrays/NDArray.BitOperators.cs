namespace Fusion;

// The operators of C# on bits: of Bool arrays, what the comparisons give, they are logical. && and || would have to read the array and do not compile.
public sealed partial class NDArray
{
    /// <summary><c>x &amp; y</c>: <see cref="Nd.BitwiseAnd(NDArray, NDArray)"/>.</summary>
    public static NDArray operator &(NDArray x, NDArray y) => Nd.BitwiseAnd(x, y);

    /// <summary><c>x &amp; y</c>: <see cref="Nd.BitwiseAnd(NDArray, long)"/>.</summary>
    public static NDArray operator &(NDArray x, long y) => Nd.BitwiseAnd(x, y);

    /// <summary><c>x &amp; y</c>: <see cref="Nd.BitwiseAnd(NDArray, long)"/>.</summary>
    public static NDArray operator &(long x, NDArray y) => Nd.BitwiseAnd(y, x);

    /// <summary><c>x | y</c>: <see cref="Nd.BitwiseOr(NDArray, NDArray)"/>.</summary>
    public static NDArray operator |(NDArray x, NDArray y) => Nd.BitwiseOr(x, y);

    /// <summary><c>x | y</c>: <see cref="Nd.BitwiseOr(NDArray, long)"/>.</summary>
    public static NDArray operator |(NDArray x, long y) => Nd.BitwiseOr(x, y);

    /// <summary><c>x | y</c>: <see cref="Nd.BitwiseOr(NDArray, long)"/>.</summary>
    public static NDArray operator |(long x, NDArray y) => Nd.BitwiseOr(y, x);

    /// <summary><c>x ^ y</c>: <see cref="Nd.BitwiseXor(NDArray, NDArray)"/>.</summary>
    public static NDArray operator ^(NDArray x, NDArray y) => Nd.BitwiseXor(x, y);

    /// <summary><c>x ^ y</c>: <see cref="Nd.BitwiseXor(NDArray, long)"/>.</summary>
    public static NDArray operator ^(NDArray x, long y) => Nd.BitwiseXor(x, y);

    /// <summary><c>x ^ y</c>: <see cref="Nd.BitwiseXor(NDArray, long)"/>.</summary>
    public static NDArray operator ^(long x, NDArray y) => Nd.BitwiseXor(y, x);

    /// <summary><c>~x</c>: <see cref="Nd.BitwiseNot(NDArray)"/>.</summary>
    public static NDArray operator ~(NDArray x) => Nd.BitwiseNot(x);

    /// <summary><c>!x</c>: <see cref="Nd.LogicalNot(NDArray)"/>.</summary>
    public static NDArray operator !(NDArray x) => Nd.LogicalNot(x);

    /// <summary><c>x &lt;&lt; y</c>: <see cref="Nd.ShiftLeft(NDArray, NDArray)"/>.</summary>
    public static NDArray operator <<(NDArray x, NDArray y) => Nd.ShiftLeft(x, y);

    /// <summary><c>x &lt;&lt; y</c>: <see cref="Nd.ShiftLeft(NDArray, int)"/>.</summary>
    public static NDArray operator <<(NDArray x, int y) => Nd.ShiftLeft(x, y);

    /// <summary><c>x &gt;&gt; y</c>: <see cref="Nd.ShiftRight(NDArray, NDArray)"/>.</summary>
    public static NDArray operator >>(NDArray x, NDArray y) => Nd.ShiftRight(x, y);

    /// <summary><c>x &gt;&gt; y</c>: <see cref="Nd.ShiftRight(NDArray, int)"/>.</summary>
    public static NDArray operator >>(NDArray x, int y) => Nd.ShiftRight(x, y);
}
