using static TorchSharp.torch;

namespace Fusion.Peers.Table;

// Reading and writing at indices, and orders.
internal static partial class OperatorTable
{
    private static readonly OperatorRow[] Indexing =
    [
        Indexed("Take", static (x, i) => Nd.Take(x, i), static (x, i) => x.index_select(0, i), (9, 5), 30, 9),
        Indexed("Take: axis", static (x, i) => Nd.Take(x, i, 1), static (x, i) => x.index_select(1, i), (5, 9), 30, 9),
        Indexed("Embedding", Nd.Embedding, static (x, i) => x.index(i), (9, 5), (4, 3), 9),
        Indexed("Pick", static (x, i) => Nd.Pick(x, i), static (x, i) => x.gather(1, i.unsqueeze(1)).squeeze(1), (8, 9), 8, 9) ,
        Indexed("TakeAlongAxis", static (x, i) => Nd.TakeAlongAxis(x, i), static (x, i) => x.gather(1, i), (8, 9), (8, 4), 9),
        Indexed("Gather", Nd.Gather, static (x, i) => x.index(i[0], i[1]), (9, 9), (2, 30), 9),
        new("Scatter", static x => Nd.Scatter(x[0], x[1], (9, 9)), static x => zeros(9, 9, dtype: x[0].dtype).index_put_(x[0], [x[1][0], x[1][1]], true),
            Operand.Real(30, 30), Operand.Index((2, 30), (2, 30), 9)) { IsTimed = false },
        new("OneHot", static x => Nd.OneHot(x[0], 9), static x => nn.functional.one_hot(x[0], 9), Operand.Index((4, 5), (1000, 100), 9)),
        new("IndexAdd", static x => Nd.IndexAdd(x[0], x[2], x[1]), static x => x[0].index_add(0, x[2], x[1], 1),
            Operand.Real((9, 5), LargeMatrix), Operand.Real((30, 5), LargeMatrix), Operand.Index(30, 1000, 9)),
        new("IndexUpdate", static x => Nd.IndexUpdate(x[0], x[2], x[1]), static x => x[0].index_copy(0, x[2], x[1]),
            Operand.Real((9, 5), LargeMatrix), Operand.Real((9, 5), LargeMatrix), Operand.Permutation(9, 1000)),
        Reduced("sum", ScatterReduction.Sum, static x => x[0].index_add(0, x[2], x[1], 1)),
        new("ScatterAdd", static x => Nd.ScatterAdd(x[0], x[2], x[1]), static x => x[0].clone().index_put_(x[1], [x[2][0], x[2][1]], true),
            Operand.Real((9, 9), LargeMatrix), Operand.Real(30, 100_000), Operand.Index((2, 30), (2, 100_000), 9)),
        new("ScatterUpdate", static x => Nd.ScatterUpdate(x[0], Nd.Reshape(x[2], 1, -1), x[1]), static x => x[0].clone().index_put_(x[1], [x[2]]),
            Operand.Real(20, 100_000), Operand.Real(20, 100_000), Operand.Permutation(20, 100_000)),
        new("MaskedAssign", static x => Nd.MaskedAssign(x[0], x[1], x[2]), static x => x[0].masked_scatter(x[1], x[2]),
            Operand.Real((6, 7), LargeMatrix), Operand.Truth((6, 7), LargeMatrix), Operand.Real(42, 1_000_000)),
        new("BooleanMask", static x => Nd.BooleanMask(x[0], x[1]), static x => x[0].index(x[1]), Operand.Real((20, 5), LargeMatrix), Operand.Truth(20, 1000)),
        Matrix("NonZero", static x => Nd.NonZero(Nd.Relu(x)), static x => nn.functional.relu(x).nonzero()).Plain(),
    ];

    private static readonly OperatorRow[] Sorting =
    [
        Matrix("Sort", static x => Nd.Sort(x), static x => sort(x).values),
        Matrix("Sort: descending columns", static x => Nd.Sort(x, 0, true), static x => sort(x, 0, true).values),
        Matrix("ArgSort", static x => Nd.ArgSort(x), static x => argsort(x)).Plain(),
        Matrix("TopK", static x => Nd.TopK(x, 5).Values, static x => topk(x, 5).values),
        Matrix("TopK: smallest", static x => Nd.TopK(x, 5, 0, false).Values, static x => topk(x, 5, 0, false).values),
        Matrix("TopK: indices", static x => Nd.TopK(x, 5).Indices, static x => topk(x, 5).indices).Plain(),
        new("SearchSorted", static x => Nd.SearchSorted(Nd.Sort(x[0]), x[1], true), static x => searchsorted(sort(x[0]).values, x[1], right: true),
            Operand.Distinct(40, 1000), Operand.Real((3, 30), 100_000)) { HasGradient = false },
        new("Unique", static x => Nd.Unique(x[0]), static x => unique(x[0]).output, Operand.Index(200, 1_000_000, 90)),
        new("UniqueWithCounts", static x => Nd.UniqueWithCounts(x[0]).Counts, static x => unique(x[0], return_counts: true).counts!,
            Operand.Index(200, 1_000_000, 90)),
    ];

    private static OperatorRow Indexed(string name, Func<NDArray, NDArray, NDArray> ours, Func<Tensor, Tensor, Tensor> theirs, Shape x, Shape indices,
        int count)
    {
        // Timed at a thousand times the size: rows of a matrix, or places in one.
        Shape large = indices.Rank == 1 ? (Shape)1000 : name switch { "Gather" => (2, 100_000), "Embedding" => (100, 10), _ => (1000, 100) };
        return new(name, x => ours(x[0], x[1]), x => theirs(x[0], x[1]), Operand.Real(x, LargeMatrix), Operand.Index(indices, large, count));
    }

    private static OperatorRow Reduced(string variant, ScatterReduction reduction, Func<Tensor[], Tensor> theirs) =>
        new($"IndexReduce: {variant}", x => Nd.IndexReduce(x[0], x[2], x[1], reduction), theirs,
            Operand.Real((9, 5), LargeMatrix), Operand.Real((30, 5), LargeMatrix), Operand.Index(30, 1000, 9));
}
