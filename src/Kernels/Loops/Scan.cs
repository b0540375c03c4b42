using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Running sums along the middle axis of (outer, n, inner); every line is added up in order, so the bits depend on nothing but its elements.</summary>
internal static unsafe class Scan
{
    /// <summary>Floating-point input: output of its type. Int32, Int64, UInt8 and Bool input: Int64 sums, written as Int64 or Int32.</summary>
    /// <param name="inputType">The input's element type.</param>
    /// <param name="outputType">The output's element type.</param>
    /// <param name="input">A contiguous array.</param>
    /// <param name="output">A contiguous array of the same shape; may be the input when the types agree.</param>
    /// <param name="outer">The product of the axes before the scanned one.</param>
    /// <param name="n">The length of the scanned axis.</param>
    /// <param name="inner">The product of the axes after it.</param>
    /// <param name="exclusive">Each output excludes its own element: the first one is 0.</param>
    /// <param name="reverse">From the last element to the first.</param>
    public static void CumSum(
        DType inputType, DType outputType, nint input, nint output, long outer, long n, long inner, bool exclusive = false, bool reverse = false)
    {
        switch (inputType)
        {
            case DType.Float32:
                Run<float, float, float>(input, output, outer, n, inner, exclusive, reverse);
                break;
            case DType.Float64:
                Run<double, double, double>(input, output, outer, n, inner, exclusive, reverse);
                break;
            case DType.Int32:
                Integer<int>(outputType, input, output, outer, n, inner, exclusive, reverse);
                break;
            case DType.Int64:
                Integer<long>(outputType, input, output, outer, n, inner, exclusive, reverse);
                break;
            default:
                Integer<byte>(outputType, input, output, outer, n, inner, exclusive, reverse);
                break;
        }
    }

    private static void Integer<TIn>(DType outputType, nint input, nint output, long outer, long n, long inner, bool exclusive, bool reverse)
        where TIn : unmanaged, INumberBase<TIn>
    {
        if (outputType == DType.Int32) Run<TIn, long, int>(input, output, outer, n, inner, exclusive, reverse);
        else if (outputType == DType.Int64) Run<TIn, long, long>(input, output, outer, n, inner, exclusive, reverse);
        else throw new DTypeException($"Integer running sums are Int64 or Int32, not {outputType}.");
    }

    private static void Run<TIn, TAcc, TOut>(nint input, nint output, long outer, long n, long inner, bool exclusive, bool reverse)
        where TIn : unmanaged, INumberBase<TIn>
        where TAcc : unmanaged, INumberBase<TAcc>
        where TOut : unmanaged, INumberBase<TOut>
    {
        if (n == 0 || inner == 0) return;
        var x = (TIn*)input;
        var y = (TOut*)output;
        var first = reverse ? (n - 1) * inner : 0;
        var step = reverse ? -inner : inner;
        using var scratch = new NativeScratch(inner * sizeof(TAcc));
        var sums = (TAcc*)scratch.Pointer;
        for (long o = 0; o < outer; o++, x += n * inner, y += n * inner)
        {
            if (inner == 1) Line<TIn, TAcc, TOut>(x + first, y + first, n, step, exclusive);
            else Lines<TIn, TAcc, TOut>(x + first, y + first, n, inner, step, exclusive, sums);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Line<TIn, TAcc, TOut>(TIn* x, TOut* y, long n, long step, bool exclusive)
        where TIn : unmanaged, INumberBase<TIn>
        where TAcc : unmanaged, INumberBase<TAcc>
        where TOut : unmanaged, INumberBase<TOut>
    {
        var sum = TAcc.Zero;
        for (; n > 0; n--, x += step, y += step)
        {
            var next = sum + TAcc.CreateTruncating(*x);
            *y = TOut.CreateTruncating(exclusive ? sum : next);
            sum = next;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Lines<TIn, TAcc, TOut>(TIn* x, TOut* y, long n, long inner, long step, bool exclusive, TAcc* sums)
        where TIn : unmanaged, INumberBase<TIn>
        where TAcc : unmanaged, INumberBase<TAcc>
        where TOut : unmanaged, INumberBase<TOut>
    {
        for (long i = 0; i < inner; i++) sums[i] = TAcc.Zero;
        for (; n > 0; n--, x += step, y += step)
        {
            for (long i = 0; i < inner; i++)
            {
                var sum = sums[i];
                var next = sum + TAcc.CreateTruncating(x[i]);
                y[i] = TOut.CreateTruncating(exclusive ? sum : next);
                sums[i] = next;
            }
        }
    }
}
