namespace Fusion.Oracle.Programs;

// Where the two sides differ by convention when numbers are not finite.
internal static partial class Rules
{
    private static readonly HashSet<string> s_conventions =
    [
        // The sign of NaN, also as a derivative.
        "Sign", "Abs", "L1", "Pow",
        // Whether a NaN at a kink passes a gradient.
        "Relu",
        // LibTorch gives 0 where a query has NaN for all keys.
        "ScaledDotProductAttention",
        // What stands for a number that a type does not have: an integer for NaN, 0 for a denormal number.
        "AsType", "SearchSorted", "Histogram", "BinCount",
        // Factorizations refuse what is not finite, or have any results.
        "Cholesky", "Inverse", "Det", "SlogDet", "Solve", "TriangularSolve", "Qr", "EighVals", "Eigh", "SvdVals", "Svd", "Pinv", "Lstsq", "MatrixPower", "MatrixNorm",
        // Whether what has the weight 0 counts: beside a pixel, in a padding.
        "Resize", "SampleBilinear", "Conv1D", "Conv2D", "Conv3D", "ConvTranspose1D", "ConvTranspose2D", "ConvTranspose3D",
        // Which of two equal numbers or of two NaN is taken, and has the gradient; a NaN beside a number has it all in ours, in LibTorch both have it.
        "Maximum", "Minimum", "MaxPool1D", "MaxPool2D", "MaxPool3D", "CumMax", "CumMin", "TopK", "ArgSort",
        // Lines of NaN only.
        "NanMax", "NanMin", "NanMean",
        // LibTorch's gradients end at the first 0, or are 0 where they are none.
        "Prod", "CumProd", "NanProd", "LogCumSumExp",
    ];

    /// <summary>Whether results of zeros, infinities or NaN differ by convention.</summary>
    public static bool HasConventions(Rule rule) => s_conventions.Contains(rule.Name) || s_conventions.Contains(rule.Name.Split(':')[0]);
}
