using Fusion.Kernels;

namespace Fusion;

// Functions of one variable. relu'(0) = 0.
internal static partial class OpTable
{
    private const double Ln2 = 0.69314718055994530942;
    private const double Ln10 = 2.30258509299404568402;
    private const double TwoOverSqrtPi = 1.12837916709551257390;
    private const double OneOverSqrt2Pi = 0.39894228040143267794;
    private const double SqrtTwoOverPi = 0.79788456080286535588;

    public static readonly Op Square = Element(ElementOps.Square, Saved.Input0, c => c.G * 2 * c.X).Named("square");

    /// <summary>x³, rounded twice.</summary>
    public static readonly Op Cube = Element(ElementOps.Cube, Saved.Input0, c => c.G * (Nd.Square(c.X) * 3));

    /// <summary>(1 − x)·(1 + x), of which slopes of inverse functions are made: the rule of a product would have their second derivatives as ∞ − ∞ at ±1.</summary>
    public static readonly Op OneMinusSquare = Element(ElementOps.OneMinusSquare, Saved.Input0, c => c.G * -2 * c.X);

    public static readonly Op Sqrt = Element(ElementOps.Sqrt, Saved.Output, c => c.G * 0.5 / c.Output).Named("sqrt");

    /// <summary>√x of a sum of squares, a length; the derivative is 0 where it is 0, which is a subgradient of the length.</summary>
    public static readonly Op Root = Element("Root", ElementOps.Sqrt, Saved.Output, RootGradient);

    public static readonly Op ReciprocalSqrt = Element(ElementOps.ReciprocalSqrt, Saved.Output, c => c.G * -0.5 * (c.Output * c.Output * c.Output))
        .Named("mx.nd.rsqrt, -, torch.rsqrt");

    public static readonly Op Reciprocal = Element(ElementOps.Reciprocal, Saved.Output, c => -(c.G * (c.Output * c.Output))).Named("reciprocal");

    public static readonly Op Exp = Element(ElementOps.Exp, Saved.Output, c => c.G * c.Output).Named("exp");

    public static readonly Op Exp2 = Element(ElementOps.Exp2, Saved.Output, c => c.G * (c.Output * Ln2)).Named("-, np.exp2, torch.exp2");

    public static readonly Op ExpM1 = Element(ElementOps.ExpM1, Saved.Output, c => c.G * (c.Output + 1)).Named("expm1");

    public static readonly Op Log = Element(ElementOps.Log, Saved.Input0, c => c.G / c.X).Named("log");

    public static readonly Op Log2 = Element(ElementOps.Log2, Saved.Input0, c => c.G / (c.X * Ln2)).Named("log2");

    public static readonly Op Log10 = Element(ElementOps.Log10, Saved.Input0, c => c.G / (c.X * Ln10)).Named("log10");

    public static readonly Op LogP1 = Element(ElementOps.LogP1, Saved.Input0, c => c.G / (c.X + 1)).Named("log1p");

    public static readonly Op Sin = Element(ElementOps.Sin, Saved.Input0, c => c.G * Nd.Cos(c.X)).Named("sin");

    public static readonly Op Cos = Element(ElementOps.Cos, Saved.Input0, c => -(c.G * Nd.Sin(c.X))).Named("cos");

    public static readonly Op Tan = Element(ElementOps.Tan, Saved.Output, c => c.G * (Nd.Square(c.Output) + 1)).Named("tan");

    public static readonly Op Tanh = Element(ElementOps.Tanh, Saved.Output, c => c.G * (1 - Nd.Square(c.Output))).Named("tanh");

    public static readonly Op Sigmoid = Element(ElementOps.Sigmoid, Saved.Output, c => c.G * (c.Output * (1 - c.Output)))
        .Named("mx.npx.sigmoid, scipy.special.expit, torch.sigmoid");

    public static readonly Op Erf = Element(ElementOps.Erf, Saved.Input0, c => c.G * (Nd.Exp(-Nd.Square(c.X)) * TwoOverSqrtPi))
        .Named("mx.npx.erf, scipy.special.erf, torch.erf");

    public static readonly Op Softplus = Element(ElementOps.Softplus, Saved.Input0, c => c.G * Nd.Sigmoid(c.X))
        .Named("mx.npx.activation('softrelu'), -, torch.nn.functional.softplus");

    public static readonly Op Relu = Element(ElementOps.Relu, Saved.Output, c => Nd.Where(c.Output > 0, c.G, 0)).Named("mx.npx.relu, -, torch.relu");

    /// <summary>The second input is the slope, a constant.</summary>
    public static readonly Op LeakyRelu = Element(ElementOps.LeakyRelu, Saved.Inputs, c => Nd.Where(c.X > 0, c.G, c.G * c.Y), null)
        .Named("mx.npx.leaky_relu, -, torch.nn.functional.leaky_relu");

    public static readonly Op Silu = Element(ElementOps.Silu, Saved.Input0, SiluGradient).Named("-, -, torch.nn.functional.silu");

    public static readonly Op Gelu = Element(ElementOps.Gelu, Saved.Input0, c => c.G * GeluSlope!.Apply(c.X)).Named("mx.npx.leaky_relu('gelu'), -, torch.nn.functional.gelu");

    /// <summary>Φ(x) + x·φ(x), the derivative of x·Φ(x), with the normal distribution function and its density.</summary>
    public static readonly Op GeluSlope = Element(ElementOps.GeluSlope, Saved.Input0, GeluSlopeGradient).BesideOf(Gelu);

    /// <summary>½x·(1 + tanh(√(2/π)·(x + 0.044715x³))).</summary>
    public static readonly Op GeluTanh = Element(ElementOps.GeluTanh, Saved.Input0, GeluTanhGradient).Named("-, -, torch.nn.functional.gelu('tanh')");

    // σ(x)·(1 + x·(1 − σ(x)))
    private static NDArray SiluGradient(GradientContext c)
    {
        NDArray s = Nd.Sigmoid(c.X);
        return c.G * (s * (c.X * (1 - s) + 1));
    }

    // φ(x)·(2 − x²)
    private static NDArray GeluSlopeGradient(GradientContext c)
    {
        NDArray square = Nd.Square(c.X);
        return c.G * (Nd.Exp(square * -0.5) * ((2 - square) * OneOverSqrt2Pi));
    }

    // With t = tanh(u), u = √(2/π)·(x + 0.044715 x³): ½(1 + t) + ½ x (1 − t²) u'.
    private static NDArray GeluTanhGradient(GradientContext c)
    {
        NDArray square = Nd.Square(c.X);
        NDArray t = Nd.Tanh(c.X * (square * (0.044715 * SqrtTwoOverPi) + SqrtTwoOverPi));
        NDArray slope = square * (3 * 0.044715 * SqrtTwoOverPi) + SqrtTwoOverPi;
        return c.G * ((t + 1) * 0.5 + c.X * 0.5 * ((1 - Nd.Square(t)) * slope));
    }

    // Both the gradient and the divisor are selected: an infinite gradient at 0 counts for nothing, and neither does the second derivative there.
    private static NDArray RootGradient(GradientContext c)
    {
        NDArray zero = Nd.Equal(c.Output, 0);
        return Nd.Where(zero, 0, c.G) * 0.5 / Nd.Where(zero, 1, c.Output);
    }
}
