using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// How windows lie over the spatial axes of an input of the spatial sizes <paramref name="Input"/>; all lists have one number per spatial axis.
/// Convolutions and poolings of every rank share it, and so do their gradients, which cannot see the size of what they produce.
/// </summary>
internal sealed record WindowAttributes(IntList Input, IntList Kernel, IntList Stride, IntList Dilation, IntList Before, IntList After, int Groups = 1)
{
    public int Dimensions => Input.Length;

    /// <summary>The size of the output along a spatial axis; 0 or less where the window does not fit.</summary>
    public int OutputAlong(int i) => (Input[i] + Before[i] + After[i] < Extent(i)) ? 0 : (Input[i] + Before[i] + After[i] - Extent(i)) / Stride[i] + 1;

    /// <summary>From the first to the last element that a window meets.</summary>
    public int Extent(int i) => (Kernel[i] - 1) * Dilation[i] + 1;
}

/// <summary>Arguments, shape rules and kernel calls that convolutions and poolings share.</summary>
internal static class WindowRules
{
    // Kernels count the elements of some planes, and their bytes, in 64 bits.
    private const long MaxPlane = 1L << 40;

    /// <summary>Checks and completes the arguments of a call.</summary>
    public static WindowAttributes Attributes(
        string op, ReadOnlySpan<int> input, ReadOnlySpan<int> kernel, Shape? stride, Shape? dilation, Padding padding, int groups = 1)
    {
        int n = input.Length;
        int[] strides = PerDimension(op, "stride", stride ?? 1, n), dilations = PerDimension(op, "dilation", dilation ?? 1, n), before = new int[n],
            after = new int[n];
        Int128 plane = 1;
        for (int i = 0; i < n; i++)
        {
            int extent = Errors.Extent(op, (kernel[i] - 1L) * dilations[i] + 1);
            if (padding.IsSame)
            {
                long total = Math.Max(0, (((long)input[i] + strides[i] - 1) / strides[i] - 1) * strides[i] + extent - input[i]);
                (before[i], after[i]) = ((int)(total / 2), (int)(total - total / 2));
            }
            else (before[i], after[i]) = padding.Along(op, i, n);

            int spare = Errors.Extent(op, (long)input[i] + before[i] + after[i]) - extent;
            if (spare < 0 && !padding.IsSame)
            {
                throw new ShapeException(
                    $"{op}: a window of {extent} elements (kernel {kernel[i]}, dilation {dilations[i]}) does not fit axis {i + 2} of the input, whose " +
                    $"size is {input[i]}" +
                    $" with {before[i]} + {after[i]} of padding. Pad more, or use a smaller kernel.");
            }

            plane *= Math.Max(1, spare + extent);
            if (plane > MaxPlane)
            {
                throw new ShapeException($"{op}: the input {string.Join(" × ", input.ToArray())} with its padding, {padding}, has more than {MaxPlane} elements. " +
                    "Pad or dilate less.");
            }

            // A longer step has nowhere to go, and kernels multiply with it.
            strides[i] = Math.Min(strides[i], Math.Max(0, spare) + 1);
        }

        return new WindowAttributes(
            new IntList(input.ToArray()), new IntList(kernel.ToArray()), new IntList(strides), new IntList(dilations), new IntList(before), new IntList(after),
                groups);
    }

    /// <summary>The input has a batch, channels and <paramref name="n"/> spatial axes.</summary>
    public static void CheckRank(string op, int n, Shape input)
    {
        if (input.Rank == n + 2) return;
        string remedy = input.Rank == n + 1 ? "Add a batch axis with ExpandDims(0)." : "Reshape it.";
        throw new ShapeException($"{op}: the input {input} must have {n + 2} axes, (batch, channels, {n} spatial). {remedy}");
    }

    /// <summary>Checks the arguments of a layer before there is an input.</summary>
    public static void Check(string layer, int dimensions, Shape kernel, Shape? stride, Shape? dilation, Padding padding)
    {
        _ = PerDimension(layer, "kernel", kernel, dimensions);
        _ = PerDimension(layer, "stride", stride ?? 1, dimensions);
        _ = PerDimension(layer, "dilation", dilation ?? 1, dimensions);
        for (int i = 0; i < dimensions && !padding.IsSame; i++) _ = padding.Along(layer, i, dimensions);
    }

    /// <summary>A positive number per spatial dimension from one for all or one each.</summary>
    public static int[] PerDimension(string op, string what, Shape sizes, int dimensions)
    {
        if (sizes.Rank != 1 && sizes.Rank != dimensions)
            throw new ShapeException($"{op}: {what} {sizes} must be one number or one per dimension, {dimensions}.");
        int[] result = new int[dimensions];
        for (int i = 0; i < dimensions; i++) result[i] = sizes.Rank == 1 ? sizes[0] : sizes[i];
        foreach (int size in result)
            if (size < 1) throw new ArgumentOutOfRangeException(what, size, $"{op}: {what} {sizes} must be positive.");
        return result;
    }

    /// <summary>(batch, channels, output sizes …).</summary>
    public static Shape OutputShape(int batch, int channels, WindowAttributes a)
    {
        int[] sizes = new int[a.Dimensions + 2];
        (sizes[0], sizes[1]) = (batch, channels);
        for (int i = 0; i < a.Dimensions; i++) sizes[i + 2] = a.OutputAlong(i);
        return Shape.Own(sizes);
    }

    /// <summary>(batch, channels, input sizes …).</summary>
    public static Shape InputShape(int batch, int channels, WindowAttributes a) => Shape.Create([batch, channels, .. a.Input.Span]);

    /// <summary>The gradient of an output has its spatial sizes.</summary>
    public static void CheckOutput(string op, Shape gradient, WindowAttributes a)
    {
        for (int i = 0; i < a.Dimensions; i++)
            if (gradient[i + 2] != a.OutputAlong(i))
                throw new ShapeException($"{op}: {gradient} must have the size {a.OutputAlong(i)} along axis {i + 2}: windows of {a.Kernel} over {a.Input}.");
    }

    /// <summary>What the kernels want to know; every channel is a sample of its own in a pooling.</summary>
    public static WindowShape Kernel(WindowAttributes a, int batch, int inChannels = 1, int outChannels = 1)
    {
        WindowShape s = new() { Batch = batch, Groups = a.Groups, InChannels = inChannels, OutChannels = outChannels };
        for (int i = 0; i < 3; i++)
        {
            int from = i - 3 + a.Dimensions;
            bool real = from >= 0;
            s.Input[i] = real ? a.Input[from] : 1;
            s.Output[i] = real ? a.OutputAlong(from) : 1;
            s.Kernel[i] = real ? a.Kernel[from] : 1;
            s.Stride[i] = real ? a.Stride[from] : 1;
            s.Dilation[i] = real ? a.Dilation[from] : 1;
            s.Before[i] = real ? a.Before[from] : 0;
        }

        return s;
    }
}
