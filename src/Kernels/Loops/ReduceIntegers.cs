using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>One kind of integer reduction. Integer arithmetic wraps, so the order does not matter and the JIT may unroll as it likes.</summary>
internal interface IIntegerReduceOp<TIn, TAcc>
{
    static abstract TAcc Start { get; }

    static abstract TAcc Take(TAcc state, TIn x);
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
        for (long o = 0; o < outer; o++, x += reduced * inner, y += inner)
        {
            for (long i = 0; i < inner; i++)
            {
                var state = TOp.Start;
                TIn* p = x + i;
                for (long r = 0; r < reduced; r++, p += inner) state = TOp.Take(state, *p);
                y[i] = TOut.CreateTruncating(state);
            }
        }
    }

    internal readonly struct Sum<TIn> : IIntegerReduceOp<TIn, long>
        where TIn : unmanaged, INumberBase<TIn>
    {
        public static long Start => 0;

        public static long Take(long state, TIn x) => state + long.CreateTruncating(x);
    }

    internal readonly struct SumOfSquares<TIn> : IIntegerReduceOp<TIn, long>
        where TIn : unmanaged, INumberBase<TIn>
    {
        public static long Start => 0;

        public static long Take(long state, TIn x) => state + long.CreateTruncating(x) * long.CreateTruncating(x);
    }

    internal readonly struct Prod<TIn> : IIntegerReduceOp<TIn, long>
        where TIn : unmanaged, INumberBase<TIn>
    {
        public static long Start => 1;

        public static long Take(long state, TIn x) => state * long.CreateTruncating(x);
    }

    internal readonly struct Max<TIn> : IIntegerReduceOp<TIn, TIn>
        where TIn : unmanaged, INumber<TIn>, IMinMaxValue<TIn>
    {
        public static TIn Start => TIn.MinValue;

        public static TIn Take(TIn state, TIn x) => x > state ? x : state;
    }

    internal readonly struct Min<TIn> : IIntegerReduceOp<TIn, TIn>
        where TIn : unmanaged, INumber<TIn>, IMinMaxValue<TIn>
    {
        public static TIn Start => TIn.MaxValue;

        public static TIn Take(TIn state, TIn x) => x < state ? x : state;
    }

    internal readonly struct Any<TIn> : IIntegerReduceOp<TIn, byte>
        where TIn : unmanaged, INumberBase<TIn>
    {
        public static byte Start => 0;

        public static byte Take(byte state, TIn x) => (byte)(state | (x != TIn.Zero ? 1 : 0));
    }

    internal readonly struct All<TIn> : IIntegerReduceOp<TIn, byte>
        where TIn : unmanaged, INumberBase<TIn>
    {
        public static byte Start => 1;

        public static byte Take(byte state, TIn x) => (byte)(state & (x != TIn.Zero ? 1 : 0));
    }
}
