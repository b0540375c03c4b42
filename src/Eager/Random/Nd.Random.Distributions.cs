using System.Runtime.CompilerServices;

namespace Fusion;

public static partial class Nd
{
    // Further distributions. Those that are functions of uniform or normal numbers are written as such: gradients flow to parameters that are arrays.
    public static partial class Random
    {
        /// <summary>Uniform between arrays of bounds, which broadcast: low + (high − low)·u; gradients flow to the bounds.</summary>
        public static NDArray Uniform(NDArray low, NDArray high) =>
            Reparameterised("Uniform", low, high, static (a, b, shape, dtype) => a + (b - a) * Uniform(0, 1, shape, dtype, a.Device));

        /// <summary>Normal with arrays of means and standard deviations, which broadcast: mean + std·z; gradients flow to both.</summary>
        public static NDArray Normal(NDArray mean, NDArray std) =>
            Reparameterised("Normal", mean, std, static (a, b, shape, dtype) => a + b * Normal(0, 1, shape, dtype, a.Device));

        /// <summary>e to the power of a normal number.</summary>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="std"/> is negative or NaN.</exception>
        public static NDArray LogNormal(double mean, double std, Shape shape, DType dtype = DType.Float32, Device? device = null)
        {
            RequireFloat("LogNormal", dtype);
            RequireDeviation("LogNormal", std);
            return Elements.To(Exp(Normal(mean, std, shape, Elements.WideType(dtype), device)), dtype);
        }

        /// <summary>Exponentially distributed with a mean: −scale·ln(1 − u).</summary>
        /// <exception cref="ArgumentOutOfRangeException">The scale is negative or NaN.</exception>
        public static NDArray Exponential(double scale, Shape shape, DType dtype = DType.Float32, Device? device = null)
        {
            RequireFloat("Exponential", dtype);
            RequireScale("Exponential", scale);
            return Elements.To(LogP1(-Uniform(0, 1, shape, Elements.WideType(dtype), device)) * -scale, dtype);
        }

        /// <summary>Exponentially distributed with an array of means; gradients flow to them.</summary>
        public static NDArray Exponential(NDArray scale) => Reparameterised("Exponential", scale, scale, static (a, _, shape, dtype) => a * Exponential(1, shape, dtype, a.Device));

        /// <summary>Gumbel's distribution of extremes: location − scale·ln(−ln u).</summary>
        /// <exception cref="ArgumentOutOfRangeException">The scale is negative or NaN.</exception>
        public static NDArray Gumbel(double location, double scale, Shape shape, DType dtype = DType.Float32, Device? device = null)
        {
            RequireFloat("Gumbel", dtype);
            RequireScale("Gumbel", scale);
            // −ln u is exponentially distributed. A 0 stands for what is less than one step of the uniform numbers: half of that, so that a maximum of many is not one that never occurs.
            NDArray exponential = Maximum(Exponential(1, shape, Elements.WideType(dtype), device), Math.ScaleB(1, dtype == DType.Float64 ? -54 : -25));
            return Elements.To(Log(exponential) * -scale + location, dtype);
        }

        /// <summary>Gumbel's distribution with arrays of locations and scales, which broadcast; gradients flow to both.</summary>
        public static NDArray Gumbel(NDArray location, NDArray scale) =>
            Reparameterised("Gumbel", location, scale, static (a, b, shape, dtype) => a + b * Gumbel(0, 1, shape, dtype, a.Device));

        /// <summary>Laplace's distribution: location ± scale·e, e exponentially distributed.</summary>
        /// <exception cref="ArgumentOutOfRangeException">The scale is negative or NaN.</exception>
        public static NDArray Laplace(double location, double scale, Shape shape, DType dtype = DType.Float32, Device? device = null)
        {
            RequireFloat("Laplace", dtype);
            RequireScale("Laplace", scale);
            NDArray u = Uniform(-1, 1, shape, Elements.WideType(dtype), device);
            // −1 is among the numbers, and 1 is not: it counts as the number before it, for the logarithm is finite there.
            NDArray magnitude = Minimum(Abs(u), dtype == DType.Float64 ? Math.BitDecrement(1.0) : MathF.BitDecrement(1));
            return Elements.To(Sign(u) * LogP1(-magnitude) * -scale + location, dtype);
        }

        /// <summary>Gamma distributed with density x^(k − 1)·e^(−x/θ); by rejection, so without a gradient.</summary>
        /// <remarks>Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 26, 2000.</remarks>
        /// <exception cref="ArgumentOutOfRangeException">The shape parameter is not positive and finite, or the scale negative or NaN.</exception>
        public static NDArray Gamma(double k, double scale, Shape shape, DType dtype = DType.Float32, Device? device = null)
        {
            RequireFloat("Gamma", dtype);
            RequirePositive("Gamma", k);
            RequireScale("Gamma", scale);
            return Draw(OpTable.RandomGamma, new RandomAttributes(shape, Elements.WideType(dtype), k, scale, device), dtype);
        }

