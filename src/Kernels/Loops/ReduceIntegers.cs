using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>One kind of reduction whose order does not matter: integer arithmetic that wraps, extremes, logic.</summary>
internal unsafe interface IIntegerReduceOp<TIn, TAcc>
    where TIn : unmanaged
{
    static abstract TAcc Start { get; }

    static abstract TAcc Take(TAcc state, TIn x);

    static abstract TAcc Combine(TAcc a, TAcc b);

    /// <summary>Takes as many whole vectors as it can and returns how many elements they were.</summary>
    static virtual long TakeVectors(TIn* x, long n, ref TAcc state) => 0;
}

/// <summary>Reductions of Int32, Int64, UInt8 and Bool, and Any and All of every type: (outer, reduced, inner) → (outer, inner).</summary>
internal static unsafe class ReduceIntegers
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TOp, TIn, TAcc, TOut>(nint input, nint output, long outer, long reduced, long inner)
        where TOp : IIntegerReduceOp<TIn, TAcc>
        where TIn : unmanaged
        where TAcc : unmanaged, INumberBase<TAcc>
        where TOut : unmanaged, INumberBase<TOut>
    {
        var x = (TIn*)input;
        var y = (TOut*)output;
        if (inner == 1)
        {
            for (long o = 0; o < outer; o++, x += reduced) y[o] = TOut.CreateTruncating(Row<TOp, TIn, TAcc>(x, reduced));
            return;
        }

        using var scratch = new NativeScratch(inner * sizeof(TAcc));
        var states = (TAcc*)scratch.Pointer;
        for (long o = 0; o < outer; o++, y += inner)
        {
            for (long i = 0; i < inner; i++) states[i] = TOp.Start;
            for (long r = 0; r < reduced; r++, x += inner)
            {
                for (long i = 0; i < inner; i++) states[i] = TOp.Take(states[i], x[i]);
            }

            for (long i = 0; i < inner; i++) y[i] = TOut.CreateTruncating(states[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static TAcc Row<TOp, TIn, TAcc>(TIn* x, long n)
        where TOp : IIntegerReduceOp<TIn, TAcc>
        where TIn : unmanaged
    {
        TAcc a = TOp.Start, b = a, c = a, d = a;
        var i = TOp.TakeVectors(x, n, ref a);
        for (; i + 4 <= n; i += 4)
        {
            a = TOp.Take(a, x[i]);
            b = TOp.Take(b, x[i + 1]);
            c = TOp.Take(c, x[i + 2]);
            d = TOp.Take(d, x[i + 3]);
        }

        for (; i < n; i++) a = TOp.Take(a, x[i]);
        return TOp.Combine(TOp.Combine(a, b), TOp.Combine(c, d));
    }
}
