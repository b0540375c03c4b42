using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Fusion.Kernels;

/// <summary>
/// The order that sorts lines. It is stable, and total for floating-point numbers: −∞ … −0 = +0 … ∞, then NaN; descending is the exact reverse in value
/// with NaN first, equal elements still in the order of the line.
/// </summary>
internal static unsafe class ArgSort
{
    private const long SplitElements = 8 * 1024;

    /// <summary>Writes for each of <paramref name="lines"/> contiguous lines of <paramref name="n"/> elements the first <paramref name="k"/> indices of its order.</summary>
    public static void Run(DType dtype, nint source, long* order, long lines, int n, int k, bool descending)
    {
        if (lines == 0 || k == 0) return;
        Job job = new() { Source = source, Order = order, Lines = lines, Length = n, Count = k, Descending = descending, Type = dtype };
        job.Pieces = lines * n < SplitElements ? 1 : (int)Math.Min(lines, 4L * WorkerPool.Threads);
        WorkerPool.Run(job.Pieces, &Piece, &job);
    }

    private static void Piece(void* context, int piece)
    {
        ref Job job = ref *(Job*)context;
        long line = job.Lines * piece / job.Pieces, end = job.Lines * (piece + 1) / job.Pieces;
        switch (job.Type)
        {
            case DType.Float32: Lines<int, FloatKeys, NarrowItem>(job, line, end); break;
            case DType.Float64: Lines<long, DoubleKeys, WideItem>(job, line, end); break;
            case DType.Int32: Lines<int, IntegerKeys<int>, NarrowItem>(job, line, end); break;
            case DType.Int64: Lines<long, IntegerKeys<long>, WideItem>(job, line, end); break;
            default: Lines<byte, IntegerKeys<byte>, NarrowItem>(job, line, end); break;
        }
    }

    private static void Lines<T, TKeys, TItem>(in Job job, long line, long end)
        where T : unmanaged, IBinaryInteger<T>
        where TKeys : struct, ISortKeys<T>
        where TItem : unmanaged, ISortItem<TItem>
    {
        T flip = job.Descending ? T.AllBitsSet : T.Zero;
        T* x = (T*)job.Source + (line * job.Length);
        long* order = job.Order + (line * job.Count);
        bool isSelected = job.Count <= TopSelect.MaxCount && job.Count < job.Length;
        using var scratch = new NativeScratch(isSelected ? 0 : 2L * job.Length * sizeof(TItem));
        TItem* items = (TItem*)scratch.Pointer;
        for (; line < end; line++, x += job.Length, order += job.Count)
        {
            if (isSelected) TopSelect.Run<T, TKeys>(x, job.Length, order, job.Count, flip);
            else Sort<T, TKeys, TItem>(x, job.Length, order, job.Count, flip, items);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sort<T, TKeys, TItem>(T* x, int n, long* order, int k, T flip, TItem* items)
        where T : unmanaged, IBinaryInteger<T>
        where TKeys : struct, ISortKeys<T>
        where TItem : unmanaged, ISortItem<TItem>
    {
        for (int i = 0; i < n; i++) items[i] = TItem.Of(TKeys.Rank(TKeys.Key(x[i]) ^ flip), (uint)i);
        TItem* sorted = RadixSort<TItem>.Run(items, items + n, n);
        for (int i = 0; i < k; i++) order[i] = sorted[i].Index;
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Job
    {
        public nint Source;
        public long* Order;
        public long Lines;
        public int Length;
        public int Count;
        public bool Descending;
        public DType Type;
        public int Pieces;
    }
}
