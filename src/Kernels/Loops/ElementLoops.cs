using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>
/// The eager loops: one method per arity, instantiated per operator, lane and kind of operand. They follow the contract of
/// <see cref="ElementLoop"/>; bit i of <c>scalars</c> says that operand i is one element, which is repeated into a register's worth of stack and
/// then read with stride 0: one body serves every combination of scalars, at the price of a load that a hoisted scalar would save.
/// </summary>
internal static unsafe class ElementLoops
{
    /// <summary>y = f(x)</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    public static void Unary<TOp, L, T, TX, TY>(nint table, long start, long end, int scalars)
        where TOp : struct, IUnaryOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
        where TX : struct, IElementOperand<L>
        where TY : struct, IElementOperand<L>
    {
        Vector512<byte> xs;
        byte** operands = (byte**)table;
        long xStep = L.Count * TX.Size;
        byte* x = operands[0] + (start * TX.Size), y = operands[1] + (start * TY.Size);
        if (scalars != 0)
        {
            TX.Repeat(operands[0], (byte*)&xs);
            x = (byte*)&xs;
            xStep = 0;
        }
        for (long rest = end - start; rest > 0; rest -= L.Count)
        {
            TY.Store(TOp.Invoke(TX.Load(x)), y);
            x += xStep;
            y += L.Count * TY.Size;
        }
    }

    /// <summary>z = f(x, y)</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Binary<TOp, L, T, TX, TZ>(nint table, long start, long end, int scalars)
        where TOp : struct, IBinaryOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
        where TX : struct, IElementOperand<L>
        where TZ : struct, IElementOperand<L>
    {
        if (scalars != 0)
        {
            BinaryWithScalars<TOp, L, T, TX, TZ>(table, start, end, scalars);
            return;
        }
        byte** operands = (byte**)table;
        byte* x = operands[0], y = operands[1], z = operands[2];
        for (long i = start; i < end; i += L.Count) TZ.Store(TOp.Invoke(TX.Load(x + (i * TX.Size)), TX.Load(y + (i * TX.Size))), z + (i * TZ.Size));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    private static void BinaryWithScalars<TOp, L, T, TX, TZ>(nint table, long start, long end, int scalars)
        where TOp : struct, IBinaryOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
        where TX : struct, IElementOperand<L>
        where TZ : struct, IElementOperand<L>
    {
        Vector512<byte> xs, ys;
        byte** operands = (byte**)table;
        long xStep = L.Count * TX.Size, yStep = xStep;
        byte* x = operands[0] + (start * TX.Size), y = operands[1] + (start * TX.Size), z = operands[2] + (start * TZ.Size);
        if ((scalars & 1) != 0)
        {
            TX.Repeat(operands[0], (byte*)&xs);
            x = (byte*)&xs;
            xStep = 0;
        }
        if ((scalars & 2) != 0)
        {
            TX.Repeat(operands[1], (byte*)&ys);
            y = (byte*)&ys;
            yStep = 0;
        }
        for (long rest = end - start; rest > 0; rest -= L.Count)
        {
            TZ.Store(TOp.Invoke(TX.Load(x), TX.Load(y)), z);
            x += xStep;
            y += yStep;
            z += L.Count * TZ.Size;
        }
    }

    /// <summary>w = f(x, y, z), where x may be a mask and the others are values</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Ternary<TOp, L, T, TX>(nint table, long start, long end, int scalars)
        where TOp : struct, ITernaryOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
        where TX : struct, IElementOperand<L>
    {
        if (scalars != 0)
        {
            TernaryWithScalars<TOp, L, T, TX>(table, start, end, scalars);
            return;
        }
        byte** operands = (byte**)table;
        byte* x = operands[0];
        T* y = (T*)operands[1], z = (T*)operands[2], w = (T*)operands[3];
        for (long i = start; i < end; i += L.Count) L.Store(TOp.Invoke(TX.Load(x + (i * TX.Size)), L.Load(y + i), L.Load(z + i)), w + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    private static void TernaryWithScalars<TOp, L, T, TX>(nint table, long start, long end, int scalars)
        where TOp : struct, ITernaryOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
        where TX : struct, IElementOperand<L>
    {
        Vector512<byte> xs, ys, zs;
        byte** operands = (byte**)table;
        long xStep = L.Count * TX.Size, yStep = L.Count * sizeof(T), zStep = yStep;
        byte* x = operands[0] + (start * TX.Size), y = operands[1] + (start * sizeof(T)), z = operands[2] + (start * sizeof(T));
        byte* w = operands[3] + (start * sizeof(T));
        if ((scalars & 1) != 0)
        {
            TX.Repeat(operands[0], (byte*)&xs);
            x = (byte*)&xs;
            xStep = 0;
        }
        if ((scalars & 2) != 0)
        {
            ValueOperand<L, T>.Repeat(operands[1], (byte*)&ys);
            y = (byte*)&ys;
            yStep = 0;
        }
        if ((scalars & 4) != 0)
        {
            ValueOperand<L, T>.Repeat(operands[2], (byte*)&zs);
            z = (byte*)&zs;
            zStep = 0;
        }
        for (long rest = end - start; rest > 0; rest -= L.Count)
        {
            L.Store(TOp.Invoke(TX.Load(x), L.Load((T*)y), L.Load((T*)z)), (T*)w);
            x += xStep;
            y += yStep;
            z += zStep;
            w += L.Count * sizeof(T);
        }
    }
}
