using Fusion.Kernels;

namespace Fusion;

// Arithmetic, comparison, selection. Conventions at kinks: abs'(0) = 0; maximum and minimum give ties to the first input.
internal static partial class OpTable
{
    public static readonly Op Add = Element(ElementOps.Add, Saved.None, c => c.G, c => c.G);

    public static readonly Op Subtract = Element(ElementOps.Subtract, Saved.None, c => c.G, c => -c.G);

    public static readonly Op Multiply = Element(ElementOps.Multiply, (Saved.Input1, c => c.G * c.Y), (Saved.Input0, c => c.G * c.X));

    public static readonly Op Divide = Element(ElementOps.Divide, (Saved.Input1, c => c.G / c.Y), (Saved.Input1 | Saved.Output, c => -(c.G * c.Output / c.Y)));

    public static readonly Op FloorDivide = Element(ElementOps.FloorDivide, Saved.None, null, null);

    public static readonly Op Mod = Element(ElementOps.Mod, (Saved.None, c => c.G), (Saved.Inputs, c => -(c.G * Nd.FloorDivide(c.X, c.Y))));

    public static readonly Op Pow = Element(ElementOps.Pow, (Saved.Inputs, PowBase), (Saved.Inputs | Saved.Output, PowExponent));

    public static readonly Op Maximum = Element(ElementOps.Maximum, Saved.Inputs, c => Nd.Where(c.X >= c.Y, c.G, 0), c => Nd.Where(c.X >= c.Y, 0, c.G));

    public static readonly Op Minimum = Element(ElementOps.Minimum, Saved.Inputs, c => Nd.Where(c.X <= c.Y, c.G, 0), c => Nd.Where(c.X <= c.Y, 0, c.G));

    public static readonly Op Negate = Element(ElementOps.Negate, Saved.None, c => -c.G);

    public static readonly Op Abs = Element(ElementOps.Abs, Saved.Input0, c => c.G * Nd.Sign(c.X));

    public static readonly Op Sign = Element(ElementOps.Sign, Saved.None, [null]);

    public static readonly Op Floor = Element(ElementOps.Floor, Saved.None, [null]);

    public static readonly Op Ceiling = Element(ElementOps.Ceiling, Saved.None, [null]);

    public static readonly Op Round = Element(ElementOps.Round, Saved.None, [null]);

    public static readonly Op Truncate = Element(ElementOps.Truncate, Saved.None, [null]);

    public static readonly Op Equal = Element(ElementOps.Equal, Saved.None, [null]);

    public static readonly Op NotEqual = Element(ElementOps.NotEqual, Saved.None, [null]);

    public static readonly Op Greater = Element(ElementOps.Greater, Saved.None, [null]);

    public static readonly Op GreaterOrEqual = Element(ElementOps.GreaterOrEqual, Saved.None, [null]);

    public static readonly Op Less = Element(ElementOps.Less, Saved.None, [null]);

    public static readonly Op LessOrEqual = Element(ElementOps.LessOrEqual, Saved.None, [null]);

    public static readonly Op IsNaN = Element(ElementOps.IsNaN, Saved.None, [null]);

    public static readonly Op IsFinite = Element(ElementOps.IsFinite, Saved.None, [null]);

    public static readonly Op IsInfinity = Element(ElementOps.IsInfinity, Saved.None, [null]);

    public static readonly Op LogicalAnd = Element(ElementOps.LogicalAnd, Saved.None, [null]);

    public static readonly Op LogicalOr = Element(ElementOps.LogicalOr, Saved.None, [null]);

    public static readonly Op LogicalXor = Element(ElementOps.LogicalXor, Saved.None, [null]);

    public static readonly Op LogicalNot = Element(ElementOps.LogicalNot, Saved.None, [null]);

    /// <summary>Selects gradients as it selects values: never a multiplication by 0, so a NaN of the other branch stays out.</summary>
    public static readonly Op Where = Element(ElementOps.Where, Saved.Input0, null, c => Nd.Where(c.X, c.G, 0), c => Nd.Where(c.X, 0, c.G));

    /// <summary>The gradient passes on the closed interval.</summary>
    public static readonly Op Clip = Element(ElementOps.Clip, Saved.Inputs, c => Nd.Where(Nd.LogicalAnd(c.X >= c.Y, c.X <= c.Z), c.G, 0), null, null);

    // 0·∞ must not appear where the derivative is 0: x⁰ is constant, and 0ʸ is constant for y > 0.
    private static NDArray PowBase(GradientContext c) => Nd.Where(Nd.Equal(c.Y, 0), 0, c.G * c.Y * Nd.Pow(c.X, c.Y - 1));

    private static NDArray PowExponent(GradientContext c) =>
        Nd.Where(Nd.LogicalAnd(Nd.Equal(c.X, 0), c.Y >= 0), 0, c.G * c.Output * Nd.Log(c.X));
}
