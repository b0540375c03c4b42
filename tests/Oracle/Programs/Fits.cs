using static TorchSharp.torch;

namespace Fusion.Oracle.Programs;

/// <summary>The elements of an array, repeated or cut, in another shape: makes any value an operand of an operator with demands.</summary>
internal static class Fits
{
    public static NDArray To(NDArray x, Shape shape)
    {
        NDArray flat = x.Reshape(-1);
        int times = Times(x.Size, shape);
        if (times > 1) flat = flat.Tile(times);
        return flat.Slice(0, 0, (int)shape.Size).Reshape(shape);
    }

    public static Tensor To(Tensor x, Shape shape)
    {
        Tensor flat = x.reshape(-1);
        int times = Times(x.numel(), shape);
        if (times > 1) flat = flat.repeat(times);
        return flat.slice(0, 0, shape.Size, 1).reshape(shape.Longs());
    }

    /// <summary>Whether the shapes of two arrays broadcast.</summary>
    public static bool Broadcast(params ReadOnlySpan<NDArray> arrays)
    {
        for (int i = 1; i <= 5; i++)
        {
            int size = 1;
            foreach (NDArray x in arrays)
            {
                int n = i <= x.Rank ? x.Shape[-i] : 1;
                if (n == 1) continue;
                if (size != 1 && size != n) return false;
                size = n;
            }
        }

        return true;
    }

    private static int Times(long size, Shape shape) => (int)((shape.Size + size - 1) / size);
}
