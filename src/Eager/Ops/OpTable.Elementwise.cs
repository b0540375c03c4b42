using Fusion.Kernels;

namespace Fusion;

// Arithmetic, comparison, selection. Conventions at kinks: abs'(0) = 0; maximum and minimum give ties to the first input.
internal static partial class OpTable
{
    public static readonly Op Add = Element(ElementOps.Add, Saved.None, c => c.G, c => c.G).Named("add");

    public static readonly Op Subtract = Element(ElementOps.Subtract, Saved.None, c => c.G, c => -c.G).Named("subtract");

    public static readonly Op Multiply = Element(ElementOps.Multiply, (Saved.Input1, c => c.G * c.Y), (Saved.Input0, c => c.G * c.X)).Named("multiply");

    public static readonly Op Divide = Element(ElementOps.Divide, (Saved.Input1, c => c.G / c.Y), (Saved.Input1 | Saved.Output, c => -(c.G * c.Output / c.Y)))
        .Named("mx.np.true_divide, np.true_divide, torch.true_divide");

    public static readonly Op FloorDivide = Element(ElementOps.FloorDivide, Saved.None, null, null)
        .Named("mx.np.floor_divide, np.floor_divide, torch.floor_divide");

    public static readonly Op Mod = Element(ElementOps.Mod, (Saved.None, c => c.G), (Saved.Inputs, c => -(c.G * Nd.FloorDivide(c.X, c.Y))))
        .Named("mx.np.mod, np.mod, torch.remainder");

    public static readonly Op Pow = Element(ElementOps.Pow, (Saved.Inputs, PowBase), (Saved.Inputs | Saved.Output, PowExponent))
        .Named("mx.np.power, np.power, torch.pow");

    public static readonly Op Maximum = Element(ElementOps.Maximum, Saved.Inputs, c => Nd.Where(c.X >= c.Y, c.G, 0), c => Nd.Where(c.X >= c.Y, 0, c.G))
        .Named("maximum");

    public static readonly Op Minimum = Element(ElementOps.Minimum, Saved.Inputs, c => Nd.Where(c.X <= c.Y, c.G, 0), c => Nd.Where(c.X <= c.Y, 0, c.G))
        .Named("minimum");

    public static readonly Op Negate = Element(ElementOps.Negate, Saved.None, c => -c.G).Named("negative");

    public static readonly Op Abs = Element(ElementOps.Abs, Saved.Input0, c => c.G * Nd.Sign(c.X)).Named("abs");

    public static readonly Op Sign = Element(ElementOps.Sign, Saved.None, [null]).Named("sign");

    public static readonly Op Floor = Element(ElementOps.Floor, Saved.None, [null]).Named("floor");

    public static readonly Op Ceiling = Element(ElementOps.Ceiling, Saved.None, [null]).Named("ceil");

    public static readonly Op Round = Element(ElementOps.Round, Saved.None, [null]).Named("mx.np.rint, np.rint, torch.round");

    public static readonly Op Truncate = Element(ElementOps.Truncate, Saved.None, [null]).Named("mx.np.trunc, np.trunc, torch.trunc");

    /// <summary>The nearest Float16 as a Float32: what a graph makes of the conversion to Float16 and back between two operators.</summary>
    public static readonly Op RoundToFloat16 = Element(ElementOps.RoundToFloat16, Saved.None, [null]);

    /// <summary>The nearest BFloat16 as a Float32, in the same way.</summary>
    public static readonly Op RoundToBFloat16 = Element(ElementOps.RoundToBFloat16, Saved.None, [null]);

    public static readonly Op Equal = Element(ElementOps.Equal, Saved.None, [null]).Named("mx.np.equal, np.equal, torch.eq");

    public static readonly Op NotEqual = Element(ElementOps.NotEqual, Saved.None, [null]).Named("not_equal");

    public static readonly Op Greater = Element(ElementOps.Greater, Saved.None, [null]).Named("greater");

    public static readonly Op GreaterOrEqual = Element(ElementOps.GreaterOrEqual, Saved.None, [null]).Named("greater_equal");

    public static readonly Op Less = Element(ElementOps.Less, Saved.None, [null]).Named("less");

    public static readonly Op LessOrEqual = Element(ElementOps.LessOrEqual, Saved.None, [null]).Named("less_equal");

    public static readonly Op IsNaN = Element(ElementOps.IsNaN, Saved.None, [null]).Named("isnan");

    public static readonly Op IsFinite = Element(ElementOps.IsFinite, Saved.None, [null]).Named("isfinite");

    public static readonly Op IsInfinity = Element(ElementOps.IsInfinity, Saved.None, [null]).Named("isinf");

    public static readonly Op LogicalAnd = Element(ElementOps.LogicalAnd, Saved.None, [null]).Named("logical_and");

    public static readonly Op LogicalOr = Element(ElementOps.LogicalOr, Saved.None, [null]).Named("logical_or");

    public static readonly Op LogicalXor = Element(ElementOps.LogicalXor, Saved.None, [null]).Named("logical_xor");

