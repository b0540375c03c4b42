using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Fusion.Oracle.Programs;

// The same elements in other places.
internal static partial class Rules
{
    private static readonly Rule[] Views =
    [
        new("Transpose", 1, static (c, a) =>
        {
            int[] order = c.Permutation(a[0].Rank);
            return a[0].Rank < 2 ? null : Step.Of(x => x[0].Transpose(order), x => x[0].permute(order.Longs()), new { order });
        }),
        new("Reshape", 1, static (c, a) =>
        {
            int[] shape = Regrouped(c, a[0].Shape);
            return Step.Of(x => x[0].Reshape(shape), x => x[0].reshape(shape.Longs()), new { shape });
        }),
        new("ExpandDims", 1, static (c, a) =>
        {
            int axis = c.Int(a[0].Rank + 1);
            return a[0].Rank > 3 ? null : Step.Of(x => x[0].ExpandDims(axis), x => x[0].unsqueeze(axis), new { axis });
        }),
        new("Squeeze", 1, static (c, a) =>
        {
            int[] ones = [.. Enumerable.Range(0, a[0].Rank).Where(i => a[0].Shape[i] == 1)];
            if (ones.Length == 0) return null;
            int axis = c.Of<int>(ones);
            return Step.Of(x => x[0].Squeeze(axis), x => x[0].squeeze(axis), new { axis });
        }),
        new("Slice", 1, static (c, a) =>
        {
            if (a[0].Rank == 0) return null;
            int axis = c.Axis(a[0]), size = a[0].Shape[axis], start = c.Int(size + 1), stop = start + c.Int(size - start + 1), step = 1 + c.Int(3);
            return Step.Of(x => x[0].Slice(axis, start, stop, step), x => x[0].slice(axis, start, stop, step), new { axis, start, stop, step });
        }) { Weight = 16 },
        new("Slice: backwards", 1, static (c, a) =>
        {
            if (a[0].Rank == 0) return null;
            int axis = c.Axis(a[0]), step = 1 + c.Int(2);
            return Step.Of(x => x[0].Slice(axis, null, null, -step), x => x[0].flip(axis).slice(axis, 0, long.MaxValue, step),
                new { axis, step });
        }),
        new("Index: mixed", 1, static (c, a) =>
        {
            if (a[0].Rank < 2 || a[0].Size == 0) return null;
            int first = c.Int(a[0].Shape[0]);
            return Step.Of(x => x[0][first, AxisIndex.NewAxis, AxisIndex.Ellipsis, 1..],
                x => x[0][TensorIndex.Single(first), TensorIndex.Null, TensorIndex.Ellipsis, TensorIndex.Slice(1)], new { first });
        }),
        new("BroadcastTo", 1, static (c, a) =>
        {
            if (a[0].Rank > 3) return null;
            int lead = 1 + c.Int(3), other = 2 + c.Int(2);
            Shape shape = [lead, .. a[0].Shape.Dimensions.ToArray().Select(d => d == 1 ? other : d)];
            return Step.Of(x => x[0].BroadcastTo(shape), x => x[0].expand(shape.Longs()), new { shape });
        }),
        new("SwapAxes", 1, static (c, a) =>
        {
            if (a[0].Rank < 2) return null;
            int i = c.Axis(a[0]), j = c.Axis(a[0]);
            return Step.Of(x => x[0].SwapAxes(i, j), x => x[0].transpose(i, j), new { i, j });
        }),
        new("MoveAxis", 1, static (c, a) =>
        {
            if (a[0].Rank < 2) return null;
            int i = c.Axis(a[0]), j = c.Axis(a[0]);
            return Step.Of(x => x[0].MoveAxis(i, j), x => moveaxis(x[0], i, j), new { i, j });
        }),
        new("Flip", 1, static (c, a) =>
        {
            if (a[0].Rank == 0) return null;
            int axis = c.Axis(a[0]);
            return Step.Of(x => x[0].Flip(axis), x => x[0].flip(axis), new { axis });
        }),
        new("Roll", 1, static (c, a) =>
        {
            if (a[0].Rank == 0) return null;
            int axis = c.Axis(a[0]), shift = c.Int(9) - 4;
            return Step.Of(x => x[0].Roll(shift, axis), x => x[0].roll(shift, axis), new { axis, shift });
        }),
        new("Rot90", 1, static (c, a) =>
        {
            if (a[0].Rank < 2) return null;
            int k = c.Int(5) - 1;
            return Step.Of(x => x[0].Rot90(k), x => rot90(x[0], k, (0, 1)), new { k });
        }),
        new("Diagonal", 1, static (c, a) =>
        {
            if (a[0].Rank < 2) return null;
            int k = c.Int(3) - 1;
            return Step.Of(x => x[0].Diagonal(k), x => x[0].diagonal(k, -2, -1), new { k });
        }),
        new("Tile", 1, static (c, a) =>
        {
            if (a[0].Rank == 0) return null;
            int[] counts = [.. Enumerable.Range(0, a[0].Rank).Select(_ => 1 + c.Int(2))];
            return Step.Of(x => x[0].Tile(counts), x => x[0].repeat(counts.Longs()), new { counts });
        }),
        new("Repeat", 1, static (c, a) =>
        {
            if (a[0].Rank == 0) return null;
            int axis = c.Axis(a[0]), count = c.Int(4);
            return Step.Of(x => x[0].Repeat(count, axis), x => x[0].repeat_interleave(count, axis), new { axis, count });
        }) { Weight = 4 },
        new("Pad", 1, static (c, a) =>
        {
            if (a[0].Rank == 0 || IsBool(a[0])) return null;
            double value = c.Int(3);
            (int, int)[] widths = [.. Enumerable.Range(0, a[0].Rank).Select(_ => (c.Int(3), c.Int(3)))];
            return Step.Of(x => x[0].Pad(widths, value), x => F.pad(x[0], Widths(widths), PaddingModes.Constant, value), new { widths, value });
        }),
        new("Tril", 1, static (c, a) =>
        {
            if (a[0].Rank < 2) return null;
            int k = c.Int(5) - 2;
            return c.Flag() ? Step.Of(x => x[0].Tril(k), x => x[0].tril(k), new { k }) : Step.Of(x => x[0].Triu(k), x => x[0].triu(k), new { k });
        }),
        new("Copy", 1, static (_, _) => Step.Of(x => x[0].Copy(), x => x[0].clone())) { Weight = 2 },
    ];

    // LibTorch's widths begin with the last axis.
    private static long[] Widths((int Before, int After)[] widths) => [.. widths.Reverse().SelectMany(static w => new long[] { w.Before, w.After })];

    // Neighbouring axes joined, or one axis cut in two.
    private static int[] Regrouped(Choice c, Shape shape)
    {
        List<int> sizes = [.. shape.Dimensions.ToArray()];
        if (sizes.Count > 1 && c.Flag())
        {
            int i = c.Int(sizes.Count - 1);
            sizes[i] *= sizes[i + 1];
            sizes.RemoveAt(i + 1);
        }
        else if (sizes.Count is > 0 and < 5)
        {
            int i = c.Int(sizes.Count), n = sizes[i];
            int divisor = n == 0 ? 1 : c.Of<int>([.. Enumerable.Range(1, n).Where(d => n % d == 0)]);
            sizes[i] = n / divisor;
            sizes.Insert(i, divisor);
        }
        else return shape.Size == 0 ? [.. sizes] : [-1];

        int free = c.Int(2 * sizes.Count);
        if (free < sizes.Count && shape.Size > 0) sizes[free] = -1;
        return [.. sizes];
    }
}
