using System.Runtime.CompilerServices;
using Fusion.Kernels;

namespace Fusion;

/// <summary>What runs on the memory of arrays.</summary>
internal interface IArrayAction
{
    /// <param name="pointers">The address of the first element of every array, inputs first, valid during the call.</param>
    void Invoke(ReadOnlySpan<nint> pointers);
}

/// <summary>Holds arrays in place for the length of a kernel; allocates nothing.</summary>
internal static unsafe class ArrayPins
{
    /// <summary>The most arrays of one kernel.</summary>
    public const int MaxArrays = 40;

    [SkipLocalsInit]
    public static void Run<TAction>(ReadOnlySpan<NDArray> inputs, ReadOnlySpan<NDArray> outputs, ref TAction action)
        where TAction : struct, IArrayAction, allows ref struct
    {
        int count = inputs.Length + outputs.Length;
        StorageBuffer storages = default;
        Unsafe.SkipInit(out PointerBuffer pointers);
        for (int i = 0; i < count; i++) storages[i] = (i < inputs.Length ? inputs[i] : outputs[i - inputs.Length]).Storage;
        Pinned<TAction> pinned = new()
        {
            Inputs = inputs,
            Outputs = outputs,
            Pointers = ((Span<nint>)pointers)[..count],
            Action = Unsafe.AsPointer(ref action),
        };
        Pinning.Run(((ReadOnlySpan<object>)storages)[..count], pinned.Pointers, ref pinned);
    }

    private ref struct Pinned<TAction> : IPinnedAction
        where TAction : struct, IArrayAction, allows ref struct
    {
        public ReadOnlySpan<NDArray> Inputs;
        public ReadOnlySpan<NDArray> Outputs;
        public Span<nint> Pointers;
        public void* Action; // a TAction on the caller's stack: a ref struct cannot be a field by reference

        public readonly void Invoke()
        {
            for (int i = 0; i < Pointers.Length; i++)
            {
                NDArray array = i < Inputs.Length ? Inputs[i] : Outputs[i - Inputs.Length];
                Pointers[i] += (nint)(array.Offset * array.DType.Size);
            }

            Unsafe.AsRef<TAction>(Action).Invoke(Pointers);
        }
    }

    [InlineArray(MaxArrays)]
    private struct StorageBuffer
    {
        private object _first;
    }

    [InlineArray(MaxArrays)]
    private struct PointerBuffer
    {
        private nint _first;
    }
}
