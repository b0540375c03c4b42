using System.Runtime.CompilerServices;
using Fusion.Kernels;

namespace Fusion;

/// <summary>The numbers that a plan reads from the host, side by side in one block, so that a call writes all of them in one pass.</summary>
internal sealed class PlanNumbers
{
    // Room for either type, so that the place follows from the position.
    private const int Slot = sizeof(double);

    private readonly object _block;
    private readonly (int Number, bool IsDouble)[] _slots;

    /// <param name="places">The values, of Float32 or Float64, and their positions among the numbers of a call.</param>
    public PlanNumbers(IReadOnlyCollection<Place> places)
    {
        _block = MemoryPool.Allocate(places.Count * Slot);
        _slots = [.. places.Select(static p => ((int)p.Index, p.Node.DType == DType.Float64))];
        Handles = [.. places.Select((p, i) => new NDArray(_block, p.Node.DType, p.Node.Shape, i * Slot / p.Node.DType.Size))];
    }

    /// <summary>An array of each value, in the order of the places.</summary>
    public NDArray[] Handles { get; }

    /// <summary>Writes the numbers of a call.</summary>
    public void Write(ReadOnlySpan<double> numbers)
    {
        ref byte first = ref MemoryPool.Reference(_block);
        for (int i = 0; i < _slots.Length; i++)
        {
            (int number, bool isDouble) = _slots[i];
            ref byte slot = ref Unsafe.AddByteOffset(ref first, i * Slot);
            if (isDouble) Unsafe.WriteUnaligned(ref slot, numbers[number]);
            else Unsafe.WriteUnaligned(ref slot, (float)numbers[number]);
        }

        GC.KeepAlive(_block);
    }
}
