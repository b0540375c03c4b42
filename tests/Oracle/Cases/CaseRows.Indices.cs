using Fusion.Oracle.Programs;
using static TorchSharp.torch;

namespace Fusion.Oracle.Cases;

// Index expressions, and functions that read and write at indices.
internal static partial class CaseRows
{
    private static readonly CaseRow[] Indices =
    [
        new("x[…]", static c =>
        {
            IndexDraw index = IndexDraw.Of(c);
            return RandomCase.Of($"x[{index}]", [c.Real(index.Shape)], x => [x[0][index.Ours]], t => [index.Read(t[0])]);
        }),
        new("x[…][…]", static c =>
        {
            IndexDraw first = IndexDraw.Of(c), second = IndexDraw.Of(c, first.Result);
            return RandomCase.Of($"x[{first}][{second}]", [c.Real(first.Shape)], x => [x[0][first.Ours][second.Ours] * 2], t => [second.Read(first.Read(t[0])) * 2]);
        }),
        new("x[…] = y", static c =>
        {
            IndexDraw index = IndexDraw.Of(c);
            DType type = c.Of(c.DType, DType.Int32, DType.Float64, DType.Float32);
            NDArray values = c.Real(Narrowed(c, index.Result), -9, 9).Round().AsType(type);
            return RandomCase.Of($"x[{index}] = {type} {values.Shape}", [c.Real(index.Shape), values],
                x =>
                {
                    NDArray copy = x[0].Copy();
                    copy[index.Ours] = x[1];
                    return [copy, x[0]];
                },
                t => [index.Write(t[0], t[1]), t[0]]) with
            { HasGradient = false };
        }),
        new("x[…] += y", static c =>
        {
            IndexDraw index = IndexDraw.Of(c);
            NDArray values = c.Real(Narrowed(c, index.Result), -9, 9);
            return RandomCase.Of($"x[{index}] += {values.Shape}", [c.Real(index.Shape), values],
                x =>
                {
                    NDArray copy = x[0].Copy();
                    copy[index.Ours] += x[1];
                    return [copy, x[0]];
                },
                t => [index.Write(t[0], index.Read(t[0]) + t[1]), t[0]]) with
            { HasGradient = false };
        }),
        new("x[…] = x[…]", static c =>
        {
            // Two parts of one array that overlap.
            int size = c.Int(2, 9), other = c.Int(1, 4), length = c.Int(1, size), from = c.Int(size - length + 1), to = c.Int(size - length + 1);
            return RandomCase.Of($"x[{to}..{to + length}] = x[{from}..{from + length}]", [c.Real((size, other))],
                x =>
                {
                    NDArray copy = x[0].Copy();
                    copy[to..(to + length)] = copy[from..(from + length)];
                    return [copy];
                },
                t => [slice_scatter(t[0], t[0].narrow(0, from, length), 0, to, to + length, 1)]) with
            { HasGradient = false };
        }),
        new("SetValue", static c =>
        {
            IndexDraw index = IndexDraw.Of(c);
            double value = c.Number(-9, 9);
            return RandomCase.Of($"x.SetValue({value}, {index})", [c.Real(index.Shape).AsType(DType.Float64)],
                x =>
                {
                    NDArray copy = x[0].Copy();
                    copy.SetValue(value, index.Ours);
                    return [copy];
                },
                t => [index.Write(t[0], tensor(value, ScalarType.Float64))]) with
            { HasGradient = false };
        }),
        new("Slice", static c => Sliced(c, static (x, _, axis, start, stop, step) => x.Slice(axis, start, stop, step), static (x, _, axis, at) => x.index_select(axis, at))),
        new("SliceUpdate", static c => Sliced(c, static (x, y, axis, start, stop, step) => x.SliceUpdate(y, axis, start, stop, step),
            static (x, y, axis, at) => x.index_copy(axis, at, y.expand([.. x.shape.Select((d, i) => i == axis ? at.shape[0] : d)])))),
        new("BooleanMask", static c =>
        {
            Shape shape = c.Sizes(c.Int(1, 3), 0, 4);
            int axis = c.Int(shape.Rank), axes = c.Int(1, shape.Rank - axis);
            NDArray mask = c.Truths(shape.Dimensions.Slice(axis, axes).ToArray());
            return RandomCase.Of($"BooleanMask(mask {mask.Shape}, {axis})", [c.Real(shape)], x => [x[0].BooleanMask(mask, axis)],
                t => [t[0].flatten(axis, axis + axes - 1).index_select(axis, Their.Of(mask).flatten().nonzero().flatten())]);
        }),
        new("MaskedAssign", static c =>
        {
            Shape shape = c.Sizes(c.Int(1, 3), 1, 4);
            return RandomCase.Of("MaskedAssign", [c.Real(shape), c.Truths(shape), c.Real((int)shape.Size)], x => [x[0].MaskedAssign(x[1], x[2])], t => [t[0].masked_scatter(t[1], t[2])]);
        }),
        new("MaskedFill", static c =>
        {
            Shape shape = c.Sizes(c.Int(1, 3), 0, 4);
            double value = c.Of(0, -1.5, double.NegativeInfinity);
            return RandomCase.Of($"MaskedFill({value})", [c.Real(shape), c.Truths(Narrowed(c, shape))], x => [x[0].MaskedFill(x[1], value)], t => [t[0].masked_fill(t[1], value)]);
        }),
        new("Take", static c =>
        {
            Shape shape = c.Sizes(c.Int(1, 3), 1, 5);
            int axis = c.Int(shape.Rank), size = shape[axis];
            NDArray at = c.Integers(c.Sizes(c.Int(3), 0, 4), -size, size, c.Of(DType.Int32, DType.Int64));
            return RandomCase.Of($"Take({at.Shape}, {axis})", [c.Real(shape), at], x => [x[0].Take(x[1], c.Flag() ? axis : axis - shape.Rank)],
                t => [t[0].index_select(axis, Positive(t[1], size).reshape(-1)).reshape([.. shape.Longs()[..axis], .. at.Shape.Longs(), .. shape.Longs()[(axis + 1)..]])]);
        }),
        new("TakeAlongAxis", static c =>
        {
            Shape shape = c.Sizes(c.Int(1, 3), 1, 5);
            int axis = c.Int(shape.Rank), size = shape[axis];
            int[] sizes = shape.Dimensions.ToArray();
            for (int i = 0; i < sizes.Length; i++)
                if (i == axis) sizes[i] = c.Int(5);
                else if (c.Int(4) == 0) sizes[i] = 1;
            long[] full = [.. shape.Longs().Select((d, i) => i == axis ? sizes[axis] : d)];
            return RandomCase.Of($"TakeAlongAxis({CaseDraw.Text(sizes)}, {axis})", [c.Real(shape), c.Integers(sizes, -size, size)], x => [x[0].TakeAlongAxis(x[1], axis)],
                t => [t[0].gather(axis, Positive(t[1], size).expand(full).clone())]);
        }),
        new("Pick", static c =>
        {
            Shape shape = c.Sizes(c.Int(1, 3), 1, 5);
            int axis = c.Int(shape.Rank), size = shape[axis];
            int[] rest = [.. shape.Dimensions[..axis], .. shape.Dimensions[(axis + 1)..]];
            return RandomCase.Of($"Pick({axis})", [c.Real(shape), c.Integers(rest, -size, size)], x => [x[0].Pick(x[1], axis)],
                t => [t[0].gather(axis, Positive(t[1], size).unsqueeze(axis)).squeeze(axis)]);
        }),
        new("Gather", static c => Gathered(c, static (x, at, _) => x.Gather(at), static (x, at, _) => x.index([.. at.Select(TensorIndex.Tensor)]))),
        new("ScatterAdd", static c => Gathered(c, static (x, at, y) => x.ScatterAdd(at, y), static (x, at, y) => x.clone().index_put_(y, at, true))),
        new("Scatter", static c => Gathered(c, static (x, at, y) => y.Scatter(at, x.Shape), static (x, at, y) => zeros_like(x).index_put_(y, at, true))),
        new("IndexAdd", static c => Written(c, static (x, at, y, axis) => x.IndexAdd(at, y, axis), static (x, at, y, axis) => x.index_add(axis, at, y, 1))),
        new("IndexUpdate", static c => Written(c, static (x, at, y, axis) => x.IndexUpdate(at, y, axis), static (x, at, y, axis) =>
        {
            // The last value stays.
            long[] from = [.. Enumerable.Range(0, (int)x.shape[axis])], places = at.data<long>().ToArray();
            for (int i = 0; i < places.Length; i++) from[places[i]] = x.shape[axis] + i;
            return cat([x, y], axis).index_select(axis, tensor(from));
        })),
    ];

