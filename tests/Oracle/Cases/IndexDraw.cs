using Fusion.Oracle.Programs;
using static TorchSharp.torch;

namespace Fusion.Oracle.Cases;

/// <summary>A random index expression for arrays of a shape, as both sides write it.</summary>
internal sealed record IndexDraw(Shape Shape, AxisIndex[] Ours, TensorIndex[] Theirs, Shape Result)
{
    public static IndexDraw Of(CaseDraw c) => Of(c, c.Sizes(c.Int(5), c.Int(8) == 0 ? 0 : 1, 5));

    public static IndexDraw Of(CaseDraw c, Shape shape)
    {
        List<AxisIndex> ours = [];
        List<TensorIndex> theirs = [];
        List<int> result = [];
        int named = c.Int(shape.Rank + 1), ellipsis = c.Int(3) == 0 ? c.Int(named + 1) : -1, gap = shape.Rank - named;
        for (int i = 0; i <= named; i++)
        {
            if (i == ellipsis) Add(AxisIndex.Ellipsis, TensorIndex.Ellipsis, shape.Dimensions.Slice(i, gap));
            if (c.Int(6) == 0) Add(AxisIndex.NewAxis, TensorIndex.Null, [1]);
            if (i == named) break;
            int size = shape[ellipsis >= 0 && i >= ellipsis ? i + gap : i];
            if (size > 0 && c.Int(5) < 2) AddPosition(size);
            else AddRange(size);
        }

        // Without an ellipsis the axes that are left follow.
        if (ellipsis < 0) result.AddRange(shape.Dimensions[named..]);
        return new IndexDraw(shape, [.. ours], [.. theirs], result.ToArray());

        void Add(AxisIndex index, TensorIndex their, ReadOnlySpan<int> sizes)
        {
            ours.Add(index);
            theirs.Add(their);
            foreach (int size in sizes) result.Add(size);
        }

        void AddPosition(int size)
        {
            int at = c.Int(size);
            Add(c.Int(3) switch { 0 => (AxisIndex)at, 1 => at - size, _ => ^(size - at) }, TensorIndex.Single(at), []);
        }

        void AddRange(int size)
        {
            int start = c.Int(size + 1), stop = start + c.Int(size - start + 1);
            Range range = c.Int(5) switch
            {
                0 => ..,
                1 => new Range(start, ^(size - stop)),
                2 => new Range(^(size - start), stop),
                _ => new Range(start, stop),
            };
            if (range.Equals(..)) (start, stop) = (0, size);
            Add(range, TensorIndex.Slice(start, stop), [stop - start]);
        }
    }

    /// <summary>The part of an array; without any index the array.</summary>
    public Tensor Read(Tensor x) => Theirs.Length == 0 ? x : x.index(Theirs);

    /// <summary>A copy with the part replaced: an array of the places of all elements says where they are.</summary>
    public Tensor Write(Tensor x, Tensor values)
    {
        Tensor places = Read(arange(x.numel(), ScalarType.Int64).reshape(x.shape)).reshape(-1);
        Tensor given = values.detach().to_type(ScalarType.Float64).expand(Result.Longs()).reshape(-1);
        return x.detach().reshape(-1).index_copy(0, places, given).reshape(x.shape);
    }

    public override string ToString() => string.Join(", ", Ours);
}
