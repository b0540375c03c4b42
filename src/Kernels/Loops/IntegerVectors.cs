using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>The vectorised part of integer reductions. Each takes the whole vectors of a row and returns how many elements they were.</summary>
internal static unsafe class IntegerVectors
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static long Sum(int* x, long n, ref long state)
    {
        Vector<long> a = default, b = default;
        long i = 0;
        for (; i + Vector<int>.Count <= n; i += Vector<int>.Count)
        {
            Vector.Widen(Vector.Load(x + i), out var low, out var high);
            a += low;
            b += high;
        }

        state += Vector.Sum(a + b);
        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static long Sum(byte* x, long n, ref long state)
    {
        long i = 0;
        while (i + Vector<byte>.Count <= n)
        {
            // 128 steps of two bytes a lane stay below 2¹⁶.
            var end = Math.Min(n, i + 128L * Vector<byte>.Count);
            Vector<ushort> sums = default;
            for (; i + Vector<byte>.Count <= end; i += Vector<byte>.Count)
            {
                Vector.Widen(Vector.Load(x + i), out var low, out var high);
                sums += low + high;
            }

            Vector.Widen(sums, out var wide0, out var wide1);
            state += Vector.Sum(wide0 + wide1);
        }

        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static long Max<T>(T* x, long n, ref T state)
        where T : unmanaged, INumber<T>
    {
        Vector<T> a = new(state), b = a;
        long i = 0;
        for (; i + 2 * Vector<T>.Count <= n; i += 2 * Vector<T>.Count)
        {
            a = Vector.Max(a, Vector.Load(x + i));
            b = Vector.Max(b, Vector.Load(x + i + Vector<T>.Count));
        }

        a = Vector.Max(a, b);
        for (var k = 0; k < Vector<T>.Count; k++) state = T.Max(state, a[k]);
        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static long Min<T>(T* x, long n, ref T state)
        where T : unmanaged, INumber<T>
    {
        Vector<T> a = new(state), b = a;
        long i = 0;
        for (; i + 2 * Vector<T>.Count <= n; i += 2 * Vector<T>.Count)
        {
            a = Vector.Min(a, Vector.Load(x + i));
            b = Vector.Min(b, Vector.Load(x + i + Vector<T>.Count));
        }

        a = Vector.Min(a, b);
        for (var k = 0; k < Vector<T>.Count; k++) state = T.Min(state, a[k]);
        return i;
    }
}
