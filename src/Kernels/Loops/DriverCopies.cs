namespace Fusion.Kernels;

/// <summary>
/// Large transposed operands, copied once into row-major order for the length of a loop. A chunk of the flat space takes one element from each of
/// very many cache lines of such an operand and comes back for the next element when the lines are gone; a blocked transpose uses whole lines.
/// </summary>
internal unsafe ref struct DriverCopies
{
    private const long LeastElements = 32 * 1024; // what the second-level cache holds in lines
    private const int LeastRun = 8;

    private List<object>? _storages;

    /// <summary>Copies such operands and points <paramref name="operands"/> to the copies.</summary>
    public static DriverCopies OfTransposed(Operand* operands, int count, ReadOnlySpan<int> shape, long size)
    {
        DriverCopies copies = default;
        if (size < LeastElements) return copies;
        for (int k = 0; k < count; k++)
        {
            if (operands[k].IsScalar || operands[k].Strides == null || !IsTransposed(operands[k].Strides, shape)) continue;
            object storage = new NativeBlock(size * operands[k].ElementSize);
            (copies._storages ??= []).Add(storage);
            nint data = ((NativeBlock)storage).Pointer;
            Copy.Strided(operands[k].Data, operands[k].Strides, data, shape, operands[k].ElementSize);
            operands[k].Data = data;
            operands[k].Strides = null;
        }
        return copies;
    }

    public readonly void Dispose()
    {
        if (_storages is null) return;
        foreach (object storage in _storages) MemoryPool.Release(storage);
    }

    // The innermost axis jumps, and along another one the elements lie side by side.
    private static bool IsTransposed(long* strides, ReadOnlySpan<int> shape)
    {
        int inner = shape.Length - 1;
        while (inner >= 0 && shape[inner] == 1) inner--;
        if (inner < 0 || shape[inner] < LeastRun || Math.Abs(strides[inner]) < 2) return false;
        for (int axis = 0; axis < inner; axis++)
            if (shape[axis] >= LeastRun && strides[axis] == 1) return true;
        return false;
    }
}
