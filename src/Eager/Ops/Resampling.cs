using Fusion.Kernels;

namespace Fusion;

/// <summary>How the elements of a plane's rows and columns become those of another size.</summary>
internal enum ResampleKind
{
    /// <summary>Straight lines between neighbours; centres of elements correspond.</summary>
    Linear,

    /// <summary>Straight lines between neighbours; centres of the corners correspond.</summary>
    LinearCorners,

    /// <summary>Means of windows that cover an axis.</summary>
    Average,
}

/// <summary>A linear map of the last two axes from one size to another, or its transpose, from the other to the one.</summary>
internal sealed record ResampleAttributes(ResampleKind Kind, int Height, int Width, int NewHeight, int NewWidth, bool Transposed)
{
    // The neighbours of every element are in a table.
    private const int MaxSize = 1 << 29;

    /// <summary>An axis of this size can be made.</summary>
    public static int CheckSize(string op, int size) =>
        size <= MaxSize ? size : throw new ShapeException($"{op}: the new size {size} of an axis is more than {MaxSize}. Work on parts of the array.");

    public ResampleAttributes Transpose() => this with { Transposed = !Transposed };

    public AxisTaps Rows() => Taps(Height, NewHeight);

    public AxisTaps Columns() => Taps(Width, NewWidth);

    private AxisTaps Taps(int from, int to)
    {
        AxisTaps taps = Kind == ResampleKind.Average ? AxisTaps.Average(from, to) : AxisTaps.Linear(from, to, Kind == ResampleKind.LinearCorners);
        return Transposed ? taps.Transpose() : taps;
    }
}

/// <summary>Shape rule and kernel calls of <see cref="OpTable.Resample"/>.</summary>
internal static unsafe class Resampling
{
    public static void Infer(ReadOnlySpan<TensorType> x, ResampleAttributes a, Span<TensorType> y)
    {
        RowOps.Check("Resample", x[0]);
        Shape shape = x[0].Shape;
        (int height, int width) = a.Transposed ? (a.NewHeight, a.NewWidth) : (a.Height, a.Width);
        if (shape.Rank < 2 || shape[-2] != height || shape[-1] != width) throw new ShapeException($"Resample: {shape} must end with ({height}, {width}).");
        (height, width) = a.Transposed ? (a.Height, a.Width) : (a.NewHeight, a.NewWidth);
        y[0] = x[0] with { Shape = Shape.Create([.. shape.Dimensions[..^2], height, width]) };
    }

    public static void Run(NDArray x, ResampleAttributes attributes, NDArray y)
    {
        x = x.Contiguous();
        (AxisTaps rows, AxisTaps columns) = (attributes.Rows(), attributes.Columns());
        long plane = (long)rows.From * columns.From;
        fixed (byte* from = &x.Data, to = &y.Data) Resample.Run(x.DType, (nint)from, (nint)to, plane == 0 ? 0 : x.Size / plane, rows, columns);
        GC.KeepAlive(x);
    }

    /// <summary>By two matrix products.</summary>
    public static void RunOnDevice(NDArray x, ResampleAttributes attributes, NDArray y) => Movement.Compose(y, () =>
    {
        (AxisTaps rows, AxisTaps columns) = (attributes.Rows(), attributes.Columns());
        NDArray result = rows.IsIdentity ? x : Nd.MatMul(Matrix(rows), x);
        return columns.IsIdentity ? result : Nd.MatMul(result, Nd.Transpose(Matrix(columns)));

        NDArray Matrix(AxisTaps taps) => Nd.Table(taps.Matrix(), (taps.To, taps.From), x.Device).AsType(x.DType);
    });
}
