using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>A random strided view into a padded block, with its elements also read one by one, as the oracle.</summary>
internal sealed unsafe class StridedCase
{
    private static readonly double[] s_denseness = [0.0, 0.4, 1.0];

    public required long[] Strides { get; init; }
    public required int ElementSize { get; init; }
    public required NativeBlock Block { get; init; }
    public required long Origin { get; init; }

    public byte* Data => (byte*)Block.Pointer + (Origin * ElementSize);

    /// <summary>Broadcasts, negative strides, gaps and permuted axes; or contiguous.</summary>
    public static StridedCase Random(Random random, int[] shape, int elementSize)
    {
        int rank = shape.Length;
        int[] order = Enumerable.Range(0, rank).Reverse().ToArray();
        if (random.Next(3) == 0) random.Shuffle(order);
        double broadcast = s_denseness[random.Next(3)] * 0.6;
        bool gaps = random.Next(3) == 0, reversed = random.Next(3) == 0;
        var strides = new long[rank];
        long step = gaps && random.Next(2) == 0 ? 2 + random.Next(2) : 1, origin = random.Next(20), extent = 0;
        foreach (int axis in order)
        {
            if (random.NextDouble() < broadcast) continue;
            bool negative = reversed && random.Next(2) == 0;
            strides[axis] = negative ? -step : step;
            long reach = step * Math.Max(0, shape[axis] - 1);
            if (negative) origin += reach;
            extent += reach;
            step *= Math.Max(1, shape[axis]);
            if (gaps) step += random.Next(3);
        }
        long elements = origin + extent + 1;
        var block = new NativeBlock(Math.Max(64, elements * elementSize));
        var bytes = new Span<byte>((void*)block.Pointer, (int)block.Capacity);
        random.NextBytes(bytes);
        if (elementSize == 4)
        {
            // Finite floats, so that sums compare with ==.
            float* values = (float*)block.Pointer;
            for (long i = 0; i < block.Capacity / 4; i++) values[i] = random.Next(-1000, 1000);
        }
        return new StridedCase { Strides = strides, ElementSize = elementSize, Block = block, Origin = origin };
    }

    /// <summary>The addresses of the elements in row-major order.</summary>
    public List<nint> Addresses(int[] shape)
    {
        long size = shape.Aggregate(1L, (a, b) => a * b);
        var addresses = new List<nint>();
        var index = new int[shape.Length];
        for (long i = 0; i < size; i++)
        {
            long offset = 0;
            for (int axis = 0; axis < shape.Length; axis++) offset += index[axis] * Strides[axis];
            addresses.Add((nint)(Data + (offset * ElementSize)));
            for (int axis = shape.Length - 1; axis >= 0 && ++index[axis] == shape[axis]; axis--) index[axis] = 0;
        }
        return addresses;
    }

    public static int[] RandomShape(Random random)
    {
        int rank = random.Next(7);
        int most = rank switch { 0 or 1 => 6000, 2 => 150, 3 => 24, 4 => 12, _ => 6 };
        var shape = new int[rank];
        for (int axis = 0; axis < rank; axis++) shape[axis] = random.Next(6) switch { 0 => 1, 1 => random.Next(40) == 0 ? 0 : 2, _ => 1 + random.Next(most) };
        return shape;
    }
}
