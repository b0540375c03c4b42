using static TorchSharp.torch;

namespace Fusion.Oracle.Programs;

// Joining, cutting, reading and writing at indices.
internal static partial class Rules
{
    private static readonly Rule[] Joins =
    [
        new("Concat", 2, static (c, a) =>
        {
            if (a[0].Rank == 0 || a[0].Rank != a[1].Rank) return null;
            int[] differing = [.. Enumerable.Range(0, a[0].Rank).Where(i => a[0].Shape[i] != a[1].Shape[i])];
            if (differing.Length > 1) return null;
            int axis = differing.Length == 1 ? differing[0] : c.Int(a[0].Rank);
            return Step.Of(x => Nd.Concat([x[0], x[1], x[0]], axis), x => cat([x[0], x[1], x[0]], axis), new { axis });
        }) { Weight = 16 },
        new("Stack", 2, static (c, a) =>
        {
            if (a[0].Shape != a[1].Shape || a[0].Rank > 3 || a[0].DType != a[1].DType) return null;
            int axis = c.Int(a[0].Rank + 1);
            return Step.Of(x => Nd.Stack([x[0], x[1]], axis), x => stack([x[0], x[1]], axis), new { axis });
        }) { Weight = 16 },
        new("Split", 1, static (c, a) =>
        {
            if (a[0].Rank == 0 || a[0].Size == 0) return null;
            int axis = c.Axis(a[0]), size = a[0].Shape[axis];
            int sections = c.Of<int>([.. Enumerable.Range(1, size).Where(d => size % d == 0)]), k = c.Int(sections);
            return Step.Of(x => x[0].Split(sections, axis)[k], x => x[0].chunk(sections, axis)[k], new { sections, axis, k });
        }),
        new("Parts swapped", 1, static (c, a) =>
        {
            if (a[0].Rank == 0 || a[0].Shape[0] < 2) return null;
            int at = 1 + c.Int(a[0].Shape[0] - 1);
            return Step.Of(x => Nd.Concat([x[0].Slice(0, at, null), x[0].Slice(0, null, at)], 0),
                x => cat([x[0].slice(0, at, long.MaxValue, 1), x[0].slice(0, 0, at, 1)], 0), new { at });
        }),
    ];

