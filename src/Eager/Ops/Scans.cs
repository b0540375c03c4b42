using Fusion.Kernels;

namespace Fusion;

/// <summary>The axis of a recurrence, its direction, and whether an element is multiplied by the factor of the one before instead of its own.</summary>
internal sealed record RecurrenceAttributes(int Axis, bool Reverse, bool Previous);

/// <summary>Shape rules, kernel calls and gradients of running results.</summary>
internal static unsafe class Scans
{
    public static void Run(RunningKind kind, NDArray x, AxisAttributes attributes, NDArray y)
    {
        NDArray input = Reductions.Lines(x, [attributes.Axis], out long outer, out long n, out long inner);
        fixed (byte* from = &input.Data, to = &y.Data) Running.Run(kind, x.DType, (nint)from, (nint)to, outer, n, inner);
        GC.KeepAlive(input);
    }

    public static void RunIndices(NDArray x, ExtremumAttributes attributes, NDArray y)
    {
        NDArray input = Reductions.Lines(x, [attributes.Axis], out long outer, out long n, out long inner);
        fixed (byte* from = &input.Data, to = &y.Data) Running.Positions(attributes.Max, x.DType, (nint)from, (long*)to, outer, n, inner);
        GC.KeepAlive(input);
    }

    public static void InferRecurrence(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        if (x[0].Shape != x[1].Shape) throw new ShapeException($"Recurrence: the factors are {x[0].Shape}, the terms {x[1].Shape}.");
        if (x[0].DType != x[1].DType || !x[0].DType.IsFloat)
            throw new DTypeException($"Recurrence: {x[0].DType} and {x[1].DType}; both must be of one floating-point type. Convert with AsType.");
        y[0] = x[1];
    }

    public static void RunRecurrence(NDArray factors, NDArray terms, RecurrenceAttributes a, NDArray y)
    {
        NDArray f = Reductions.Lines(factors, [a.Axis], out long outer, out long n, out long inner), t = terms.Contiguous();
        fixed (byte* factor = &f.Data, term = &t.Data, to = &y.Data)
            Recurrence.Run(y.DType, (nint)factor, (nint)term, (nint)to, outer, n, inner, a.Reverse, a.Previous);
        GC.KeepAlive(f);
        GC.KeepAlive(t);
    }

    // dx[i] = Σ g[j]·Π x[k], j ≥ i, over k ≤ j without i: the product of all before i, and s[i] = g[i] + x[i + 1]·s[i + 1]. No division: exact at zeros.
    public static NDArray ProdGradient(GradientContext c)
    {
        int axis = c.Attributes<AxisAttributes>().Axis;
        return OpTable.Recurrence.Apply(c.X, c.G, new RecurrenceAttributes(axis, Reverse: true, Previous: true)) * Shift(c.Output, axis, false, 1);
    }

    /// <summary>An extreme that stays for several elements gets the sum of their gradients.</summary>
    public static NDArray ExtremumGradient(GradientContext c, bool max)
    {
        int axis = c.Attributes<AxisAttributes>().Axis;
        NDArray indices = Nd.AxisLast(OpTable.CumExtremumIndices.Apply(c.X, new ExtremumAttributes(axis, max)), axis);
        return Nd.AxisBack(OpTable.TakeAlongAxisGradient.Apply(Nd.AxisLast(c.G, axis), indices, new DepthAttributes(c.ShapeOf(0).Dimensions[axis])), axis);
    }

    // The recurrence in the other direction, in which the factor that led from i to i + 1 is that of the element before, or again the element's own.
    public static NDArray TermGradient(GradientContext c)
    {
        RecurrenceAttributes a = c.Attributes<RecurrenceAttributes>();
        return OpTable.Recurrence.Apply(c.X, c.G, a with { Reverse = !a.Reverse, Previous = !a.Previous });
    }

    public static NDArray FactorGradient(GradientContext c)
    {
        RecurrenceAttributes a = c.Attributes<RecurrenceAttributes>();
        NDArray d = TermGradient(c);
        return a.Previous ? c.Output * Shift(d, a.Axis, !a.Reverse, 0) : d * Shift(c.Output, a.Axis, a.Reverse, 0);
    }

    /// <summary>Each element moved one place up the axis, or down with <paramref name="back"/>; the place that gets none is filled.</summary>
    private static NDArray Shift(NDArray x, int axis, bool back, double filled)
    {
        int n = x.Shape.Dimensions[axis];
        if (n == 0) return x;
        int[] shape = x.Shape.ToArray();
        shape[axis] = 1;
        NDArray edge = Nd.Full(shape, filled, x.DType, x.Device);
        return back ? Nd.Concat([Nd.Slice(x, axis, 1, n), edge], axis) : Nd.Concat([edge, Nd.Slice(x, axis, 0, n - 1)], axis);
    }
}