        /// <summary>
        /// Beta distributed with density x^(a − 1)·(1 − x)^(b − 1): of two gamma numbers the first's part of the sum. Where both parameters are below 1, the two are
        /// drawn as logarithms, since both may be less than any number of the type.
        /// </summary>
        /// <exception cref="ArgumentOutOfRangeException">A parameter is not positive and finite.</exception>
        public static NDArray Beta(double a, double b, Shape shape, DType dtype = DType.Float32, Device? device = null)
        {
            RequireFloat("Beta", dtype);
            RequirePositive("Beta", a);
            RequirePositive("Beta", b);
            DType wide = Elements.WideType(dtype);
            if (a < 1 && b < 1)
            {
                // A gamma number of a is one of a + 1 times a uniform number to the power of 1/a (Marsaglia and Tsang, section 6), whose logarithm is that of an exponential one.
                double least = Math.Min(a, b);
                NDArray logs = Log(Gamma(a + 1, 1, shape, wide, device)) - Log(Gamma(b + 1, 1, shape, wide, device));
                NDArray powers = Exponential(1, shape, wide, device) * (least / a) - Exponential(1, shape, wide, device) * (least / b);
                return Elements.To(Sigmoid(logs - powers / Math.Max(least, 1e-30)), dtype);
            }

            // The scale is the same for both: one at which the sum does not overflow.
            double largest = Math.Max(a, b), scale = largest > 1e30 ? 1 / largest : 1;
            NDArray x = Gamma(a, scale, shape, wide, device), y = Gamma(b, scale, shape, wide, device);
            return Elements.To(x / Maximum(x + y, dtype == DType.Float64 ? 1e-300 : 1e-37), dtype);
        }

        /// <summary>Poisson distributed numbers of events with a mean.</summary>
        /// <remarks>
        /// By products of uniform numbers below 10 (Knuth), else by Hörmann's PTRS, "The transformed rejection method for generating Poisson random variables",
        /// 1993.
        /// </remarks>
        /// <exception cref="ArgumentOutOfRangeException">The mean is negative, NaN, or above 10⁹.</exception>
        public static NDArray Poisson(double mean, Shape shape, DType dtype = DType.Float32, Device? device = null)
        {
            if (!(mean is >= 0 and <= 1e9)) throw new ArgumentOutOfRangeException(nameof(mean), mean, "Random.Poisson: the mean lies between 0 and 10⁹.");
            if (dtype == DType.Bool) throw new DTypeException("Random.Poisson: a Bool counts nothing. Use a number type.");
            return Draw(OpTable.RandomPoisson, new RandomAttributes(shape, DType.Float64, mean, 0, device)).AsType(dtype);
        }

        /// <summary>
        /// Positions drawn with the probabilities of each line of the last axis, which need not add up to 1: (…, k) gives (…, count), Int64, with replacement.
        /// </summary>
        /// <exception cref="ShapeException">The probabilities have rank 0 or no classes.</exception>
        /// <exception cref="ArgumentOutOfRangeException">A probability is negative, NaN or infinite, or all of a line are 0.</exception>
        public static NDArray Multinomial(NDArray probabilities, int count = 1)
        {
            Require.NotNegative(count, "Random.Multinomial");
            NDArray p = Elements.Wide(RealInput(probabilities)).Detach();
            if (p.Rank == 0 || p.Shape[-1] == 0) throw new ShapeException($"Random.Multinomial: {probabilities.Shape} has no classes along a last axis.");
            // As parts of the largest: sums do not overflow, and a product with a total that is next to 0 would be rounded to it.
            p = OpTable.ClassWeights.Apply(p);
            NDArray limits = CumSum(p / Max(p, [-1], keepDims: true), -1);
            NDArray u = Uniform(0, 1, Shape.Create([.. p.Shape.Dimensions[..^1], count, 1]), p.DType, p.Device) * ExpandDims(Slice(limits, -1, -1, null), -1);
            // A number that rounding brought to the total stays in the last class.
            return Minimum(Sum(u >= ExpandDims(limits, -2), -1), p.Shape[-1] - 1);
        }

        private static NDArray Reparameterised(
            string name, NDArray a, NDArray b, Func<NDArray, NDArray, Shape, DType, NDArray> sample,
            [CallerArgumentExpression(nameof(a))] string? nameA = null, [CallerArgumentExpression(nameof(b))] string? nameB = null)
        {
            DType dtype = Elements.RealType(DTypes.Promote(Checked(a, nameA).DType, Checked(b, nameB).DType)), wide = Elements.WideType(dtype);
            return Elements.To(sample(Elements.To(a, wide), Elements.To(b, wide), Broadcasting.Infer("Random." + name, a.Shape, b.Shape), wide), dtype);
        }

        private static void RequireScale(string name, double scale)
        {
            if (!(scale >= 0)) throw new ArgumentOutOfRangeException(nameof(scale), scale, $"Random.{name}: the scale is {scale}; it must be 0 or more.");
        }

        private static void RequirePositive(string name, double value, [CallerArgumentExpression(nameof(value))] string? argument = null)
        {
            if (!(value > 0 && double.IsFinite(value)))
                throw new ArgumentOutOfRangeException(argument, value, $"Random.{name}: the parameter is {value}; it must be positive and finite.");
        }
    }
}
