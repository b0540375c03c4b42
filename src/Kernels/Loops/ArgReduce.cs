using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Positions of maxima and minima: (outer, reduced, inner) → Int64 (outer, inner). The first occurrence wins, and the first NaN over everything (NumPy).</summary>
internal static unsafe class ArgReduce
{
    /// <param name="max">Maximum or minimum.</param>
    /// <param name="dtype">The input's element type.</param>
    /// <param name="input">A contiguous array.</param>
    /// <param name="output">One index along the reduced axis (which is not empty) per line.</param>
    /// <param name="outer">The product of the axes before the reduced one.</param>
    /// <param name="reduced">The length of the reduced axis.</param>
    /// <param name="inner">The product of the axes after it.</param>
    public static void Run(bool max, DType dtype, nint input, long* output, long outer, long reduced, long inner)
    {
        switch (dtype)
        {
            case DType.Float32:
                Run<float>(max, (float*)input, output, outer, reduced, inner);
                break;
            case DType.Float64:
                Run<double>(max, (double*)input, output, outer, reduced, inner);
                break;
            case DType.Int32:
                Run<int>(max, (int*)input, output, outer, reduced, inner);
                break;
            case DType.Int64:
                Run<long>(max, (long*)input, output, outer, reduced, inner);
                break;
            default:
                Run<byte>(max, (byte*)input, output, outer, reduced, inner);
                break;
        }
    }

    private static void Run<T>(bool max, T* x, long* y, long outer, long reduced, long inner)
        where T : unmanaged, INumber<T>
    {
        for (long o = 0; o < outer; o++, x += reduced * inner, y += inner)
        {
            for (long i = 0; i < inner; i++) y[i] = max ? Line<T, Greater<T>>(x + i, reduced, inner) : Line<T, Less<T>>(x + i, reduced, inner);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long Line<T, TBetter>(T* x, long n, long stride)
        where T : unmanaged, INumber<T>
        where TBetter : IBetter<T>
    {
        var best = *x;
        long index = 0;
        for (long i = 0; i < n; i++, x += stride)
        {
            if (T.IsNaN(*x)) return i;
            if (!TBetter.Than(*x, best)) continue;
            best = *x;
            index = i;
        }

        return index;
    }

    private interface IBetter<T>
    {
        static abstract bool Than(T a, T b);
    }

    private readonly struct Greater<T> : IBetter<T>
        where T : unmanaged, INumber<T>
    {
        public static bool Than(T a, T b) => a > b;
    }

    private readonly struct Less<T> : IBetter<T>
        where T : unmanaged, INumber<T>
    {
        public static bool Than(T a, T b) => a < b;
    }
}
