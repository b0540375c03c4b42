using Fusion.Kernels;

namespace Fusion;

/// <summary>How often differences are taken, and whether by the transposed map, which lengthens the axis.</summary>
internal sealed record DifferenceAttributes(int Order, bool Transposed);

/// <summary>Shape rule and kernel calls of <see cref="OpTable.Difference"/>.</summary>
internal static unsafe class Differencing
{
    public static void Infer(ReadOnlySpan<TensorType> x, DifferenceAttributes a, Span<TensorType> y)
    {
        RowOps.Check("Diff", x[0]);
        int n = x[0].Shape[-1];
        y[0] = x[0] with { Shape = Shape.Create([.. x[0].Shape.Dimensions[..^1], a.Transposed ? checked(n + a.Order) : Math.Max(0, n - a.Order)]) };
    }

    public static void Run(NDArray x, DifferenceAttributes a, NDArray y)
    {
        if (y.Size == 0) return;
        x = x.Contiguous();
        fixed (byte* from = &x.Data, to = &y.Data)
            Differences.Run(x.DType, (nint)from, (nint)to, y.Size / y.Shape[-1], x.Shape[-1], a.Order, a.Transposed);
        GC.KeepAlive(x);
    }

    public static void RunOnDevice(NDArray x, DifferenceAttributes a, NDArray y) => Movement.Compose(y, () =>
    {
        if (a.Transposed)
        {
            (int, int)[] widths = new (int, int)[x.Rank];
            widths[^1] = (a.Order, a.Order);
            x = Nd.Pad(x, widths);
        }

        for (int step = 0; step < a.Order; step++)
        {
            (NDArray before, NDArray after) = (Nd.Slice(x, -1, 0, Math.Max(0, x.Shape[-1] - 1)), Nd.Slice(x, -1, 1, null));
            x = a.Transposed ? before - after : after - before;
        }

        return x;
    });
}
