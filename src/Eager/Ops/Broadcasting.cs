namespace Fusion;

/// <summary>NumPy's broadcasting: shapes are matched from the right; an axis of size 1 stretches.</summary>
internal static class Broadcasting
{
    private const int LeastRow = 16;

    public static Shape Infer(string op, Shape a, Shape b)
    {
        if (a.Equals(b) || b.Rank == 0) return a;
        if (a.Rank == 0) return b;
        if (!Fit(a, b)) throw Errors.Broadcast(op, a, b);
        int rank = Math.Max(a.Rank, b.Rank);
        int[] sizes = new int[rank];
        for (int i = 1; i <= rank; i++)
        {
            int x = i <= a.Rank ? a.Dimensions[^i] : 1;
            int y = i <= b.Rank ? b.Dimensions[^i] : 1;
            sizes[rank - i] = x == 1 ? y : x;
        }

        return Shape.Own(sizes);
    }

    /// <summary>The two shapes broadcast to a common one.</summary>
    public static bool Fit(Shape a, Shape b)
    {
        for (int i = 1; i <= Math.Min(a.Rank, b.Rank); i++)
            if (a.Dimensions[^i] != b.Dimensions[^i] && a.Dimensions[^i] != 1 && b.Dimensions[^i] != 1) return false;
        return true;
    }

    /// <summary><paramref name="source"/> broadcasts to exactly <paramref name="target"/>.</summary>
    public static bool FitsInto(Shape source, Shape target)
    {
        if (source.Rank > target.Rank) return false;
        for (int i = 1; i <= source.Rank; i++)
            if (source.Dimensions[^i] != target.Dimensions[^i] && source.Dimensions[^i] != 1) return false;
        return true;
    }

    /// <summary>Strides of an array of shape <paramref name="from"/> read as <paramref name="to"/>: 0 along stretched axes.</summary>
    public static void Strides(ReadOnlySpan<long> strides, Shape from, Shape to, Span<long> result)
    {
        int shift = to.Rank - from.Rank;
        for (int i = 0; i < to.Rank; i++)
            result[i] = i < shift || (from.Dimensions[i - shift] == 1 && to.Dimensions[i] != 1) ? 0 : strides[i - shift];
    }

    /// <summary>
    /// g·x for an operand of a shape: summed over the last axes along which it was stretched, while the products are in registers. What is left to be summed is
    /// left to <see cref="SumTo"/>.
    /// </summary>
    public static NDArray ProductTo(NDArray g, NDArray x, Shape target)
    {
        int rank = g.Rank, rows = rank;
        while (rows > 0 && (rows - 1 < rank - target.Rank || target[rows - 1 - rank + target.Rank] == 1)) rows--;
        if (rows == rank || g.Size == 0 || x.Shape != g.Shape || x.DType != g.DType || g.DType is not (DType.Float32 or DType.Float64)) return g * x;
        return Nd.SumOfProducts(g, x, [.. Enumerable.Range(rows, rank - rows)], keepDims: true);
    }

    /// <summary>
    /// The transpose of broadcasting: sums a gradient over the axes that were stretched; stretches it where the rule returned a smaller one.
    /// Written with differentiable operators.
    /// </summary>
    public static NDArray SumTo(NDArray gradient, Shape target)
    {
        if (gradient.Rank < target.Rank || FitsInto(gradient.Shape, target)) return Nd.BroadcastTo(gradient, target);
        int shift = gradient.Rank - target.Rank;
        List<int> axes = [];
        for (int i = 0; i < gradient.Rank; i++)
            if (i < shift || (target.Dimensions[i - shift] == 1 && gradient.Shape.Dimensions[i] != 1)) axes.Add(i);
        // The last axes by themselves are rows as they lie; with others they would be copied first.
        int rows = gradient.Rank;
        while (rows > 0 && (axes.Contains(rows - 1) || gradient.Shape[rows - 1] == 1)) rows--;
        int before = axes.FindIndex(axis => axis >= rows);
        if (before > 0 && gradient.Shape.Dimensions[rows..].ToArray().Aggregate(1L, static (a, b) => a * b) >= LeastRow)
        {
            gradient = Nd.Sum(gradient, [.. axes[before..]], keepDims: true);
            axes.RemoveRange(before, axes.Count - before);
        }

        NDArray sum = Nd.Sum(gradient, [.. axes], keepDims: true);
        NDArray reshaped = shift == 0 ? sum : Nd.Reshape(sum, sum.Shape.Dimensions[shift..].ToArray());
        return reshaped.Shape == target ? reshaped : Nd.BroadcastTo(reshaped, target);
    }
}
