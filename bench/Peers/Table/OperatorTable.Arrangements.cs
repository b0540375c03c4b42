using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Fusion.Peers.Table;

// Elements in other places. Views are copied on both sides: a view alone costs nothing to compare or to time.
internal static partial class OperatorTable
{
    private static readonly OperatorRow[] Arrangements =
    [
        Moved("Reshape", static x => Nd.Reshape(x, 4, -1), static x => x.reshape(4, -1)), Moved("Flatten", Nd.Flatten, static x => x.flatten(1)),
        Moved("ExpandDims", static x => Nd.ExpandDims(x, 1), static x => x.unsqueeze(1)),
        Moved("Squeeze", static x => Nd.Squeeze(x[..1], 0), static x => x.slice(0, 0, 1, 1).squeeze(0)),
        Moved("Transpose", static x => Nd.Transpose(x, 2, 0, 1), static x => x.permute(2, 0, 1)),
        Moved("SwapAxes", static x => Nd.SwapAxes(x, 1, 2), static x => x.transpose(1, 2)),
        Moved("MoveAxis", static x => Nd.MoveAxis(x, 0, 2), static x => moveaxis(x, 0, 2)),
        Moved("Rot90", static x => Nd.Rot90(x, 1, 1, 2), static x => rot90(x, 1, (1, 2))),
        Moved("Slice", static x => Nd.Slice(x, 2, 1, -1, 2), static x => x.slice(2, 1, x.shape[2] - 1, 2)),
        Moved("Flip", static x => Nd.Flip(x, 1), static x => flip(x, 1)),
        Moved("Diagonal", static x => Nd.Diagonal(x, 1), static x => x.diagonal(1, 1, 2)),
        Moved("Split", static x => Nd.Split(x, 2, 1)[1], static x => x.chunk(2, 1)[1]),
        Moved("ArraySplit", static x => Nd.ArraySplit(x, 3, 2)[0], static x => tensor_split(x, 3, 2)[0]),
        new("BroadcastTo", static x => Nd.BroadcastTo(x[0], (20, 33)).Copy(), static x => x[0].expand(20, 33).clone(), Operand.Real((1, 33), (1, 33))),
        Cube("Concat", static x => Nd.Concat([x, x * 2], 1), static x => cat([x, x * 2], 1)),
        Cube("Stack", static x => Nd.Stack([x, x * 2], 2), static x => stack([x, x * 2], 2)),
        Cube("Roll", static x => Nd.Roll(x, 3, 2), static x => roll(x, 3, 2)),
        Cube("Repeat", static x => Nd.Repeat(x, 3, 1), static x => x.repeat_interleave(3, 1)),
        Cube("Tile", static x => Nd.Tile(x, 1, 2, 2), static x => tile(x, [1, 2, 2])),
        Cube("Pad", static x => Nd.Pad(x, [(0, 0), (1, 2), (3, 1)], 0.5), static x => F.pad(x, [3, 1, 1, 2], PaddingModes.Constant, 0.5)),
        Cube("Pad: reflect", static x => Nd.Pad(x, [(0, 0), (0, 0), (3, 1)], PadMode.Reflect), static x => F.pad(x, [3, 1], PaddingModes.Reflect)),
        Cube("Pad: edge", static x => Nd.Pad(x, [(0, 0), (0, 0), (3, 1)], PadMode.Edge), static x => F.pad(x, [3, 1], PaddingModes.Replicate)),
        Cube("Pad: wrap", static x => Nd.Pad(x, [(0, 0), (0, 0), (3, 1)], PadMode.Wrap), static x => F.pad(x, [3, 1], PaddingModes.Circular)),
        Cube("Tril", static x => Nd.Tril(x, 1), static x => x.tril(1)), Cube("Triu", static x => Nd.Triu(x, -1), static x => x.triu(-1)),
        new("Meshgrid", static x => Nd.Meshgrid([x[0], x[1]], true)[0] * 2, static x => meshgrid([x[0], x[1]])[0] * 2, Operand.Real(5, 1000),
            Operand.Real(7, 1000)),
        new("Diag", static x => Nd.Diag(x[0], 1), static x => diag(x[0], 1), Operand.Real(9, 1000)),
        Matrix("Trace", static x => Nd.Trace(x), static x => x.diagonal().sum()),
        // MXNet's order of the new channels: the place in the block first.
        new("SpaceToDepth", static x => Nd.SpaceToDepth(x[0], 2), static x => Blocks(x[0]), Operand.Real((2, 3, 4, 6), (10, 10, 100, 100))),
        new("DepthToSpace", static x => Nd.DepthToSpace(Nd.SpaceToDepth(x[0], 2), 2), static x => x[0] * 1,
            Operand.Real((2, 3, 4, 6), (10, 10, 100, 100))) { IsTimed = false },
        new("SliceUpdate", static x => Nd.SliceUpdate(x[0], x[1], 1, 1, 3), static x => slice_scatter(x[0], x[1], 1, 1, 3),
            Operand.Real((3, 5, 7), (100, 100, 100)), Operand.Real((3, 2, 7), (100, 2, 100))),
        new("Unfold", static x => Nd.Unfold(x[0], (3, 2), 2, 1), static x => F.unfold(x[0], (3, 2), null, (1, 1), (2, 2)),
            Operand.Real((2, 3, 8, 7), (8, 8, 64, 64))),
        new("Fold", static x => Nd.Fold(x[0], 6, 6, (2, 2), 2), static x => F.fold(x[0], (6, 6), (2, 2), null, null, (2, 2)),
            Operand.Real((2, 12, 9), (200, 128, 9))),
        new("SampleBilinear", static x => Nd.SampleBilinear(x[0], Nd.Zeros(x[1].Shape, DType.Int64), x[1], x[2]), static x => Sampled(x[0], x[1], x[2]),
            Operand.Real((1, 3, 8, 7), (1, 16, 128, 128)), Operand.Real(40, 50_000, -0.8, 7.8), Operand.Real(40, 50_000, -0.8, 6.8)) { Slack = 4 },
        Resized("nearest", ResizeMode.Nearest, InterpolationMode.Nearest, false), Resized("bilinear", ResizeMode.Bilinear, InterpolationMode.Bilinear, false),
        Resized("bilinear, corners aligned", ResizeMode.Bilinear, InterpolationMode.Bilinear, true),
    ];

