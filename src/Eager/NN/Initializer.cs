namespace Fusion.NN;

/// <summary>How a parameter starts. The random ones draw from <see cref="Nd.Random"/>, so that <c>Nd.Random.Seed</c> repeats them.</summary>
public abstract class Initializer
{
    /// <summary>A new array.</summary>
    public abstract NDArray Sample(Shape shape, DType dtype = DType.Float32);

    /// <summary>All zeros.</summary>
    public static Initializer Zeros { get; } = new Rule(static (shape, dtype) => Nd.Zeros(shape, dtype));

    /// <summary>All ones.</summary>
    public static Initializer Ones { get; } = new Rule(static (shape, dtype) => Nd.Ones(shape, dtype));

    /// <summary>One value.</summary>
    public static Initializer Constant(double value) => new Rule((shape, dtype) => Nd.Full(shape, value, dtype));

    /// <summary>U(low, high).</summary>
    public static Initializer Uniform(double low, double high) => new Rule((shape, dtype) => Nd.Random.Uniform(low, high, shape, dtype));

    /// <summary>N(mean, std²).</summary>
    public static Initializer Normal(double mean, double std) => new Rule((shape, dtype) => Nd.Random.Normal(mean, std, shape, dtype));

    /// <summary>U(−a, a) with a = gain·√(6/(fan in + fan out)).</summary>
    /// <remarks>Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010, eq. 16.</remarks>
    public static Initializer XavierUniform(double gain = 1) =>
        new Rule((shape, dtype) => Symmetric(gain * Math.Sqrt(6.0 / (FanIn(shape) + FanOut(shape))), shape, dtype));

    /// <summary>N(0, σ²) with σ = gain·√(2/(fan in + fan out)).</summary>
    /// <remarks>Glorot and Bengio, AISTATS 2010.</remarks>
    public static Initializer XavierNormal(double gain = 1) =>
        new Rule((shape, dtype) => Nd.Random.Normal(0, gain * Math.Sqrt(2.0 / (FanIn(shape) + FanOut(shape))), shape, dtype));

    /// <summary>U(−a, a) with a = √(6/((1 + slope²)·fan in)), for (leaky) relu after the layer.</summary>
    /// <remarks>He et al., "Delving Deep into Rectifiers", ICCV 2015, eq. 15.</remarks>
    public static Initializer HeUniform(double negativeSlope = 0) =>
        new Rule((shape, dtype) => Symmetric(Math.Sqrt(6.0 / ((1 + negativeSlope * negativeSlope) * FanIn(shape))), shape, dtype));

    /// <summary>N(0, σ²) with σ = √(2/((1 + slope²)·fan in)), for (leaky) relu after the layer.</summary>
    /// <remarks>He et al., "Delving Deep into Rectifiers", ICCV 2015, eq. 15.</remarks>
    public static Initializer HeNormal(double negativeSlope = 0) =>
        new Rule((shape, dtype) => Nd.Random.Normal(0, Math.Sqrt(2.0 / ((1 + negativeSlope * negativeSlope) * FanIn(shape))), shape, dtype));

    private static NDArray Symmetric(double bound, Shape shape, DType dtype) => Nd.Random.Uniform(-bound, bound, shape, dtype);

    // Weights are (out, in, kernel…); a vector counts as (1, in).
    private static long FanIn(Shape shape) => shape.Rank < 2 ? shape.Size : shape.Size / Math.Max(1, shape[0]);

    private static long FanOut(Shape shape) => shape.Rank < 2 ? 1 : shape.Size / Math.Max(1, shape[1]);

    private sealed class Rule(Func<Shape, DType, NDArray> sample) : Initializer
    {
        public override NDArray Sample(Shape shape, DType dtype = DType.Float32) => sample(shape, dtype);
    }
}
