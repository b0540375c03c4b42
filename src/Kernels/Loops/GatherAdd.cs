using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// The gradients of <see cref="Gather"/>: values are added to the places that the indices name. Each place gets its values in the order of the
/// indices, whatever the number of threads: a thread owns places, not values.
/// </summary>
internal static unsafe class GatherAdd
{
    private const long SplitElements = 32 * 1024;

    /// <summary>
    /// target[o, index[i], :] += source[o, i, :], the target (outer, axis, inner), the source (outer, count, inner); Float32, Float64, Int32 or Int64.
    /// Returns the place of the first index that is out of range, or −1.
    /// </summary>
    public static long ScatterAdd(nint source, nint target, long outer, long axis, long inner, DType dtype, nint indices, DType indexType, long count)
    {
        var index = new GatherIndex(indices, indexType, axis);
        long bad = index.FirstBad(count);
        if (bad >= 0) return bad;
        var job = new Job { Source = source, Target = target, Index = index, Outer = outer, Axis = axis, Inner = inner, Count = count, Pieces = 1, Parts = 1 };
        if (outer * count * inner >= SplitElements)
        {
            // Where the outer axis is short, every piece reads all indices and takes a part of the places: little beside rows of some length.
            if (outer >= 2L * WorkerPool.Threads) job.Pieces = (int)Math.Min(outer, 4L * WorkerPool.Threads);
            else if (inner >= 8) job.Parts = (int)Math.Min(axis, WorkerPool.Threads);
        }

        WorkerPool.Run(job.Pieces * job.Parts, inner == 1 ? ElementsOf(dtype, indexType) : RowsOf(dtype), &job);
        return -1;
    }

    /// <summary>
    /// target[o, index[o, k, n], n] += source[o, k, n]: the gradient of <see cref="Gather.Pick(nint, nint, long, long, long, int, nint, DType, long, bool)"/>.
    /// Returns the place of the first index that is out of range, or −1.
    /// </summary>
    public static long PickGradient(nint source, nint target, long outer, long axis, long inner, DType dtype, nint indices, DType indexType, long count = 1)
    {
        var index = new GatherIndex(indices, indexType, axis);
        long bad = index.FirstBad(outer * count * inner);
        if (bad >= 0) return bad;
        var job = new Job { Source = source, Target = target, Index = index, Outer = outer, Axis = axis, Inner = inner, Count = count, Pieces = 1, Parts = 1 };
        if (outer * count * inner >= SplitElements) job.Pieces = (int)Math.Min(outer, 4 * WorkerPool.Threads);
        WorkerPool.Run(job.Pieces, LinesOf(dtype, indexType), &job);
        return -1;
    }

    private static delegate*<void*, int, void> RowsOf(DType dtype) => dtype switch
    {
        DType.Float32 => &AddRows<float>,
        DType.Float64 => &AddRows<double>,
        DType.Int32 => &AddRows<int>,
        DType.Int64 => &AddRows<long>,
        _ => throw Unsupported(dtype),
    };

    private static delegate*<void*, int, void> ElementsOf(DType dtype, DType indexType) => (dtype, indexType) switch
    {
        (DType.Float32, DType.Int32) => &AddElements<float, int>,
        (DType.Float32, _) => &AddElements<float, long>,
        (DType.Float64, DType.Int32) => &AddElements<double, int>,
        (DType.Float64, _) => &AddElements<double, long>,
        (DType.Int32, DType.Int32) => &AddElements<int, int>,
        (DType.Int32, _) => &AddElements<int, long>,
        (DType.Int64, DType.Int32) => &AddElements<long, int>,
        (DType.Int64, _) => &AddElements<long, long>,
        _ => throw Unsupported(dtype),
    };

    private static delegate*<void*, int, void> LinesOf(DType dtype, DType indexType) => (dtype, indexType) switch
    {
        (DType.Float32, DType.Int32) => &AddPicked<float, int>,
        (DType.Float32, _) => &AddPicked<float, long>,
        (DType.Float64, DType.Int32) => &AddPicked<double, int>,
        (DType.Float64, _) => &AddPicked<double, long>,
        (DType.Int32, DType.Int32) => &AddPicked<int, int>,
        (DType.Int32, _) => &AddPicked<int, long>,
        (DType.Int64, DType.Int32) => &AddPicked<long, int>,
        (DType.Int64, _) => &AddPicked<long, long>,
        _ => throw Unsupported(dtype),
    };

