using System.Runtime.CompilerServices;
using Fusion.Kernels;

namespace Fusion;

/// <summary>What runs on the memory of arrays.</summary>
internal interface IArrayAction
{
    /// <param name="pointers">The address of the first element of every array, inputs first, valid during the call.</param>
    void Invoke(ReadOnlySpan<nint> pointers);
}

/// <summary>Holds arrays in place, and their memory alive, for the length of a kernel; allocates nothing.</summary>
internal static unsafe class ArrayPins
{
    /// <summary>The most arrays of one kernel.</summary>
    public const int MaxArrays = 40;

    [SkipLocalsInit]
    public static void Run<TAction>(ReadOnlySpan<NDArray> inputs, ReadOnlySpan<NDArray> outputs, ref TAction action)
        where TAction : struct, IArrayAction, allows ref struct
    {
        nint* pointers = stackalloc nint[MaxArrays];
        Held held = new() { Inputs = inputs, Outputs = outputs, Pointers = new Span<nint>(pointers, inputs.Length + outputs.Length) };
        Pin(in held, 0, ref action);
    }

    // A pinned local holds one object, so recursion makes as many as there are; four a level.
    private static void Pin<TAction>(in Held held, int at, ref TAction action)
        where TAction : struct, IArrayAction, allows ref struct
    {
        switch (held.Pointers.Length - at)
        {
            case 0:
                action.Invoke(held.Pointers);
                break;
            case 1:
                PinOne(in held, at, ref action);
                break;
            case 2 or 3:
                PinTwo(in held, at, ref action);
                break;
            default:
                PinFour(in held, at, ref action);
                break;
        }
    }

    private static void PinOne<TAction>(in Held held, int at, ref TAction action)
        where TAction : struct, IArrayAction, allows ref struct
    {
        NDArray array = held[at];
        object storage = array.Storage;
        fixed (byte* pointer = &Start(array, storage))
        {
            held.Pointers[at] = (nint)pointer;
            action.Invoke(held.Pointers);
        }

        GC.KeepAlive(storage);
    }

    private static void PinTwo<TAction>(in Held held, int at, ref TAction action)
        where TAction : struct, IArrayAction, allows ref struct
    {
        NDArray a = held[at], b = held[at + 1];
        object storageOfA = a.Storage, storageOfB = b.Storage;
        fixed (byte* first = &Start(a, storageOfA), second = &Start(b, storageOfB))
        {
            held.Pointers[at] = (nint)first;
            held.Pointers[at + 1] = (nint)second;
            Pin(in held, at + 2, ref action);
        }

        GC.KeepAlive(storageOfA);
        GC.KeepAlive(storageOfB);
    }

    private static void PinFour<TAction>(in Held held, int at, ref TAction action)
        where TAction : struct, IArrayAction, allows ref struct
    {
        NDArray a = held[at], b = held[at + 1], c = held[at + 2], d = held[at + 3];
        object storageOfA = a.Storage, storageOfB = b.Storage, storageOfC = c.Storage, storageOfD = d.Storage;
        fixed (byte* first = &Start(a, storageOfA), second = &Start(b, storageOfB), third = &Start(c, storageOfC), fourth = &Start(d, storageOfD))
        {
            held.Pointers[at] = (nint)first;
            held.Pointers[at + 1] = (nint)second;
            held.Pointers[at + 2] = (nint)third;
            held.Pointers[at + 3] = (nint)fourth;
            Pin(in held, at + 4, ref action);
        }

        // A pinned pointer into native memory keeps nothing alive: its owner has to be named.
        GC.KeepAlive(storageOfA);
        GC.KeepAlive(storageOfB);
        GC.KeepAlive(storageOfC);
        GC.KeepAlive(storageOfD);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref byte Start(NDArray array, object storage) => ref Unsafe.AddByteOffset(ref MemoryPool.Reference(storage), (nint)(array.Offset * array.DType.Size));

    private ref struct Held
    {
        public ReadOnlySpan<NDArray> Inputs;
        public ReadOnlySpan<NDArray> Outputs;
        public Span<nint> Pointers;

        public readonly NDArray this[int i] => i < Inputs.Length ? Inputs[i] : Outputs[i - Inputs.Length];
    }
}