    private static Tensor Positive(Tensor at, long size) => where(at.lt(0), at + size, at).to_type(ScalarType.Int64);

    // A shape that broadcasts to another: ones, and leading axes left out.
    private static Shape Narrowed(CaseDraw c, Shape shape) =>
        shape.Dimensions[(c.Int(3) == 0 ? c.Int(shape.Rank + 1) : 0)..].ToArray().Select(d => c.Int(4) == 0 ? 1 : d).ToArray();

    private static RandomCase Sliced(CaseDraw c, Func<NDArray, NDArray, int, int?, int?, int, NDArray> ours, Func<Tensor, Tensor, int, Tensor, Tensor> theirs)
    {
        Shape shape = c.Sizes(c.Int(1, 3), 1, 6);
        int axis = c.Int(shape.Rank), size = shape[axis], step = c.Of(1, 2, 3, -1, -2, -3);
        int? start = c.Int(4) == 0 ? null : c.Int(-size - 2, size + 2), stop = c.Int(4) == 0 ? null : c.Int(-size - 2, size + 2);
        long[] at = [.. Positions(size, start, stop, step)];
        int[] values = [.. shape.Dimensions];
        values[axis] = c.Flag() ? 1 : at.Length;
        return RandomCase.Of($"({axis}, {start?.ToString() ?? "null"}, {stop?.ToString() ?? "null"}, {step}), values {CaseDraw.Text(values)}", [c.Real(shape), c.Real(values)],
            x => [ours(x[0], x[1], axis, start, stop, step)], t => [theirs(t[0], t[1], axis, tensor(at))]);
    }

