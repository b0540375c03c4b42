namespace Fusion.Kernels;

/// <summary>A row-major matrix, or a batch of them, in the memory of a device; all numbers are elements.</summary>
/// <param name="Block">The memory.</param>
/// <param name="Offset">Where the first matrix begins.</param>
/// <param name="Leading">From one stored row to the next.</param>
/// <param name="Stride">From one matrix to the next; 0 repeats the matrix.</param>
internal readonly record struct DeviceMatrix(DeviceBlock Block, long Offset, long Leading, long Stride = 0);
