using System.Numerics;
using System.Runtime.InteropServices;
using Fusion.Kernels;

namespace Fusion;

/// <summary>Shape rules and kernels of the rows on positions.</summary>
internal static class Searching
{
    public static void InferSearchSorted(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        if (x[0].Shape.Rank != 1) throw new ShapeException($"SearchSorted: the sorted array {x[0].Shape} must have rank 1.");
        if (x[0].DType != x[1].DType) throw new DTypeException($"SearchSorted: {x[0].DType} and {x[1].DType}. Convert one with AsType.");
        y[0] = new TensorType(DType.Int64, x[1].Shape);
    }

    public static unsafe void RunSearchSorted(NDArray sorted, NDArray values, bool right, NDArray y)
    {
        NDArray line = sorted.Contiguous(), wanted = values.Contiguous();
        fixed (byte* from = &line.Data, at = &wanted.Data, to = &y.Data)
            SortedSearch.Run(line.DType, (nint)from, line.Size, (nint)at, (long*)to, wanted.Size, right);
        GC.KeepAlive(line);
        GC.KeepAlive(wanted);
        GC.KeepAlive(y);
    }

    public static void InferHistogram(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        if (x[1].Shape.Rank != 1 || x[1].Shape[0] < 2) throw new ShapeException($"Histogram: the edges {x[1].Shape} must have rank 1, and at least two be there.");
        if (x[0].DType != x[1].DType || !x[0].DType.IsFloat)
            throw new DTypeException($"Histogram: {x[0].DType} and {x[1].DType}; both must be of one floating-point type. Convert with AsType.");
        y[0] = new TensorType(DType.Int64, x[1].Shape[0] - 1);
    }

    public static unsafe void RunHistogram(NDArray x, NDArray edges, NDArray y)
    {
        NDArray dense = x.Contiguous(), denseEdges = edges.Contiguous();
        fixed (byte* from = &dense.Data, edge = &denseEdges.Data, to = &y.Data)
            BinCounts.BetweenEdges(x.DType, (nint)from, x.Size, (nint)edge, (long*)to, y.Size);
        GC.KeepAlive(dense);
        GC.KeepAlive(denseEdges);
    }

    public static void InferCountIndices(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        Indexing.CheckIndexType("BinCount", x[0].DType);
        y[0] = new TensorType(DType.Int64, ((DepthAttributes)attributes!).Depth);
    }

    public static unsafe void RunCountIndices(NDArray indices, NDArray y)
    {
        NDArray dense = indices.Contiguous();
        fixed (byte* from = &dense.Data, to = &y.Data)
            Indexing.ThrowIfOutside("BinCount", "number", BinCounts.OfIndices((nint)from, dense.DType, dense.Size, (long*)to, y.Size), dense, (int)y.Size, "x");
        GC.KeepAlive(dense);
    }

    public static unsafe void RunIsLastWriter(NDArray indices, int axis, NDArray y)
    {
        NDArray dense = indices.Contiguous(), seen = y.Temporary(DType.Bool, axis);
        Movement.Fill(seen, 0);
        fixed (byte* at = &dense.Data, used = &seen.Data, to = &y.Data)
            Indexing.ThrowIfBad("IndexUpdate", Gather.LastOfEach((nint)at, dense.DType, dense.Size, axis, used, to), dense, axis);
        GC.KeepAlive(dense);
        GC.KeepAlive(seen);
    }

    public static void RunIndexExtremum(NDArray x, NDArray indices, NDArray values, ExtremumAttributes a, NDArray y)
    {
        Movement.CopyTo(x, y);
        switch (y.DType)
        {
            case DType.Float32: Extremum<float>(indices, values, a, y); break;
            case DType.Float64: Extremum<double>(indices, values, a, y); break;
            case DType.Int32: Extremum<int>(indices, values, a, y); break;
            case DType.Int64: Extremum<long>(indices, values, a, y); break;
            default: Extremum<byte>(indices, values, a, y); break;
        }
    }

