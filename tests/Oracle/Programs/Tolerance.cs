using Fusion.Peers.Table;
using static TorchSharp.torch;

namespace Fusion.Oracle.Programs;

/// <summary>
/// Compares an array with LibTorch's. How far an element may be off is measured: by how far it went in runs with random errors. Where these are of the order
/// of the element itself (another branch was taken, another order found), the element is not compared.
/// </summary>
internal sealed class Tolerance(double slack)
{
    // Formulas such as 1 + tanh lose some units of their own.
    private const double Allowed = 64;

    public int Compared { get; private set; }

    public int Undecided { get; private set; }

    /// <summary>The distance from 1 to the next number of a type; 0 for integers.</summary>
    public static double Epsilon(DType type) => type switch
    {
        DType.Float32 => 1.1920928955078125e-7,
        DType.Float64 => 2.220446049250313e-16,
        DType.Float16 => 9.765625e-4,
        DType.BFloat16 => 7.8125e-3,
        _ => 0,
    };

    /// <summary>What is wrong, or null.</summary>
    /// <param name="coarsest">The type of the program with the fewest bits.</param>
    /// <param name="maySurpass">
    /// Whether any number will do where LibTorch has NaN, and NaN where it has an infinity: the gradient of a formula whose parts are not finite.
    /// </param>
    public string? Difference(string what, NDArray ours, Tensor theirs, IReadOnlyList<Tensor> blurred, DType coarsest, bool maySurpass)
    {
        if (!ours.Shape.Longs().SequenceEqual(theirs.shape)) return $"{what}: the shape is {ours.Shape}, LibTorch ({string.Join(", ", theirs.shape)})";
        double[] actual = ours.AsType(DType.Float64).ToArray<double>(), expected = TorchArrays.Elements(theirs);
        double[][] others = [.. blurred.Select(TorchArrays.Elements)];
        double scale = expected.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty(0).Average();
        double epsilon = ours.DType.IsFloat ? Epsilon(coarsest) : 0;
        string? first = null;
        for (int i = 0; i < actual.Length; i++)
        {
            double spread = others.Select(o => Same(o[i], expected[i]) ? 0 : Math.Abs(o[i] - expected[i])).DefaultIfEmpty(0).Max();
            if (maySurpass && (double.IsNaN(expected[i]) || (double.IsInfinity(expected[i]) && double.IsNaN(actual[i]))))
            {
                Undecided++;
                continue;
            }

            if (!double.IsFinite(expected[i]) && spread == 0)
            {
                Compared++;
                if (!Same(actual[i], expected[i])) first ??= $"{what}, element {i}: {actual[i]:R}, LibTorch {expected[i]:R}";
                continue;
            }

            double magnitude = Math.Max(Math.Abs(expected[i]), scale);
            if (!double.IsFinite(spread) || spread > 0.05 * magnitude || (coarsest is DType.Float16 && magnitude > 1e4) || magnitude > 1e30)
            {
                Undecided++;
                continue;
            }

            Compared++;
            // The head gradients are about 1: what a derivative such as 1 − tanh² loses is relative to them.
            double allowed = Allowed * slack * (spread + (epsilon * 4 * (magnitude + 1)));
            if (Same(actual[i], expected[i]) || Math.Abs(actual[i] - expected[i]) <= allowed) continue;
            first ??= $"{what}, element {i}: {actual[i]:R}, LibTorch {expected[i]:R}, allowed {allowed:G2}";
        }

        return first;
    }

    private static bool Same(double x, double y) => x == y || (double.IsNaN(x) && double.IsNaN(y));
}
