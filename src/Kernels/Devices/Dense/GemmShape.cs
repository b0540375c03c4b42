using System.Numerics;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>A batch of products in the memory of a device, as kernels see them: C[m × n] = op(A)[m × k] · op(B)[k × n] + bias, and work on its elements.</summary>
internal readonly struct GemmShape<T, TBody>
    where T : unmanaged, INumber<T>
    where TBody : struct, IProductBody<T>
{
    public required int M { get; init; }

    public required int N { get; init; }

    public required int K { get; init; }

    public required int Batch { get; init; }

    public required bool TransA { get; init; }

    public required bool TransB { get; init; }

    public required DeviceMatrix A { get; init; }

    public required DeviceMatrix B { get; init; }

    public required DeviceMatrix C { get; init; }

    /// <summary>n values, or null.</summary>
    public required DeviceMatrix? Bias { get; init; }

    /// <summary>What is done with the elements.</summary>
    public TBody Body { get; init; }

    /// <summary>The stored rows and columns of A.</summary>
    public (int Rows, int Columns) SizeA => TransA ? (K, M) : (M, K);

    /// <summary>The stored rows and columns of B.</summary>
    public (int Rows, int Columns) SizeB => TransB ? (N, K) : (K, N);

    /// <summary>What is done where C is written.</summary>
    public TileFinish<T, TBody> Finish(bool columnsAreLines)
    {
        ArrayView<T> bias = Bias is { } b ? b.Block.View<T>(b.Offset, N) : C.Block.View<T>(C.Offset, 1);
        return new TileFinish<T, TBody>(bias, Bias is not null && columnsAreLines ? 1 : 0, Bias is not null && !columnsAreLines ? 1 : 0, Body);
    }

    /// <summary>C whose lines are its rows, or its columns.</summary>
    public StridedTarget<T, TBody> Target(bool columnsAreLines) =>
        new(View(C, M, N), (int)C.Stride, columnsAreLines ? 1 : (int)C.Leading, columnsAreLines ? (int)C.Leading : 1, Finish(columnsAreLines));

    /// <summary>The rows of op(A).</summary>
    public StridedElements<T> RowsOfA => Elements(A, SizeA, TransA, M);

    /// <summary>The columns of op(B).</summary>
    public StridedElements<T> ColumnsOfB => Elements(B, SizeB, !TransB, N);

    /// <summary>The elements from the first to the last of a batch.</summary>
    public ArrayView<T> View(DeviceMatrix x, int rows, int columns) => x.Block.View<T>(x.Offset, Extent(x, rows, columns));

    /// <summary>As <see cref="View"/>, in quads; see <see cref="FitsQuads"/>.</summary>
    public ArrayView<Quartet<T>> Quads(DeviceMatrix x, int rows, int columns) => x.Block.View<Quartet<T>>(x.Offset / 4, Extent(x, rows, columns) / 4);

    /// <summary>Stored rows can be moved in quads: every row of every matrix begins and ends at a multiple of four elements.</summary>
    public bool FitsQuads(DeviceMatrix x, int columns) => ((x.Offset | x.Leading | (Batch > 1 ? x.Stride : 0) | (uint)columns) & 3) == 0;

    private int Extent(DeviceMatrix x, int rows, int columns) => DeviceGrid.Index((Batch - 1) * x.Stride + (rows - 1) * x.Leading + columns);

    private StridedElements<T> Elements(DeviceMatrix x, (int Rows, int Columns) size, bool transposed, int lines) =>
        new(View(x, size.Rows, size.Columns), (int)x.Stride, transposed ? 1 : (int)x.Leading, transposed ? (int)x.Leading : 1, lines);
}
