using Fusion.Kernels;

namespace Fusion;

// Inverse and hyperbolic functions, roots, gamma functions, further activations.
internal static partial class OpTable
{
    private const double HalfSqrtPi = 0.88622692545275801365;

    public static readonly Op Sinh = Element(ElementOps.Sinh, Saved.Input0, c => c.G * Nd.Cosh(c.X)).Named("sinh");

    public static readonly Op Cosh = Element(ElementOps.Cosh, Saved.Input0, c => c.G * Nd.Sinh(c.X)).Named("cosh");

    public static readonly Op Asinh = Element(ElementOps.Asinh, Saved.Input0, c => c.G * Nd.ReciprocalSqrt(Nd.Square(c.X) + 1))
        .Named("mx.np.arcsinh, np.arcsinh, torch.asinh");

    public static readonly Op Acosh = Element(ElementOps.Acosh, Saved.Input0, c => c.G * Nd.ReciprocalSqrt(0 - OneMinusSquare.Apply(c.X)))
        .Named("mx.np.arccosh, np.arccosh, torch.acosh");

    public static readonly Op Atanh = Element(ElementOps.Atanh, Saved.Input0, c => c.G / OneMinusSquare.Apply(c.X))
        .Named("mx.np.arctanh, np.arctanh, torch.atanh");

    public static readonly Op Asin = Element(ElementOps.Asin, Saved.Input0, c => c.G * Nd.ReciprocalSqrt(OneMinusSquare.Apply(c.X)))
        .Named("mx.np.arcsin, np.arcsin, torch.asin");

    public static readonly Op Acos = Element(ElementOps.Acos, Saved.Input0, c => -(c.G * Nd.ReciprocalSqrt(OneMinusSquare.Apply(c.X))))
        .Named("mx.np.arccos, np.arccos, torch.acos");

    public static readonly Op Atan = Element(ElementOps.Atan, Saved.Input0, c => c.G / (Nd.Square(c.X) + 1)).Named("mx.np.arctan, np.arctan, torch.atan");

    /// <summary>Inputs y, x. The gradient at (0, 0) is 0.</summary>
    public static readonly Op Atan2 = Element(ElementOps.Atan2, Saved.Inputs, c => c.G * Atan2Slope(c, c.Y), c => -(c.G * Atan2Slope(c, c.X))).Named("mx.np.arctan2, np.arctan2, torch.atan2");

    /// <summary>The gradient at (0, 0) is 0.</summary>
    public static readonly Op Hypot = Element(ElementOps.Hypot, Saved.Inputs | Saved.Output, c => HypotGradient(c, c.X), c => HypotGradient(c, c.Y))
        .Named("hypot");

    public static readonly Op Cbrt = Element(ElementOps.Cbrt, Saved.Output, c => c.G / (Nd.Square(c.Output) * 3)).Named("mx.np.cbrt, np.cbrt, -");

    /// <summary>The sign of y flips the gradient of x.</summary>
    public static readonly Op CopySign = Element(ElementOps.CopySign, Saved.Inputs, c => c.G * (Nd.Sign(c.X) * Nd.CopySign(1, c.Y)), null).Named("copysign");

    public static readonly Op LogAddExp = Element(
        ElementOps.LogAddExp,
        Saved.Inputs,
        c => c.G * Nd.Sigmoid(c.X - c.Y),
        c => c.G * Nd.Sigmoid(c.Y - c.X)).Named("-, np.logaddexp, torch.logaddexp");

    public static readonly Op ErfInv = Element(ElementOps.ErfInv, Saved.Output, c => c.G * (Nd.Exp(Nd.Square(c.Output)) * HalfSqrtPi))
        .Named("mx.npx.erfinv, scipy.special.erfinv, torch.erfinv");

    public static readonly Op Gamma = Element(ElementOps.Gamma, Saved.Input0 | Saved.Output, c => c.G * (c.Output * Nd.Digamma(c.X)))
        .Named("mx.npx.gamma, scipy.special.gamma, -");

    public static readonly Op LogGamma = Element(ElementOps.LogGamma, Saved.Input0, c => c.G * Nd.Digamma(c.X))
        .Named("mx.npx.gammaln, scipy.special.gammaln, torch.lgamma");

    public static readonly Op Digamma = Element(ElementOps.Digamma, Saved.Input0, c => c.G * Nd.Polygamma(1, c.X))
        .Named("mx.npx.digamma, scipy.special.digamma, torch.digamma");

    /// <summary>ψ′, the one derivative of ψ that is on registers.</summary>
    public static readonly Op Trigamma = Element(ElementOps.Trigamma, Saved.Input0, c => c.G * Nd.Polygamma(2, c.X));

    /// <summary>The attribute is the order n ≥ 2 (a boxed int); scalar code, since the order decides the number of terms.</summary>
    public static readonly Op Polygamma = Row(new Op
    {
        Name = "Polygamma",
        Infer = static (x, _, y) => y[0] = x[0],
        Run = static (x, order, y) => SpecialFunctions.Polygamma((int)order!, x[0], y[0]),
        Gradient = [c => c.G * Nd.Polygamma(c.Attributes<int>() + 1, c.X)],
        Saves = Saved.Input0,
    }).Named("-, scipy.special.polygamma, torch.polygamma");

    /// <summary>The second input is α, a constant.</summary>
    public static readonly Op Elu = Element(ElementOps.Elu, Saved.Inputs | Saved.Output, c => Nd.Where(c.X > 0, c.G, c.G * (c.Output + c.Y)), null)
        .Named("mx.npx.leaky_relu('elu'), -, torch.nn.functional.elu");

    public static readonly Op Selu = Element(
        ElementOps.Selu,
        Saved.Output,
        c => Nd.Where(c.Output > 0, c.G * Formulas.SeluScale, c.G * (c.Output + Formulas.SeluScale * Formulas.SeluAlpha)))
        .Named("mx.npx.leaky_relu('selu'), -, torch.nn.functional.selu");

    public static readonly Op Mish = Element(ElementOps.Mish, Saved.Input0, MishGradient).Named("mx.npx.activation('mish'), -, torch.nn.functional.mish");

    public static readonly Op LogSigmoid = Element(ElementOps.LogSigmoid, Saved.Input0, c => c.G * Nd.Sigmoid(-c.X))
        .Named("mx.npx.activation('log_sigmoid'), -, torch.nn.functional.logsigmoid");

    public static readonly Op Softsign = Element(ElementOps.Softsign, Saved.Input0, c => c.G / Nd.Square(Nd.Abs(c.X) + 1))
        .Named("mx.npx.activation('softsign'), -, torch.nn.functional.softsign");

    // a/(x² + y²), 0 at the origin. The squares may be no numbers where the quotient is one.
    private static NDArray Atan2Slope(GradientContext c, NDArray a)
    {
        NDArray length = Nd.Hypot(c.X, c.Y), divisor = Nd.Where(Nd.Equal(length, 0), 1, length);
        return a / divisor / divisor;
    }

    private static NDArray HypotGradient(GradientContext c, NDArray x) => c.G * (x / Nd.Where(Nd.Equal(c.Output, 0), 1, c.Output));

    // t + x·(1 − t²)·σ(x) with t = tanh(softplus x).
    private static NDArray MishGradient(GradientContext c)
    {
        NDArray t = Nd.Tanh(Nd.Softplus(c.X));
        return c.G * (t + c.X * ((1 - Nd.Square(t)) * Nd.Sigmoid(c.X)));
    }
}
