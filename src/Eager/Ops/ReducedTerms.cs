using Fusion.Kernels;

namespace Fusion;

/// <summary>Type rules and kernel calls of sums whose terms are computed on the way.</summary>
internal static unsafe class ReducedTerms
{
    /// <summary>Rows of squared deviations.</summary>
    public static RowRule SquaredDeviationRows { get; } = new(
        static (x, attributes) => Reductions.RowLength(x.Shape.Dimensions, ((ReduceAttributes)attributes!).Axes.Span),
        static (operands, types, rows, columns) => ReduceTerms.SquaredDeviations(types[0], operands[0], operands[1], rows, columns));

    /// <summary>As <see cref="SquaredDeviationRows"/>, in kernels of accelerators.</summary>
    public static RowFormula SquaredDeviationFormula { get; } = new(
        static (x, attributes) => Reductions.RowLength(x.Shape.Dimensions, ((ReduceAttributes)attributes!).Axes.Span),
        static (p, x, _) => p.Reduce(RowReduction.Sum, p.Apply(ElementOps.Square, x[0] - (p.Reduce(RowReduction.Sum, x[0]) / p.Length()))));

    public static TensorType Infer(string op, ReadOnlySpan<TensorType> x, ReduceAttributes attributes)
    {
        if (!x[0].DType.IsFloat) throw new DTypeException($"{op}: the input is {x[0].DType}; it must be floating point. Convert with AsType(DType.Float32).");
        if (x.Length > 1 && x[1] != x[0]) throw new ShapeException($"{op}: {x[0].DType} {x[0].Shape} and {x[1].DType} {x[1].Shape} must be equal.");
        return Reductions.Infer(op, ReduceKind.Sum, x[0], attributes);
    }

    public static void Products(NDArray x, NDArray y, ReduceAttributes attributes, NDArray sums) =>
        OfPairs(x, y, attributes, sums, OpTable.Multiply, ReduceKind.Sum, &ReduceTerms.Products);

    public static void SquaredDifferences(NDArray x, NDArray y, ReduceAttributes attributes, NDArray sums) =>
        OfPairs(x, y, attributes, sums, OpTable.Subtract, ReduceKind.SumOfSquares, &ReduceTerms.SquaredDifferences);

    public static void SquaredDeviations(NDArray x, ReduceAttributes attributes, NDArray sums)
    {
        long columns = Reductions.RowLength(x.Shape.Dimensions, attributes.Axes.Span);
        if (columns == 0)
        {
            ComposeSquaredDeviations(x, attributes, sums);
            return;
        }

        x = x.Contiguous();
        fixed (byte* from = &x.Data, to = &sums.Data) ReduceTerms.SquaredDeviations(x.DType, (nint)from, (nint)to, x.Size / columns, columns);
        GC.KeepAlive(x);
    }

    public static void ProductsOnDevice(NDArray x, NDArray y, ReduceAttributes attributes, NDArray sums) =>
        Movement.Compose(sums, () => OpTable.Sum.Apply(x * y, attributes));

    public static void SquaredDifferencesOnDevice(NDArray x, NDArray y, ReduceAttributes attributes, NDArray sums) =>
        Movement.Compose(sums, () => OpTable.SumOfSquares.Apply(x - y, attributes));

    public static void ComposeSquaredDeviations(NDArray x, ReduceAttributes attributes, NDArray sums) =>
        Movement.Compose(sums, () => OpTable.SumOfSquares.Apply(x - Nd.Mean(x, attributes.Axes.Span.ToArray(), keepDims: true), attributes));

    // Terms of other than the last axes go through memory.
    private static void OfPairs(
        NDArray x,
        NDArray y,
        ReduceAttributes attributes,
        NDArray sums,
        Op pairs,
        ReduceKind kind,
        delegate*<DType, nint, nint, nint, long, long, void> kernel)
    {
        long columns = Reductions.RowLength(x.Shape.Dimensions, attributes.Axes.Span);
        if (columns == 0)
        {
            NDArray values = x.Temporary(x.DType, x.Shape);
            pairs.Run([x, y], null, new Span<NDArray>(ref values));
            Reductions.Run(kind, values, attributes, sums);
            return;
        }

        (x, y) = (x.Contiguous(), y.Contiguous());
        fixed (byte* first = &x.Data, second = &y.Data, to = &sums.Data)
            kernel(x.DType, (nint)first, (nint)second, (nint)to, x.Size / columns, columns);
        GC.KeepAlive(x);
        GC.KeepAlive(y);
    }
}
