using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Fusion.Peers.Table;

// Products and factorizations.
internal static partial class OperatorTable
{
    private static readonly OperatorRow[] Products =
    [
        Product("MatMul", Nd.MatMul, matmul, (7, 9), (9, 5), (256, 256), (256, 256)),
        Product("MatMul: vector", Nd.MatMul, matmul, (7, 9), 9, (1000, 1000), 1000),
        Product("MatMul: batches", Nd.MatMul, matmul, [3, 1, 4, 5], [2, 5, 6], [8, 1, 64, 64], [8, 64, 64]),
        Product("Dot", static (a, b) => Nd.Dot(a, b, true, true), static (a, b) => a.t().matmul(b.t()), (9, 7), (5, 9), (256, 256), (256, 256)),
        Product("BatchDot", static (a, b) => Nd.BatchDot(a, b, false, true), static (a, b) => bmm(a, b.transpose(1, 2)), (3, 4, 5), (3, 6, 5), (64, 64, 64),
            (64, 64, 64)),
        Product("Outer", Nd.Outer, outer, 7, 9, 1000, 1000), Product("VDot", Nd.VDot, vdot, 40, 40, 1_000_000, 1_000_000),
        Product("TensorDot", static (a, b) => Nd.TensorDot(a, b, [1, 2], [0, 1]), static (a, b) => tensordot(a, b, [1, 2], [0, 1]), (3, 4, 5), (4, 5, 6),
            (64, 16, 16), (16, 16, 64)),
        Product("Kron", Nd.Kron, kron, (3, 4), (2, 5), (30, 40), (20, 40)),
        Product("Cross", static (a, b) => Nd.Cross(a, b), static (a, b) => linalg.cross(a, b), (6, 3), (6, 3), (100_000, 3), (100_000, 3)),
        Summed("ij,jk->ik", (4, 5), (5, 6), (256, 256), (256, 256)), Summed("bij,bkj->bik", (2, 4, 5), (2, 6, 5), (32, 64, 64), (32, 64, 64)),
        Summed("ij,ij->j", (4, 5), (4, 5), LargeMatrix, LargeMatrix), Summed("i,j->ji", 4, 5, 1000, 1000),
        Summed("...ij,...j->...i", (2, 4, 5), (2, 5), (32, 64, 64), (32, 64)),
        new("Einsum: ii->i", static x => Nd.Einsum("ii->i", x[0]), static x => einsum("ii->i", x[0]), Operand.Real((5, 5), LargeMatrix)),
        new("FullyConnected", static x => Nd.FullyConnected(x[0], x[1], x[2]), static x => F.linear(x[0], x[1], x[2]),
            Operand.Real((7, 9), (128, 784)), Operand.Real((5, 9), (256, 784)), Operand.Real(5, 256)),
        new("MatrixPower", static x => Nd.MatrixPower(x[0], 3), static x => matrix_power(x[0], 3), Operand.Real((5, 5), (128, 128))) { Slack = 4 },
    ];

    private static readonly OperatorRow[] Factorizations =
    [
        Square("Cholesky", static a => Nd.Cholesky(Definite(a)), static a => linalg.cholesky(Definite(a))),
        Square("Inverse", static a => Nd.Inverse(Definite(a)), static a => linalg.inv(Definite(a))),
        Square("Det", Nd.Det, linalg.det), Square("SlogDet", static a => Nd.SlogDet(a).LogAbsDet, static a => linalg.slogdet(a).Item2),
        Square("SlogDet: sign", static a => Nd.SlogDet(a).Sign, static a => linalg.slogdet(a).Item1).Plain(),
        Square("Solve", static a => Nd.Solve(Definite(a), a), static a => linalg.solve(Definite(a), a)),
        Square("TriangularSolve", static a => Nd.TriangularSolve(Definite(a), a), static a => linalg.solve_triangular(Definite(a).tril(), a, false)),
        Square("TriangularSolve: transposed", static a => Nd.TriangularSolve(Definite(a), a, transpose: true),
            static a => linalg.solve_triangular(Definite(a).tril().transpose(-2, -1), a, true)),
        // The signs of the columns are free: only what does not depend on them is compared.
        Square("Qr", static a => Nd.Abs(Nd.Qr(a).R), static a => linalg.qr(a).R.abs()),
        Square("EighVals", static a => Nd.EighVals(Definite(a)), static a => linalg.eigvalsh(Definite(a))),
        Square("Eigh", static a => Nd.Eigh(Definite(a)).Values, static a => linalg.eigh(Definite(a)).Item1),
        Square("Eigh: vectors", static a => Nd.Abs(Nd.Eigh(Definite(a)).Vectors), static a => linalg.eigh(Definite(a)).Item2.abs()) with { Slack = 400 },
        Square("SvdVals", Nd.SvdVals, linalg.svdvals),
        Square("Svd", static a => Nd.Abs(Nd.Svd(a).U), static a => linalg.svd(a, false).U.abs()) with { Slack = 400 },
        new("Pinv", static x => Nd.Pinv(x[0]), static x => linalg.pinv(x[0]), Operand.Real((6, 4), (60, 40))) { Slack = 40 },
        new("Lstsq", static x => Nd.Lstsq(x[0], x[1]), static x => linalg.pinv(x[0]).matmul(x[1]), Operand.Real((6, 4), (60, 40)),
            Operand.Real((6, 2), (60, 20))) { Slack = 40 },
    ];

    private static OperatorRow Product(
        string name, Func<NDArray, NDArray, NDArray> ours, Func<Tensor, Tensor, Tensor> theirs, Shape a, Shape b, Shape timedA, Shape timedB) =>
        new(name, x => ours(x[0], x[1]), x => theirs(x[0], x[1]), Operand.Real(a, timedA), Operand.Real(b, timedB));

    private static OperatorRow Summed(string equation, Shape a, Shape b, Shape timedA, Shape timedB) =>
        Product($"Einsum: {equation}", (x, y) => Nd.Einsum(equation, x, y), (x, y) => einsum(equation, x, y), a, b, timedA, timedB);

    private static OperatorRow Square(string name, Func<NDArray, NDArray> ours, Func<Tensor, Tensor> theirs) =>
        new(name, x => ours(x[0]), x => theirs(x[0]), Operand.Real((2, 5, 5), (32, 32))) { Slack = 40 };

    private static NDArray Definite(NDArray a) => Nd.MatMul(a, Nd.SwapAxes(a, -1, -2)) + Nd.Eye(a.Shape[-1], a.DType);

    private static Tensor Definite(Tensor a) => a.matmul(a.transpose(-2, -1)) + eye(a.shape[^1], dtype: a.dtype);
}
