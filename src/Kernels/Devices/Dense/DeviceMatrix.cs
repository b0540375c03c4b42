using System.Numerics;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>A row-major matrix, or a batch of them, in the memory of a device; all numbers are elements.</summary>
/// <param name="Block">The memory.</param>
/// <param name="Offset">Where the first matrix begins.</param>
/// <param name="Leading">From one stored row to the next.</param>
/// <param name="Stride">From one matrix to the next; 0 repeats the matrix.</param>
internal readonly record struct DeviceMatrix(DeviceBlock Block, long Offset, long Leading, long Stride = 0);

/// <summary>Contiguous elements in the memory of a device.</summary>
/// <param name="Block">The memory.</param>
/// <param name="Offset">Where they begin.</param>
internal readonly record struct DeviceVector(DeviceBlock Block, long Offset)
{
    /// <summary>So many elements; where there are none, any place that nobody looks at.</summary>
    public ArrayView<T> View<T>(int length)
        where T : unmanaged => length > 0 ? Block.View<T>(Offset, length) : Block.View<T>(0, 1);

    /// <summary>So many elements as quads; all begin at a multiple of four.</summary>
    public ArrayView<Quartet<T>> Quads<T>(int length)
        where T : unmanaged, INumber<T> => Block.View<Quartet<T>>(Offset / 4, length / 4);
}
