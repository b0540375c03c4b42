using static TorchSharp.torch;

namespace Fusion.Oracle.Programs;

/// <summary>Arrays that are written in place before they are used.</summary>
internal static class InPlace
{
    public static NDArray Buffer(Shape shape, DType type, int row)
    {
        NDArray buffer = Nd.Full(shape, 1.5, type);
        buffer[row] = Nd.Full([], -0.5, type);
        return buffer;
    }

    public static Tensor Buffer(Shape shape, ScalarType type, int row)
    {
        Tensor buffer = full(shape.Longs(), 1.5, type);
        buffer[row] = tensor(-0.5, type);
        return buffer;
    }

    /// <summary>A detached copy with another row.</summary>
    public static NDArray Row(NDArray x, int row, NDArray values)
    {
        NDArray copy = x.Detach().Copy();
        copy[row] = values.Detach();
        return copy;
    }

    public static Tensor Row(Tensor x, int row, Tensor values)
    {
        Tensor copy = x.detach().clone();
        copy[row] = values.detach();
        return copy;
    }
}