    private static DTypeException Unsupported(DType dtype) => new($"Scatter adds Float32, Float64, Int32 or Int64, not {dtype}. Convert with AsType.");

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddRows<T>(void* context, int piece)
        where T : unmanaged, INumber<T>
    {
        ref Job job = ref *(Job*)context;
        (int lines, int part) = Math.DivRem(piece, job.Parts);
        long first = job.Axis * part / job.Parts, end = job.Axis * (part + 1) / job.Parts;
        for (long o = job.Outer * lines / job.Pieces, last = job.Outer * (lines + 1) / job.Pieces; o < last; o++)
        {
            T* target = (T*)job.Target + (o * job.Axis * job.Inner), source = (T*)job.Source + (o * job.Count * job.Inner);
            for (long i = 0; i < job.Count; i++)
            {
                long row = job.Index[i];
                if (row >= first && row < end) AddRow(source + (i * job.Inner), target + (row * job.Inner), job.Inner);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddElements<T, TIndex>(void* context, int piece)
        where T : unmanaged, INumber<T>
        where TIndex : unmanaged, IBinaryInteger<TIndex>
    {
        ref Job job = ref *(Job*)context;
        TIndex* index = (TIndex*)job.Index.Data;
        long count = job.Count, axis = job.Axis, first = job.Outer * piece / job.Pieces, end = job.Outer * (piece + 1) / job.Pieces;
        T* target = (T*)job.Target + (first * axis), source = (T*)job.Source + (first * count);
        for (long o = first; o < end; o++, target += axis, source += count)
        {
            for (long i = 0; i < count; i++)
            {
                long place = long.CreateTruncating(index[i]);
                target[place < 0 ? place + axis : place] += source[i];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddRow<T>(T* source, T* target, long count)
        where T : unmanaged, INumber<T>
    {
        long i = 0;
        for (; i + Vector<T>.Count <= count; i += Vector<T>.Count) Vector.Store(Vector.Load(target + i) + Vector.Load(source + i), target + i);
        for (; i < count; i++) target[i] += source[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddPicked<T, TIndex>(void* context, int piece)
        where T : unmanaged, INumber<T>
        where TIndex : unmanaged, IBinaryInteger<TIndex>
    {
        ref Job job = ref *(Job*)context;
        long first = job.Outer * piece / job.Pieces, end = job.Outer * (piece + 1) / job.Pieces, inner = job.Inner, axis = job.Axis;
        T* source = (T*)job.Source + (first * job.Count * inner), target = (T*)job.Target + (first * axis * inner);
        TIndex* index = (TIndex*)job.Index.Data + (first * job.Count * inner);
        if (inner == 1)
        {
            for (; first + 4 <= end; first += 4, source += 4 * job.Count, index += 4 * job.Count, target += 4 * axis)
                AddFourLines(source, index, target, job.Count, axis);
        }

        for (long o = first; o < end; o++, target += axis * inner)
        {
            for (long k = 0; k < job.Count; k++)
            {
                for (long n = 0; n < inner; n++)
                {
                    long place = long.CreateTruncating(*index++);
                    target[((place < 0 ? place + axis : place) * inner) + n] += *source++;
                }
            }
        }
    }

    // Lines in turn: values that go to one place wait for each other, those of four lines do not.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddFourLines<T, TIndex>(T* source, TIndex* index, T* target, long count, long axis)
        where T : unmanaged, INumber<T>
        where TIndex : unmanaged, IBinaryInteger<TIndex>
    {
        T* s1 = source + count, s2 = s1 + count, s3 = s2 + count, t1 = target + axis, t2 = t1 + axis, t3 = t2 + axis;
        TIndex* i1 = index + count, i2 = i1 + count, i3 = i2 + count;
        for (long k = 0; k < count; k++)
        {
            long a = long.CreateTruncating(index[k]), b = long.CreateTruncating(i1[k]), c = long.CreateTruncating(i2[k]), d = long.CreateTruncating(i3[k]);
            target[a + (axis & (a >> 63))] += source[k];
            t1[b + (axis & (b >> 63))] += s1[k];
            t2[c + (axis & (c >> 63))] += s2[k];
            t3[d + (axis & (d >> 63))] += s3[k];
        }
    }

    private struct Job
    {
        public nint Source;
        public nint Target;
        public GatherIndex Index;
        public long Outer;
        public long Axis;
        public long Inner;
        public long Count;
        public int Pieces; // of the outer axis
        public int Parts;  // of the axis with the places
    }
}