    public static readonly Op LogicalNot = Element(ElementOps.LogicalNot, Saved.None, [null]).Named("logical_not");

    /// <summary>Selects gradients as it selects values: never a multiplication by 0, so a NaN of the other branch stays out.</summary>
    public static readonly Op Where = Element(ElementOps.Where, Saved.Input0, null, c => Nd.Where(c.X, c.G, 0), c => Nd.Where(c.X, 0, c.G)).Named("where");

    /// <summary>The gradient passes on the closed interval.</summary>
    public static readonly Op Clip = Element(ElementOps.Clip, Saved.Inputs, c => Nd.Where(Nd.LogicalAnd(c.X >= c.Y, c.X <= c.Z), c.G, 0), null, null)
        .Named("clip");

    /// <summary>Inputs: x, y, δ, which is a constant. The gradient is x − y limited to [−δ, δ].</summary>
    public static readonly Op Huber = Element(ElementOps.Huber, Saved.Inputs, c => c.G * Clip.Apply([c.X - c.Y, -c.Z, c.Z]),
        c => c.G * Clip.Apply([c.Y - c.X, -c.Z, c.Z]), null);

    /// <summary>Inputs: x, σ, and δ = 1/σ, which are constants. The gradient is σ·x limited to [−1, 1].</summary>
    public static readonly Op SmoothL1 = Element(ElementOps.SmoothL1, Saved.Input0 | Saved.Input1, c => c.G * Nd.Clip(c.X * c.Y, -1, 1), null, null)
        .Named("mx.npx.smooth_l1, -, torch.nn.functional.smooth_l1_loss");

    /// <summary>|x − y|; the gradient is 0 where they are equal.</summary>
    public static readonly Op AbsoluteDifference = Element(ElementOps.AbsoluteDifference, Saved.Inputs, c => c.G * Nd.Sign(c.X - c.Y), c => c.G * Nd.Sign(c.Y - c.X));

    // Beside their terms, of which they are made: which of several files comes first is up to the compiler.

    /// <summary>
    /// Σ |x − y| of two arrays of one shape: the bits of the sum of <see cref="AbsoluteDifference"/>, which is what a graph sees instead. Attributes:
    /// <see cref="ReduceAttributes"/>.
    /// </summary>
    public static readonly Op SumOfAbsoluteDifferences = SumOf(AbsoluteDifference, "SumOfAbsoluteDifferences", ReducedTerms.AbsoluteDifferences);

    /// <summary>
    /// The sum of <see cref="Huber"/>, with its bits, which is what a graph sees instead. Inputs: x and y of one shape, and the constant δ of rank 0.
    /// Attributes: <see cref="ReduceAttributes"/>.
    /// </summary>
    public static readonly Op SumOfHuber = SumOf(Huber, "SumOfHuber", ReducedTerms.Huber);

    /// <summary>(x − y)·s in one pass, rounded twice: the bits of the difference and the product, which are what a graph sees instead.</summary>
    public static readonly Op ScaledDifference = Element(ElementOps.ScaledDifference, Saved.Inputs, c => c.G * c.Z, c => -(c.G * c.Z), c => c.G * (c.X - c.Y));

    /// <summary>Inputs: x, and the constants α and β. The gradient passes on the closed interval.</summary>
    public static readonly Op HardSigmoid = Element(ElementOps.HardSigmoid, Saved.Inputs, HardSigmoidGradient, null, null)
        .Named("mx.npx.hard_sigmoid, -, torch.nn.functional.hardsigmoid");

    /// <summary>x·y + z in one pass, rounded twice: the bits of the product and the sum, which are what a graph sees instead.</summary>
    public static readonly Op MultiplyAdd = Element(ElementOps.MultiplyAdd, Saved.Input0 | Saved.Input1, c => c.G * c.Y,
        c => Broadcasting.ProductTo(c.G, c.X, c.ShapeOf(1)), c => c.G);

    /// <summary>Inputs: x, y, t.</summary>
    public static readonly Op Lerp = Element(ElementOps.Lerp, Saved.Inputs, c => c.G * (1 - c.Z), c => c.G * c.Z, c => c.G * (c.Y - c.X))
        .Named("-, -, torch.lerp");

    // 0·∞ must not appear where the derivative is 0: x⁰ is constant, in its derivatives too, and 0ʸ is constant for y > 0.
    private static NDArray PowBase(GradientContext c)
    {
        NDArray constant = Nd.Equal(c.Y, 0);
        return Nd.Where(constant, 0, c.G * c.Y * Nd.Pow(c.X, Nd.Where(constant, 1, c.Y - 1)));
    }

    private static NDArray HardSigmoidGradient(GradientContext c)
    {
        NDArray line = c.X * c.Y + c.Z;
        return Nd.Where(Nd.LogicalAnd(line >= 0, line <= 1), c.G * c.Y, 0);
    }

    private static NDArray PowExponent(GradientContext c) =>
        Nd.Where(Nd.LogicalAnd(Nd.Equal(c.X, 0), c.Y >= 0), 0, c.G * c.Output * Nd.Log(c.X));
}
