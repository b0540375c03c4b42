using static TorchSharp.torch;

namespace Fusion.Peers.Table;

/// <summary>Every function that both sides have: the oracle compares them on random inputs, the benchmarks time them.</summary>
internal static partial class OperatorTable
{
    public static IEnumerable<OperatorRow> All =>
    [
        .. UnaryRows, .. BinaryRows, .. Activations, .. Reductions, .. Scans, .. Arrangements, .. Indexing, .. Sorting, .. Products, .. Factorizations,
        .. Networks, .. Recurrent,
    ];

    // Properties: the order in which the fields of a class of several files are made is not defined.
    private static Shape Small => (5, 401);

    private static Shape Large => 1_000_000;

    private static Shape LargeMatrix => (1000, 1000);

    private static OperatorRow Unary(string name, Func<NDArray, NDArray> ours, Func<Tensor, Tensor> theirs, double low = -2, double high = 2) =>
        new(name, x => ours(x[0]), x => theirs(x[0]), Operand.Real(Small, Large, low, high));

    private static OperatorRow Binary(string name, Func<NDArray, NDArray, NDArray> ours, Func<Tensor, Tensor, Tensor> theirs, double low = -2,
        double high = 2) =>
        new(name, x => ours(x[0], x[1]), x => theirs(x[0], x[1]), Operand.Real(Small, Large, low, high), Operand.Real(Small, Large, low, high));

    /// <summary>A function of a matrix of distinct numbers: (7, 33) to compare, (1000, 1000) to time.</summary>
    private static OperatorRow Matrix(string name, Func<NDArray, NDArray> ours, Func<Tensor, Tensor> theirs) =>
        new(name, x => ours(x[0]), x => theirs(x[0]), Operand.Distinct((7, 33), LargeMatrix));

    /// <summary>A function of an array of rank 3: (3, 4, 10) to compare, (100, 100, 100) to time.</summary>
    private static OperatorRow Cube(string name, Func<NDArray, NDArray> ours, Func<Tensor, Tensor> theirs) =>
        new(name, x => ours(x[0]), x => theirs(x[0]), Operand.Real((3, 4, 10), (100, 100, 100)));

    private static OperatorRow Plain(this OperatorRow row) => row with { HasGradient = false };
}
