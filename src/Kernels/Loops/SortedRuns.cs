using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Runs of elements that sorting does not tell apart, in a sorted line: both zeros are one number, and all NaN are.</summary>
internal static unsafe class SortedRuns
{
    /// <summary>How many runs there are.</summary>
    public static long Count(DType dtype, nint sorted, long n) => n == 0 ? 0 : dtype switch
    {
        DType.Float32 => Count<int, FloatKeys>((int*)sorted, n),
        DType.Float64 => Count<long, DoubleKeys>((long*)sorted, n),
        DType.Int32 => Count<int, IntegerKeys<int>>((int*)sorted, n),
        DType.Int64 => Count<long, IntegerKeys<long>>((long*)sorted, n),
        _ => Count<byte, IntegerKeys<byte>>((byte*)sorted, n),
    };

    /// <summary>Writes where each run starts and how long it is, and, if asked for, inverse[order[i]] = the run of element i.</summary>
    public static void Write(DType dtype, nint sorted, long n, long* starts, long* lengths, long* order, long* inverse)
    {
        if (n == 0) return;
        switch (dtype)
        {
            case DType.Float32: Write<int, FloatKeys>((int*)sorted, n, starts, lengths, order, inverse); break;
            case DType.Float64: Write<long, DoubleKeys>((long*)sorted, n, starts, lengths, order, inverse); break;
            case DType.Int32: Write<int, IntegerKeys<int>>((int*)sorted, n, starts, lengths, order, inverse); break;
            case DType.Int64: Write<long, IntegerKeys<long>>((long*)sorted, n, starts, lengths, order, inverse); break;
            default: Write<byte, IntegerKeys<byte>>((byte*)sorted, n, starts, lengths, order, inverse); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long Count<T, TKeys>(T* x, long n)
        where T : unmanaged, IBinaryInteger<T>
        where TKeys : struct, ISortKeys<T>
    {
        long runs = 1, i = 1;
        for (; i + Vector<T>.Count <= n; i += Vector<T>.Count)
        {
            Vector<T> keys = TKeys.Keys(Vector.Load(x + i)), before = TKeys.Keys(Vector.Load(x + i - 1));
            if (Vector.EqualsAll(keys, before)) continue;
            for (int k = 0; k < Vector<T>.Count; k++) runs += keys[k] == before[k] ? 0 : 1;
        }

        for (; i < n; i++) runs += TKeys.Key(x[i]) == TKeys.Key(x[i - 1]) ? 0 : 1;
        return runs;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Write<T, TKeys>(T* x, long n, long* starts, long* lengths, long* order, long* inverse)
        where T : unmanaged, IBinaryInteger<T>
        where TKeys : struct, ISortKeys<T>
    {
        long run = 0, start = 0;
        T key = TKeys.Key(x[0]);
        for (long i = 0; i < n; i++)
        {
            T next = TKeys.Key(x[i]);
            if (next != key)
            {
                (starts[run], lengths[run]) = (start, i - start);
                (key, start) = (next, i);
                run++;
            }

            if (inverse != null) inverse[order[i]] = run;
        }

        (starts[run], lengths[run]) = (start, n - start);
    }
}