    /// <summary>The distinct elements of a line in ascending order, how often each occurs, and, if asked for, where each element's value is among them.</summary>
    public static unsafe (NDArray Values, NDArray Counts) Distinct(NDArray line, NDArray? inverse)
    {
        NDArray order = Nd.ArgSort(line), values = Nd.Take(line, order), sorted = Fusion.Elements.Wide(values);
        sorted.BeginRead("Unique");
        int n = line.Shape[0], runs;
        fixed (byte* from = &sorted.Data) runs = checked((int)SortedRuns.Count(sorted.DType, (nint)from, n));
        NDArray starts = NDArray.Allocate(DType.Int64, runs), counts = NDArray.Allocate(DType.Int64, runs);
        fixed (byte* from = &sorted.Data, places = &order.Data, first = &starts.Data, count = &counts.Data, to = &(inverse ?? starts).Data)
            SortedRuns.Write(sorted.DType, (nint)from, n, (long*)first, (long*)count, (long*)places, inverse is null ? null : (long*)to);
        GC.KeepAlive(sorted);
        GC.KeepAlive(order);
        GC.KeepAlive(starts);
        GC.KeepAlive(counts);
        GC.KeepAlive(inverse);
        return (Nd.Take(values, starts), counts);
    }

    /// <summary>The indices of the set elements of a Bool array, Int64 (count, rank).</summary>
    public static unsafe NDArray Positions(NDArray set)
    {
        NDArray dense = set.OnHost().Contiguous();
        fixed (byte* from = &dense.Data)
        {
            long count = SetPositions.Count(from, dense.Size);
            NDArray result = NDArray.Allocate(DType.Int64, (checked((int)count), dense.Rank));
            fixed (byte* to = &result.Data) SetPositions.Write(from, dense.Shape.Dimensions, (long*)to);
            GC.KeepAlive(dense);
            GC.KeepAlive(result);
            return result;
        }
    }

    private static void Extremum<T>(NDArray indices, NDArray values, ExtremumAttributes a, NDArray y)
        where T : unmanaged, INumber<T>
    {
        NDArray denseIndices = Movement.Cast(indices, DType.Int64), denseValues = values.Contiguous();
        ReadOnlySpan<long> index = Elements<long>(denseIndices);
        ReadOnlySpan<T> from = Elements<T>(denseValues);
        Span<T> to = Elements<T>(y);
        int n = y.Shape.Dimensions[a.Axis], inner = 1;
        foreach (int size in y.Shape.Dimensions[(a.Axis + 1)..]) inner *= size;
        for (int i = 0; i < index.Length; i++) Place(index, i, n, "IndexReduce");
        int lines = index.Length * inner == 0 ? 0 : from.Length / (index.Length * inner);
        for (int outer = 0; outer < lines; outer++)
        {
            for (int i = 0; i < index.Length; i++)
            {
                ReadOnlySpan<T> source = from.Slice((outer * index.Length + i) * inner, inner);
                Span<T> target = to.Slice((outer * n + Place(index, i, n, "IndexReduce")) * inner, inner);
                for (int k = 0; k < inner; k++) target[k] = a.Max ? T.Max(target[k], source[k]) : T.Min(target[k], source[k]);
            }
        }

        GC.KeepAlive(denseIndices);
        GC.KeepAlive(denseValues);
    }

    private static int Place(ReadOnlySpan<long> indices, int position, int n, string op)
    {
        long index = indices[position];
        if (index < -n || index >= n)
            throw new ArgumentOutOfRangeException(
                nameof(indices), index, $"{op}: index {index} at position {position} is out of range for an axis of size {n}{Indexing.Positions(n)}.");
        return (int)(index < 0 ? index + n : index);
    }

    private static Span<T> Elements<T>(NDArray x)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(x.Bytes);
}
