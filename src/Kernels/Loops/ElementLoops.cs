using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>
/// The eager loops: one method per arity, instantiated per operator, lane and kind of operand. They follow the contract of
/// <see cref="ElementLoop"/>; bit i of <c>scalars</c> says that operand i is one element, which is repeated. Of three operands the second and the third stay
/// in registers; where the first is one element, it is repeated into a register's worth of stack and then read with stride 0: one body serves all of these.
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
        byte** operands = (byte**)table;
        byte* x = operands[0], y = operands[1], z = operands[2];
        if (scalars != 0)
        {
            if (scalars == 1) BinaryWithOne<TOp, L, T, TX, TZ>(x, y, z, start, end);
            else if (scalars == 2) BinaryWithOne<Flipped<TOp>, L, T, TX, TZ>(y, x, z, start, end);
            else
            {
                // Two numbers.
                L value = TOp.Invoke(Repeated<L, TX>(x), Repeated<L, TX>(y));
                for (long i = start; i < end; i += L.Count) TZ.Store(value, z + (i * TZ.Size));
            }

            return;
        }

        for (long i = start; i < end; i += L.Count) TZ.Store(TOp.Invoke(TX.Load(x + (i * TX.Size)), TX.Load(y + (i * TX.Size))), z + (i * TZ.Size));
    }

    // z = f(x, y) with one x, which stays in a register.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BinaryWithOne<TOp, L, T, TX, TZ>(byte* one, byte* y, byte* z, long start, long end)
        where TOp : struct, IBinaryOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
        where TX : struct, IElementOperand<L>
        where TZ : struct, IElementOperand<L>
    {
        L x = Repeated<L, TX>(one);
        for (long i = start; i < end; i += L.Count) TZ.Store(TOp.Invoke(x, TX.Load(y + (i * TX.Size))), z + (i * TZ.Size));
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L Repeated<L, TX>(byte* source)
        where TX : struct, IElementOperand<L>
    {
        Vector512<byte> register;
        TX.Repeat(source, (byte*)&register);
        return TX.Load((byte*)&register);
    }

    // f with its operands exchanged.
    private readonly struct Flipped<TOp> : IBinaryOp
        where TOp : struct, IBinaryOp
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static L Invoke<L>(L x, L y)
            where L : struct, ILane<L> => TOp.Invoke(y, x);
    }

    /// <summary>w = f(x, y, z), where x may be a mask and the others are values</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Ternary<TOp, L, T, TX>(nint table, long start, long end, int scalars)
        where TOp : struct, ITernaryOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
        where TX : struct, IElementOperand<L>
    {
        byte** operands = (byte**)table;
        byte* x = operands[0];
        T* y = (T*)operands[1], z = (T*)operands[2], w = (T*)operands[3];
        if (scalars != 0)
        {
            if (scalars == 4) TernaryWithOne<TOp, L, T, TX>(x, y, *z, w, start, end);
            else if (scalars == 2) TernaryWithOne<Swapped<TOp>, L, T, TX>(x, z, *y, w, start, end);
            else if (scalars == 6) TernaryWithTwo<TOp, L, T, TX>(x, *y, *z, w, start, end);
            else TernaryWithScalars<TOp, L, T, TX>(table, start, end, scalars);
            return;
        }
        for (long i = start; i < end; i += L.Count) L.Store(TOp.Invoke(TX.Load(x + (i * TX.Size)), L.Load(y + i), L.Load(z + i)), w + i);
    }

    // w = f(x, y, z) with one z.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TernaryWithOne<TOp, L, T, TX>(byte* x, T* y, T z, T* w, long start, long end)
        where TOp : struct, ITernaryOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
        where TX : struct, IElementOperand<L>
    {
        L last = L.Broadcast(z);
        for (long i = start; i < end; i += L.Count) L.Store(TOp.Invoke(TX.Load(x + (i * TX.Size)), L.Load(y + i), last), w + i);
    }

    // f with its last operands exchanged.
    private readonly struct Swapped<TOp> : ITernaryOp
        where TOp : struct, ITernaryOp
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static L Invoke<L>(L x, L y, L z)
            where L : struct, ILane<L> => TOp.Invoke(x, z, y);
    }

    // w = f(x, y, z) with one y and one z.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TernaryWithTwo<TOp, L, T, TX>(byte* x, T y, T z, T* w, long start, long end)
        where TOp : struct, ITernaryOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
        where TX : struct, IElementOperand<L>
    {
        L middle = L.Broadcast(y), last = L.Broadcast(z);
        for (long i = start; i < end; i += L.Count) L.Store(TOp.Invoke(TX.Load(x + (i * TX.Size)), middle, last), w + i);
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
