using Fusion.Kernels;

namespace Fusion;

/// <summary>The shape rule and the kernel calls of the vector product.</summary>
internal static unsafe class VectorProducts
{
    public static void InferCross(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        if (x[0] != x[1]) throw new ShapeException($"Cross: {x[0].DType} {x[0].Shape} and {x[1].DType} {x[1].Shape} differ.");
        y[0] = x[0];
    }

    public static void RunCross(NDArray a, NDArray b, int axis, NDArray y)
    {
        if (y.Size == 0) return;
        (a, b) = (a.Contiguous(), b.Contiguous());
        Indexing.Split(y.Shape, axis, out long outer, out _, out long inner);
        fixed (byte* first = &a.Data, second = &b.Data, to = &y.Data)
            CrossProduct.Run(y.DType, (nint)first, (nint)second, (nint)to, outer, inner);
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(y);
    }

    /// <summary>The same by operators that every device and type has.</summary>
    public static NDArray CrossOfRolled(NDArray a, NDArray b, int axisA, int axisB)
    {
        // Components 1, 2, 0 and 2, 0, 1.
        using Temporaries made = Temporaries.Collect();
        NDArray a1 = Nd.Roll(a, -1, axisA), a2 = Nd.Roll(a, 1, axisA), b1 = Nd.Roll(b, -1, axisB), b2 = Nd.Roll(b, 1, axisB);
        return made.Keep((a1 * b2) - (a2 * b1));
    }

    public static void RunCrossOnDevice(NDArray a, NDArray b, int axis, NDArray y) => Movement.Compose(y, () => CrossOfRolled(a, b, axis, axis));
}
