using Fusion.Kernels;

namespace Fusion;

/// <summary>Computes sums into an array that is allocated, contiguous and no input's.</summary>
internal delegate void SumRule(ReadOnlySpan<NDArray> inputs, ReduceAttributes attributes, NDArray sums);

/// <summary>Type rules and kernel calls of sums whose terms are computed on the way.</summary>
internal static unsafe class ReducedTerms
{
    /// <summary>Rows of squared deviations.</summary>
    public static RowRule SquaredDeviationRows { get; } = new(
        static (x, attributes) => Reductions.RowLength(x.Shape.Dimensions, ((ReduceAttributes)attributes!).Axes.Span),
        static (operands, types, _, rows, columns) => ReduceTerms.SquaredDeviations(types[0], operands[0], operands[1], rows, columns));

    /// <summary>As <see cref="SquaredDeviationRows"/>, in kernels of accelerators.</summary>
    public static RowFormula SquaredDeviationFormula { get; } = new(
        static (x, attributes) => Reductions.RowLength(x.Shape.Dimensions, ((ReduceAttributes)attributes!).Axes.Span),
        static (p, x, _) => p.Reduce(RowReduction.Sum, p.Apply(ElementOps.Square, x[0] - (p.Reduce(RowReduction.Sum, x[0]) / p.Length()))));

    /// <summary>The gradients of a sum of an element-wise row: that row's, which read its inputs only.</summary>
    public static GradientRule?[] Gradients(Op terms)
    {
        if ((terms.Saves & Saved.Output) != 0) throw new ArgumentException($"{terms}: the rules of its sum cannot read what it computes.");
        return Array.ConvertAll(
            terms.Gradient!,
            static GradientRule? (rule) => rule is null ? null : c => rule(c with { G = Reductions.Spread(c, c.G) }));
    }

    public static TensorType Infer(string op, ReadOnlySpan<TensorType> x, ReduceAttributes attributes)
    {
        if (!x[0].DType.IsFloat) throw new DTypeException($"{op}: the input is {x[0].DType}; it must be floating point. Convert with AsType(DType.Float32).");
        if (x.Length > 1 && x[1] != x[0]) throw new ShapeException($"{op}: {x[0].DType} {x[0].Shape} and {x[1].DType} {x[1].Shape} must be equal.");
        if (x.Length > 2 && (x[2].DType != x[0].DType || x[2].Shape.Rank != 0)) throw new ShapeException($"{op}: the third input is one {x[0].DType}, not {x[2].DType} {x[2].Shape}.");
        return Reductions.Infer(op, ReduceKind.Sum, x[0], attributes);
    }

    public static void Products(NDArray x, NDArray y, ReduceAttributes attributes, NDArray sums) =>
        OfPairs(x, y, attributes, sums, OpTable.Multiply, ReduceKind.Sum, &ReduceTerms.Products);

    public static void SquaredDifferences(NDArray x, NDArray y, ReduceAttributes attributes, NDArray sums) =>
        OfPairs(x, y, attributes, sums, OpTable.Subtract, ReduceKind.SumOfSquares, &ReduceTerms.SquaredDifferences);

    public static void AbsoluteDifferences(ReadOnlySpan<NDArray> x, ReduceAttributes attributes, NDArray sums) =>
        OfPairs(x[0], x[1], attributes, sums, OpTable.AbsoluteDifference, ReduceKind.Sum, &ReduceTerms.AbsoluteDifferences);

    public static void Huber(ReadOnlySpan<NDArray> x, ReduceAttributes attributes, NDArray sums)
    {
        Movement.CopyTo(x[2], sums); // a δ for each sum
        OfPairs(x[0], x[1], attributes, sums, OpTable.Huber, ReduceKind.Sum, &ReduceTerms.Huber, x[2]);
    }

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

    /// <summary>The sum of an element-wise row's results, which go through memory.</summary>
    public static void OnDevice(Op terms, NDArray[] x, ReduceAttributes attributes, NDArray sums) =>
        Movement.Compose(sums, () => OpTable.Sum.Apply(terms.Apply(x), attributes));

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
        delegate*<DType, nint, nint, nint, long, long, void> kernel,
        NDArray? third = null)
    {
        long columns = Reductions.RowLength(x.Shape.Dimensions, attributes.Axes.Span);
        if (columns == 0)
        {
            NDArray values = x.Temporary(x.DType, x.Shape);
            pairs.Run(third is null ? [x, y] : [x, y, third], null, new Span<NDArray>(ref values));
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
