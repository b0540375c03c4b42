using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>How a loop reads and writes one operand: as numbers of the value type, or as a mask of bytes.</summary>
internal unsafe interface IElementOperand<L>
{
    /// <summary>Bytes of one element in memory.</summary>
    static abstract int Size { get; }

    static abstract L Load(byte* source);

    static abstract void Store(L value, byte* destination);

    /// <summary>Fills a register's worth of memory with the one element at <paramref name="source"/>.</summary>
    static abstract void Repeat(byte* source, byte* register);
}

/// <summary>An operand whose elements are numbers.</summary>
internal readonly unsafe struct ValueOperand<L, T> : IElementOperand<L>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged
{
    public static int Size => sizeof(T);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Load(byte* source) => L.Load((T*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(L value, byte* destination) => L.Store(value, (T*)destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Repeat(byte* source, byte* register) => L.Store(L.Broadcast(*(T*)source), (T*)register);
}

/// <summary>An operand whose elements are Bool bytes.</summary>
internal readonly unsafe struct MaskOperand<L, T> : IElementOperand<L>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged
{
    public static int Size => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Load(byte* source) => L.LoadMask(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(L value, byte* destination) => L.StoreMask(value, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Repeat(byte* source, byte* register) => Vector512.Create(*source).Store(register);
}