    // Python's slice.indices.
    private static IEnumerable<long> Positions(int size, int? start, int? stop, int step)
    {
        (int low, int high) = step > 0 ? (0, size) : (-1, size - 1);
        int Bound(int? given, int otherwise) => given is not { } v ? otherwise : Math.Clamp(v < 0 ? v + size : v, low, high);
        int first = Bound(start, step > 0 ? low : high), last = Bound(stop, step > 0 ? high : low);
        for (int i = first; step > 0 ? i < last : i > last; i += step) yield return i;
    }

    private static RandomCase Gathered(CaseDraw c, Func<NDArray, NDArray, NDArray, NDArray> ours, Func<Tensor, Tensor[], Tensor, Tensor> theirs)
    {
        Shape shape = c.Sizes(c.Int(1, 3), 1, 5);
        int axes = c.Int(1, shape.Rank);
        int[] lead = c.Sizes(c.Int(3), 0, 4);
        NDArray at = Nd.Stack([.. Enumerable.Range(0, axes).Select(i => c.Integers(lead, -shape[i], shape[i]))]);
        return RandomCase.Of($"indices {at.Shape}", [c.Real(shape), at, c.Real([.. lead, .. shape.Dimensions[axes..]])], x => [ours(x[0], x[1], x[2])],
            t => [theirs(t[0], [.. Enumerable.Range(0, axes).Select(i => Positive(t[1].select(0, i), shape[i]))], t[2])]);
    }

    private static RandomCase Written(CaseDraw c, Func<NDArray, NDArray, NDArray, int, NDArray> ours, Func<Tensor, Tensor, Tensor, int, Tensor> theirs)
    {
        Shape shape = c.Sizes(c.Int(1, 3), 1, 5);
        int axis = c.Int(shape.Rank), size = shape[axis], count = c.Int(6);
        int[] values = [.. shape.Dimensions];
        values[axis] = count;
        return RandomCase.Of($"{count} indices, axis {axis}", [c.Real(shape), c.Integers(count, -size, size), c.Real(values)], x => [ours(x[0], x[1], x[2], axis)],
            t => [theirs(t[0], Positive(t[1], size), t[2], axis)]);
    }
}
