using System.Numerics;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>
/// Convolutions as products by <see cref="TileKernels"/>. With O and C channels in a group, n images, P outputs and I inputs an image, T taps:
/// <list type="bullet">
/// <item>forward: (O × C·T) · (C·T × n·P), the right operand gathered from x;</item>
/// <item>gradient of x: (C × O·T) · (O·T × n·I), gathered from the gradient of y; with strides a product for every phase (see <see cref="PhaseWalk"/>), all in
/// one launch;</item>
/// <item>gradient of the filters: (O × n·P) · (n·P × C·T), gathered from x, n·P split in pieces.</item>
/// </list>
/// </summary>
/// <remarks>
/// Gathering costs a thread of a 128 × 128 tile four table entries, four checks and four loads for each 512 multiply-adds: 635 instructions a stage, where
/// a matrix has 590. So some 80 % of the peak are in reach. Loads of neighbouring positions are neighbours where the stride is 1.
/// </remarks>
internal static class ConvolutionTiles<T, TCheck>
    where T : unmanaged, INumber<T>
    where TCheck : struct, IPatchCheck
{
    public static void Forward<TBody>(
        GpuDevice device, in WindowShape s, in ConvolutionSizes sizes, DeviceVector x, DeviceVector w, DeviceVector? bias, DeviceVector y, TBody body)
        where TBody : struct, IProductBody<T>
    {
        int depth = checked(s.InChannels * sizes.Taps), columns = checked(s.Batch * sizes.OutputPlane);
        PatchGrid grid = new DeviceWindow(s).Grid;
        using var tables = ConvolutionTables.ForDepth<TCheck>(device, Outputs(s), grid, s.InChannels);
        var patches = new PatchGather<T, TCheck>(
            x.View<T>(sizes.X), tables.Taps, tables.Phases, grid, s.Groups, s.InChannels, tables.Pitch, columns);
        ArrayView<T> output = y.View<T>(sizes.Y);
        var target = new ConvolutionTarget<TBody>(
            y, sizes.Y, Space(s.Output, Ones), s.Groups, s.OutChannels, columns, ConvolutionWindows<T>.Finish(s, bias, output, body));
        if ((depth & 3) == 0 && (w.Offset & 3) == 0)
            Run(device, new DepthQuads<T>(w.Quads<T>(sizes.W), depth / 4, s.OutChannels * depth / 4, s.OutChannels), patches, target, s.Groups, depth);
        else Run(device, new DepthElements<T>(w.View<T>(sizes.W), depth, s.OutChannels * depth, s.OutChannels), patches, target, s.Groups, depth);
    }

    public static void InputGradient<TBody>(
        GpuDevice device, in WindowShape s, in ConvolutionSizes sizes, DeviceVector dy, DeviceVector w, DeviceVector dx, TBody body)
        where TBody : struct, IProductBody<T>
    {
        var rule = new PatchRule
        {
            Z = PatchAxisRule.Backward(s, 0),
            Y = PatchAxisRule.Backward(s, 1),
            X = PatchAxisRule.Backward(s, 2),
        };
        ImageSpace space = Space(s.Input, s.Stride);
        var grid = new PatchGrid
        {
            GridZ = (s.Input[0] + s.Stride[0] - 1) / s.Stride[0],
            GridY = space.GridY,
            GridX = space.GridX,
            StepZ = 1,
            StepY = 1,
            StepX = 1,
            SourceZ = s.Output[0],
            SourceY = s.Output[1],
            SourceX = s.Output[2],
            TapZ = rule.Z.Increment,
            TapY = rule.Y.Increment,
            TapX = rule.X.Increment,
        };
        int depth = checked(s.OutChannels * rule.MaxTaps), columns = checked(s.Batch * space.Positions), batch = checked(s.Groups * rule.Phases);
        using var tables = ConvolutionTables.ForDepth<TCheck>(device, rule, grid, s.OutChannels);
        int pitch = (depth + 3) / 4;
        DeviceBlock turned = ConvolutionTables.Turn<T>(device, s, rule, w.View<T>(sizes.W), 4 * pitch, out ArrayView<Quartet<T>> filters);
        var patches = new PatchGather<T, TCheck>(dy.View<T>(sizes.Y), tables.Taps, tables.Phases, grid, s.Groups, s.OutChannels, tables.Pitch, columns);
        ArrayView<T> input = dx.View<T>(sizes.X);
        var target = new ConvolutionTarget<TBody>(
            dx, sizes.X, space, s.Groups, s.InChannels, columns, new TileFinish<T, TBody>(input, 0, 0, body));
        Run(device, new DepthQuads<T>(filters, pitch, s.InChannels * pitch, s.InChannels), patches, target, batch, depth);
        turned.Release();
    }

    public static void WeightGradient(GpuDevice device, in WindowShape s, in ConvolutionSizes sizes, DeviceVector x, DeviceVector dy, DeviceVector dw)
    {
        PatchGrid grid = new DeviceWindow(s).Grid;
        var perImage = new DeviceDivisor(sizes.OutputPlane);
        using var tables = ConvolutionTables.ForLines<TCheck>(device, Outputs(s), grid, s.InChannels);
        DeviceBlock places = ConvolutionTables.Pixels<TCheck>(device, grid, new DeviceWindow(s).First, out ArrayView<PatchEntry> pixels);
        var patches = new PatchSpread<T, TCheck>(x.View<T>(sizes.X), tables.Taps, pixels, perImage, grid, s.Groups, s.InChannels);
        if ((sizes.OutputPlane & 3) == 0 && (dy.Offset & 3) == 0)
            Weights(device, s, sizes, new ImageQuads<T>(dy.Quads<T>(sizes.Y), s.Groups, s.OutChannels, sizes.OutputPlane, perImage), patches, dw);
        else Weights(device, s, sizes, new ImageElements<T>(dy.View<T>(sizes.Y), s.Groups, s.OutChannels, sizes.OutputPlane, perImage), patches, dw);
        places.Release();
    }

    private static void Weights<TA>(GpuDevice device, in WindowShape s, in ConvolutionSizes sizes, TA a, PatchSpread<T, TCheck> b, DeviceVector dw)
        where TA : struct, ITileSource<T, TA>
    {
        int rows = s.OutChannels, columns = s.InChannels * sizes.Taps;
        ArrayView<T> target = dw.View<T>(sizes.W);
        var finish = new TileFinish<T, NoBody<T>>(target, 0, 0, default);
        TileGrid grid = TileLaunch<T>.Plan(rows, columns, s.Batch * sizes.OutputPlane, s.Groups, out bool large);
        if (grid.Splits > 1)
            TileLaunch<T>.Split(device, large, grid, rows, columns, s.Groups, a, b, new StridedTarget<T, NoBody<T>>(target, rows * columns, columns, 1, finish));
        else if ((columns & 3) == 0 && (dw.Offset & 3) == 0)
            TileLaunch<T>.Run(
                device, large, grid, s.Groups, a, b, new QuadTarget<T, NoBody<T>>(dw.Quads<T>(sizes.W), columns / 4, rows * columns / 4, rows, columns, finish));
        else TileLaunch<T>.Run(device, large, grid, s.Groups, a, b, new ElementTarget<T, NoBody<T>>(target, columns, rows * columns, rows, columns, finish));
    }

    private static void Run<TA, TBody>(GpuDevice device, TA a, PatchGather<T, TCheck> b, in ConvolutionTarget<TBody> target, int batch, int depth)
        where TA : struct, ITileSource<T, TA>
        where TBody : struct, IProductBody<T>
    {
        int rows = target.Channels, columns = target.Columns;
        TileGrid grid = TileLaunch<T>.Plan(rows, columns, depth, batch, out bool large);
        if (grid.Splits > 1) TileLaunch<T>.Split(device, large, grid, rows, columns, batch, a, b, target.Elements);
        else if (target.FitsQuads) TileLaunch<T>.Run(device, large, grid, batch, a, b, target.Quads);
        else TileLaunch<T>.Run(device, large, grid, batch, a, b, target.Elements);
    }

    private static PatchRule Outputs(in WindowShape s) =>
        new() { Z = PatchAxisRule.Forward(s, 0), Y = PatchAxisRule.Forward(s, 1), X = PatchAxisRule.Forward(s, 2) };

    private static Triple Ones
    {
        get
        {
            Triple ones = default;
            (ones[0], ones[1], ones[2]) = (1, 1, 1);
            return ones;
        }
    }

    private static ImageSpace Space(in Triple size, in Triple step) => new()
    {
        SizeZ = size[0],
        SizeY = size[1],
        SizeX = size[2],
        StepZ = step[0],
        StepY = step[1],
        StepX = step[2],
        Pixels = DeviceGrid.Index(size.Product),
        Positions = (size[0] + step[0] - 1) / step[0] * ((size[1] + step[1] - 1) / step[1]) * ((size[2] + step[2] - 1) / step[2]),
    };

    /// <summary>Images that a product is written to.</summary>
    private readonly struct ConvolutionTarget<TBody>(
        DeviceVector images, int count, ImageSpace space, int groups, int channels, int columns, TileFinish<T, TBody> finish)
        where TBody : struct, IProductBody<T>
    {
        private readonly DeviceVector _images = images;
        private readonly int _count = count;
        private readonly ImageSpace _space = space;
        private readonly int _groups = groups;
        private readonly TileFinish<T, TBody> _finish = finish;

        public int Channels { get; } = channels;

        public int Columns { get; } = columns;

        public bool FitsQuads => _space.Positions == _space.Pixels && (_space.Pixels & 3) == 0 && (_images.Offset & 3) == 0;

        public ImageTarget<T, TBody> Elements => new(_images.View<T>(_count), _space, _groups, Channels, Columns, _finish);

        public PlaneQuads<T, TBody> Quads => new(_images.Quads<T>(_count), _space.Pixels, _groups, Channels, Columns, _finish);
    }
}