    private static OperatorRow Moved(string name, Func<NDArray, NDArray> ours, Func<Tensor, Tensor> theirs) => Cube(name, x => ours(x).Copy(),
        x => Copied(theirs(x)));

    // In row-major order on both sides: clone keeps the order of a transposed view, so that nothing would be transposed.
    private static Tensor Copied(Tensor view) => view.is_contiguous() ? view.clone() : view.contiguous();

    private static OperatorRow Resized(string variant, ResizeMode ours, InterpolationMode theirs, bool corners) =>
        new($"Resize: {variant}", x => Nd.Resize(x[0], 11, 9, ours, corners),
            x => F.interpolate(x[0], [11, 9], mode: theirs, align_corners: theirs == InterpolationMode.Nearest ? null : corners),
            Operand.Real((2, 3, 5, 6), (64, 64, 16, 16)));

    // Positions in pixels become those from −1 to 1 between the corner pixels.
    private static Tensor Sampled(Tensor x, Tensor row, Tensor column)
    {
        Tensor grid = stack([(2 * column / (x.shape[3] - 1)) - 1, (2 * row / (x.shape[2] - 1)) - 1], -1).reshape(1, 1, -1, 2);
        return F.grid_sample(x, grid, align_corners: true).reshape(x.shape[1], -1).t();
    }

    private static Tensor Blocks(Tensor x)
    {
        long[] s = x.shape;
        return x.reshape(s[0], s[1], s[2] / 2, 2, s[3] / 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(s[0], s[1] * 4, s[2] / 2, s[3] / 2);
    }
}