    private static readonly Rule[] Indexing =
    [
        new("Take", 1, static (c, a) =>
        {
            if (a[0].Rank == 0 || a[0].Size == 0) return null;
            int axis = c.Axis(a[0]);
            NDArray at = c.Indices(c.Int(6), a[0].Shape[axis]);
            return Step.Of(x => x[0].Take(at, axis), x => x[0].index_select(axis, Their.Of(at)), new { at, axis });
        }) { Weight = 16 },
        new("TakeAlongAxis", 1, static (c, a) =>
        {
            if (a[0].Rank == 0 || a[0].Size == 0) return null;
            int axis = c.Axis(a[0]);
            int[] shape = a[0].Shape.Dimensions.ToArray();
            shape[axis < 0 ? axis + shape.Length : axis] = 1 + c.Int(5);
            NDArray at = c.Indices(shape, a[0].Shape[axis]);
            return Step.Of(x => x[0].TakeAlongAxis(at, axis), x => x[0].gather(axis, Their.Of(at)), new { at, axis });
        }),
        new("Gather", 1, static (c, a) =>
        {
            if (a[0].Rank < 2 || a[0].Size == 0) return null;
            NDArray at = c.Indices((2, 1 + c.Int(6)), Math.Min(a[0].Shape[0], a[0].Shape[1]));
            return Step.Of(x => x[0].Gather(at), x => x[0].index(Their.Of(at)[0], Their.Of(at)[1]), new { at });
        }),
        new("Pick", 1, static (c, a) =>
        {
            if (a[0].Rank == 0 || a[0].Size == 0) return null;
            NDArray at = c.Indices(a[0].Shape.Dimensions[..^1].ToArray(), a[0].Shape[-1]);
            return Step.Of(x => x[0].Pick(at), x => x[0].gather(-1, Their.Of(at).unsqueeze(-1)).squeeze(-1), new { at });
        }),
        new("IndexAdd", 2, static (c, a) => Written(c, a, false, static (at, shape, axis) => Step.Of(x => x[0].IndexAdd(at, Fits.To(x[1], shape), axis),
            x => x[0].index_add(axis, Their.Of(at), Fits.To(x[1], shape), 1), new { at, shape, axis }))),
        new("IndexUpdate", 2, static (c, a) => Written(c, a, true, static (at, shape, axis) => Step.Of(x => x[0].IndexUpdate(at, Fits.To(x[1], shape), axis),
            x => x[0].index_copy(axis, Their.Of(at), Fits.To(x[1], shape)), new { at, shape, axis }))),
        new("SliceUpdate", 2, static (c, a) =>
        {
            if (a[0].Rank == 0 || !Values(a)) return null;
            int axis = c.Axis(a[0]), size = a[0].Shape[axis], start = c.Int(size), stop = start + 1 + c.Int(size - start);
            int[] sizes = a[0].Shape.Dimensions.ToArray();
            sizes[axis < 0 ? axis + sizes.Length : axis] = stop - start;
            Shape shape = sizes;
            return Step.Of(x => x[0].SliceUpdate(Fits.To(x[1], shape), axis, start, stop), x => slice_scatter(x[0], Fits.To(x[1], shape), axis, start, stop, 1),
                new { shape, axis, start, stop });
        }),
        new("ScatterAdd", 2, static (c, a) =>
        {
            if (a[0].Rank == 0 || !Values(a)) return null;
            NDArray at = c.Indices((1, 4), a[0].Shape[0]);
            Shape shape = [4, .. a[0].Shape.Dimensions[1..]];
            return Step.Of(x => x[0].ScatterAdd(at, Fits.To(x[1], shape)), x => x[0].clone().index_put_(Fits.To(x[1], shape), [Their.Of(at)[0]], true), new { at, shape });
        }),
        new("MaskedAssign", 2, static (c, a) =>
        {
            if (!Values(a)) return null;
            NDArray mask = c.Truths(a[0].Shape);
            Shape shape = mask.AsType(DType.Int32).Sum().Item<long>() is var count && count == 0 ? 0 : (int)count;
            return Step.Of(x => x[0].MaskedAssign(mask, Fits.To(x[1], shape)), x => x[0].masked_scatter(Their.Of(mask), Fits.To(x[1], shape)), new { mask, shape });
        }),
        new("BooleanMask", 1, static (c, a) =>
        {
            if (a[0].Rank == 0) return null;
            NDArray mask = c.Truths(a[0].Shape[0]);
            return Step.Of(x => x[0].BooleanMask(mask), x => x[0].index(Their.Of(mask)), new { mask });
        }),
    ];

    private static readonly Rule[] Writes =
    [
        new("Buffer written", 1, static (c, a) =>
        {
            if (a[0].Rank == 0 || a[0].Shape[0] == 0 || !IsFloat(a[0])) return null;
            Shape shape = a[0].Shape;
            DType type = a[0].DType;
            int row = c.Int(shape[0]);
            return Step.Of(x => x[0] * InPlace.Buffer(shape, type, row), x => x[0] * InPlace.Buffer(shape, Their.Type(type), row), new { shape, type, row });
        }),
        new("Copy written", 2, static (c, a) =>
        {
            if (a[0].Rank == 0 || !Values(a)) return null;
            Shape shape = a[0].Shape.Dimensions[1..].ToArray();
            int row = c.Int(a[0].Shape[0]);
            return Step.Of(x => x[0] * 1.5 - InPlace.Row(x[0], row, Fits.To(x[1], shape)), x => x[0] * 1.5 - InPlace.Row(x[0], row, Fits.To(x[1], shape)), new { row, shape });
        }),
    ];

    // Both have elements of one floating-point type.
    private static bool Values(NDArray[] a) => IsFloat(a) && a[0].DType == a[1].DType && a[0].Size > 0 && a[1].Size > 0;

    private static Step? Written(Choice c, NDArray[] a, bool distinct, Func<NDArray, Shape, int, Step> step)
    {
        if (a[0].Rank == 0 || !Values(a)) return null;
        int axis = c.Axis(a[0]), size = a[0].Shape[axis];
        NDArray at = distinct ? Nd.Array(c.Permutation(size).Take(1 + c.Int(size)).Select(static i => (long)i).ToArray()) : c.Indices(1 + c.Int(5), size);
        int[] shape = a[0].Shape.Dimensions.ToArray();
        shape[axis < 0 ? axis + shape.Length : axis] = (int)at.Size;
        return step(at, shape, axis);
    }
}
