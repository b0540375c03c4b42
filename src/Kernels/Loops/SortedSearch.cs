using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>How many elements of an ascending line precede each of some values; NaN comes last. The binary search has no branch that depends on values.</summary>
internal static unsafe class SortedSearch
{
    private const long SplitValues = 4 * 1024;

    /// <summary>counts[i] of the elements below values[i], with <paramref name="right"/> also of those equal to it.</summary>
    public static void Run(DType dtype, nint line, long length, nint values, long* counts, long count, bool right)
    {
        var job = new Job { Line = line, Length = length, Values = values, Counts = counts, Count = count, Right = right };
        job.Pieces = count < SplitValues ? 1 : (int)Math.Min(count, 4L * WorkerPool.Threads);
        WorkerPool.Run(job.Pieces, BodyOf(dtype), &job);
    }

    private static delegate*<void*, int, void> BodyOf(DType dtype) => dtype switch
    {
        DType.Float32 => &Piece<float>,
        DType.Float64 => &Piece<double>,
        DType.Int32 => &Piece<int>,
        DType.Int64 => &Piece<long>,
        _ => &Piece<byte>,
    };

    private static void Piece<T>(void* context, int piece)
        where T : unmanaged, INumber<T>
    {
        Job* job = (Job*)context;
        long first = job->Count * piece / job->Pieces, end = job->Count * (piece + 1) / job->Pieces, numbers = job->Length;
        T* line = (T*)job->Line;
        while (numbers > 0 && T.IsNaN(line[numbers - 1])) numbers--;
        if (job->Right) Search<T, AtMost<T>>(line, numbers, job->Length, (T*)job->Values, job->Counts, first, end);
        else Search<T, Below<T>>(line, numbers, numbers, (T*)job->Values, job->Counts, first, end);
    }

    // forNaN is the answer for NaN.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Search<T, TOrder>(T* line, long numbers, long forNaN, T* values, long* counts, long first, long end)
        where T : unmanaged, INumber<T>
        where TOrder : struct, IOrder<T>
    {
        long i = first;
        for (; numbers == 0 && i < end; i++) counts[i] = T.IsNaN(values[i]) ? forNaN : 0;

        // Four at a time: each is a chain of dependent steps.
        for (; i + 4 <= end; i += 4)
        {
            T a = values[i], b = values[i + 1], c = values[i + 2], d = values[i + 3];
            T* lowA = line, lowB = line, lowC = line, lowD = line;
            long rest = numbers;
            while (rest > 1)
            {
                long half = rest >> 1;
                lowA += Step<T, TOrder>(lowA, a, half);
                lowB += Step<T, TOrder>(lowB, b, half);
                lowC += Step<T, TOrder>(lowC, c, half);
                lowD += Step<T, TOrder>(lowD, d, half);
                rest -= half;
            }

            counts[i] = T.IsNaN(a) ? forNaN : lowA - line + Step<T, TOrder>(lowA, a, rest);
            counts[i + 1] = T.IsNaN(b) ? forNaN : lowB - line + Step<T, TOrder>(lowB, b, rest);
            counts[i + 2] = T.IsNaN(c) ? forNaN : lowC - line + Step<T, TOrder>(lowC, c, rest);
            counts[i + 3] = T.IsNaN(d) ? forNaN : lowD - line + Step<T, TOrder>(lowD, d, rest);
        }

        for (; i < end; i++)
        {
            T value = values[i];
            T* low = line;
            long rest = numbers;
            for (; rest > 1; rest -= rest >> 1) low += Step<T, TOrder>(low, value, rest >> 1);
            counts[i] = T.IsNaN(value) ? forNaN : low - line + Step<T, TOrder>(low, value, rest);
        }
    }

    // count if the last of so many elements precedes the value, else 0.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Step<T, TOrder>(T* low, T value, long count)
        where T : unmanaged, INumber<T>
        where TOrder : struct, IOrder<T> => count & -Flag(TOrder.Precedes(low[count - 1], value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Flag(bool condition) => Unsafe.BitCast<bool, byte>(condition);

    private interface IOrder<T>
    {
        static abstract bool Precedes(T element, T value);
    }

    private readonly struct Below<T> : IOrder<T>
        where T : unmanaged, INumber<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static bool Precedes(T element, T value) => element < value;
    }

    private readonly struct AtMost<T> : IOrder<T>
        where T : unmanaged, INumber<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static bool Precedes(T element, T value) => element <= value;
    }

    private struct Job
    {
        public nint Line;
        public long Length;
        public nint Values;
        public long* Counts;
        public long Count;
        public int Pieces;
        public bool Right;
    }
}
