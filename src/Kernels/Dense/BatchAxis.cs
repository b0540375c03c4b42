namespace Fusion.Kernels;

/// <summary>An axis of a batch of products.</summary>
/// <param name="Size">How many there are along it.</param>
/// <param name="A">Elements between one left operand and the next; 0 repeats it.</param>
/// <param name="B">Elements between one right operand and the next; 0 repeats it.</param>
/// <param name="C">Elements between one result and the next.</param>
internal readonly record struct BatchAxis(long Size, long A, long B, long C)
{
    /// <summary>How many products there are.</summary>
    public static long Count(ReadOnlySpan<BatchAxis> axes)
    {
        long count = 1;
        foreach (var axis in axes) count *= axis.Size;
        return count;
    }

    /// <summary>The same batch with the fewest axes, the outermost first, in the same memory: neighbours that one stride steps through are one.</summary>
    public static Span<BatchAxis> Joined(Span<BatchAxis> axes)
    {
        var count = 0;
        foreach (var axis in axes)
        {
            if (axis.Size == 1) continue;
            if (count > 0 && axes[count - 1].Steps(axis)) axes[count - 1] = axis with { Size = axis.Size * axes[count - 1].Size };
            else axes[count++] = axis;
        }

        return axes[..count];
    }

    /// <summary>The first elements of the operands of a product, counted in the order of the batch.</summary>
    public static (long A, long B, long C) Place(ReadOnlySpan<BatchAxis> axes, long index)
    {
        long a = 0, b = 0, c = 0;
        for (var i = axes.Length - 1; i >= 0; i--)
        {
            var axis = axes[i];
            (index, var step) = Math.DivRem(index, axis.Size);
            a += step * axis.A;
            b += step * axis.B;
            c += step * axis.C;
        }

        return (a, b, c);
    }

    private bool Steps(BatchAxis inner) => A == inner.Size * inner.A && B == inner.Size * inner.B && C == inner.Size * inner.C;
}
