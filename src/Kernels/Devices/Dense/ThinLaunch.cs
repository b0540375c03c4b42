using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>
/// Launches <see cref="ThinKernels"/>: the operand with more lines is the wide one. Where its lines are contiguous along the depth, so must be those of the
/// thin one, in quads: else they are packed first, which costs a small kernel.
/// </summary>
internal static class ThinLaunch<T, TBody>
    where T : unmanaged, INumber<T>
    where TBody : struct, IProductBody<T>
{
    // Groups that fill an H100: 132 multiprocessors with eight groups each.
    private const int Wanted = 1056;
    private const int ShortestPiece = 512;

    public static void Run(GpuDevice device, in GemmShape<T, TBody> s)
    {
        bool columnsAreWide = s.N > s.M;
        int thin = columnsAreWide ? s.M : s.N;
        if (thin == 1) Run<ThinLine<T>>(device, s, columnsAreWide);
        else if (thin == 2) Run<ThinPair<T, ThinLine<T>>>(device, s, columnsAreWide);
        else if (thin <= 4) Run<ThinPair<T, ThinPair<T, ThinLine<T>>>>(device, s, columnsAreWide);
        else Run<ThinPair<T, ThinPair<T, ThinPair<T, ThinLine<T>>>>>(device, s, columnsAreWide);
    }

    private static void Run<TSums>(GpuDevice device, in GemmShape<T, TBody> s, bool columnsAreWide)
        where TSums : struct, IThinSums<T, TSums>
    {
        DeviceMatrix wide = columnsAreWide ? s.B : s.A;
        (int rows, int columns) = columnsAreWide ? s.SizeB : s.SizeA;
        bool alongDepth = columnsAreWide ? s.TransB : !s.TransA;
        int lines = columnsAreWide ? s.N : s.M, leading = (int)wide.Leading, stride = (int)wide.Stride;
        bool quads = s.FitsQuads(wide, columns);
        if (alongDepth && quads) Dots<DepthQuads<T>, TSums>(device, s, columnsAreWide, new(s.Quads(wide, rows, columns), leading / 4, stride / 4, lines));
        else if (alongDepth) Dots<DepthElements<T>, TSums>(device, s, columnsAreWide, new(s.View(wide, rows, columns), leading, stride, lines));
        else if (quads) Columns<LineQuads<T>, TSums>(device, s, columnsAreWide, new(s.Quads(wide, rows, columns), leading / 4, stride / 4, lines));
        else Columns<LineElements<T>, TSums>(device, s, columnsAreWide, new(s.View(wide, rows, columns), leading, stride, lines));
    }

    private static void Dots<TWide, TSums>(GpuDevice device, in GemmShape<T, TBody> s, bool columnsAreWide, TWide wide)
        where TWide : struct, ITileSource<T, TWide>
        where TSums : struct, IThinSums<T, TSums>
    {
        DeviceMatrix thin = columnsAreWide ? s.A : s.B;
        int lines = columnsAreWide ? s.M : s.N;
        DeviceBlock? packed = null;
        DepthQuads<T> quads;
        if ((columnsAreWide ? !s.TransA : s.TransB) && s.FitsQuads(thin, s.K))
            quads = new(s.Quads(thin, lines, s.K), (int)thin.Leading / 4, (int)thin.Stride / 4, lines);
        else quads = Pack(device, s, columnsAreWide ? s.RowsOfA : s.ColumnsOfB, lines, thin.Stride == 0 ? 1 : s.Batch, out packed);

        ThinGrid grid = Plan(s, columnsAreWide, ThinKernels.DotLines);
        if (Pieces(device, s, grid) is { } pieces)
        {
            Dots<TWide, TSums, StridedTarget<T, NoBody<T>>>(device, grid, s.Batch, wide, quads, Raw(pieces, s, grid));
            AddPieces(device, s, columnsAreWide, grid, pieces);
        }
        else Dots<TWide, TSums, StridedTarget<T, TBody>>(device, grid, s.Batch, wide, quads, s.Target(columnsAreWide));
        packed?.Release();
    }

    private static void Columns<TWide, TSums>(GpuDevice device, in GemmShape<T, TBody> s, bool columnsAreWide, TWide wide)
        where TWide : struct, ITileSource<T, TWide>
        where TSums : struct, IThinSums<T, TSums>
    {
        ThinGrid grid = Plan(s, columnsAreWide, ThinKernels.ColumnLines);
        StridedElements<T> thin = columnsAreWide ? s.RowsOfA : s.ColumnsOfB;
        if (Pieces(device, s, grid) is { } pieces)
        {
            Columns<TWide, TSums, StridedTarget<T, NoBody<T>>>(device, grid, s.Batch, wide, thin, Raw(pieces, s, grid));
            AddPieces(device, s, columnsAreWide, grid, pieces);
        }
        else Columns<TWide, TSums, StridedTarget<T, TBody>>(device, grid, s.Batch, wide, thin, s.Target(columnsAreWide));
    }

    private static void Dots<TWide, TSums, TTarget>(GpuDevice device, ThinGrid grid, int batch, TWide wide, DepthQuads<T> thin, TTarget target)
        where TWide : struct, ITileSource<T, TWide>
        where TSums : struct, IThinSums<T, TSums>
        where TTarget : struct, ILineTarget<T>
    {
        var kernel = device.Kernel(
            Kernels<TWide, TSums, TTarget>.DotsKey,
            static a => a.LoadKernel<TWide, DepthQuads<T>, TTarget, ThinGrid>(ThinKernels.Dots<T, TWide, TSums, TTarget>));
        kernel(device.Stream, new KernelConfig(checked(grid.Groups * grid.Splits * batch), ThinKernels.Threads), wide, thin, target, grid);
        device.LaunchCount++;
    }

    private static void Columns<TWide, TSums, TTarget>(GpuDevice device, ThinGrid grid, int batch, TWide wide, StridedElements<T> thin, TTarget target)
        where TWide : struct, ITileSource<T, TWide>
        where TSums : struct, IThinSums<T, TSums>
        where TTarget : struct, ILineTarget<T>
    {
        var kernel = device.Kernel(
            Kernels<TWide, TSums, TTarget>.ColumnsKey,
            static a => a.LoadKernel<TWide, StridedElements<T>, TTarget, ThinGrid>(ThinKernels.Columns<T, TWide, TSums, TTarget>));
        kernel(device.Stream, new KernelConfig(checked(grid.Groups * grid.Splits * batch), ThinKernels.Threads), wide, thin, target, grid);
        device.LaunchCount++;
    }

    private static ThinGrid Plan(in GemmShape<T, TBody> s, bool columnsAreWide, int linesPerGroup)
    {
        (int wide, int thin) = columnsAreWide ? (s.N, s.M) : (s.M, s.N);
        int groups = (wide + linesPerGroup - 1) / linesPerGroup;
        (int splits, int piece) = GemmPieces<T>.Split((long)groups * s.Batch, Wanted, s.K, ShortestPiece);
        return new ThinGrid(groups, wide, thin, splits, piece, s.K);
    }

    // Room for the pieces of C where its depth is split, thin line by thin line.
    private static DeviceBlock? Pieces(GpuDevice device, in GemmShape<T, TBody> s, ThinGrid grid) =>
        grid.Splits == 1 ? null : new DeviceBlock(device, (long)Total(s, grid) * Unsafe.SizeOf<T>());

    private static int Total(in GemmShape<T, TBody> s, ThinGrid grid) => checked(s.Batch * grid.Splits * grid.Thin * grid.Wide);

    private static StridedTarget<T, NoBody<T>> Raw(DeviceBlock pieces, in GemmShape<T, TBody> s, ThinGrid grid)
    {
        ArrayView<T> view = pieces.View<T>(0, Total(s, grid));
        return new StridedTarget<T, NoBody<T>>(view, grid.Thin * grid.Wide, 1, grid.Wide, new TileFinish<T, NoBody<T>>(view, 0, 0, default));
    }

    private static void AddPieces(GpuDevice device, in GemmShape<T, TBody> s, bool columnsAreWide, ThinGrid grid, DeviceBlock pieces)
    {
        ArrayView<T> view = pieces.View<T>(0, Total(s, grid));
        GemmPieces<T>.Add(device, view, s.Target(!columnsAreWide), s.Batch, grid.Splits, grid.Thin, grid.Wide);
        pieces.Release();
    }

    private static DepthQuads<T> Pack(GpuDevice device, in GemmShape<T, TBody> s, StridedElements<T> source, int lines, int batch, out DeviceBlock packed)
    {
        int pitch = (s.K + 3) & ~3, count = checked(batch * lines * pitch);
        packed = new DeviceBlock(device, (long)count * Unsafe.SizeOf<T>());
        var kernel = device.Kernel(PackKernel<T>.Key, static a => a.LoadKernel<StridedElements<T>, ArrayView<T>, int, int, int, int>(ThinKernels.Pack));
        kernel(device.Stream, DeviceGrid.For(device, count), source, packed.View<T>(0, count), lines, s.K, pitch, count);
        device.LaunchCount++;
        return new DepthQuads<T>(packed.View<Quartet<T>>(0, count / 4), pitch / 4, batch == 1 ? 0 : lines * pitch / 4, lines);
    }

    private static class Kernels<TWide, TSums, TTarget>
    {
        public static readonly object DotsKey = new();
        public static readonly object ColumnsKey = new();
    }
}

/// <summary>The kernel that packs, whatever is done with the product.</summary>
internal static class PackKernel<T>
    where T : unmanaged, INumber<T>
{
    public static readonly object Key = new();
}
