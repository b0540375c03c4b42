namespace Fusion.Kernels;

/// <summary>
/// One input or output of a loop over a shape. Memory belongs to a block of <see cref="MemoryPool"/> (or has its slack): up to 63 bytes past the
/// last element are read, and past an output's last element written.
/// </summary>
internal unsafe struct Operand
{
    /// <summary>The address of the element whose indices are all 0.</summary>
    public nint Data;

    /// <summary>
    /// Elements from one index to the next, for each axis of the shape, outermost first; 0 repeats, negative runs backwards.
    /// <see langword="null"/>: contiguous in row-major order, as every output is that is not a part of a larger array.
    /// </summary>
    public long* Strides;

    /// <summary>Bytes of one element: 1, 2, 4 or 8.</summary>
    public int ElementSize;

    /// <summary>The kernel reads this operand once, at its pointer; strides have no meaning.</summary>
    public bool IsScalar;
}
