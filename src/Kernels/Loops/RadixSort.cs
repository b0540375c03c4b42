using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>What a sort moves: the rank that decides, and where the element came from.</summary>
internal interface ISortItem<TItem>
    where TItem : unmanaged
{
    ulong Rank { get; }

    uint Index { get; }

    static abstract TItem Of(ulong rank, uint index);
}

/// <summary>A rank of 32 bits and an index in one number.</summary>
internal readonly struct NarrowItem(ulong bits) : ISortItem<NarrowItem>
{
    private readonly ulong _bits = bits;

    public ulong Rank => _bits >> 32;

    public uint Index => (uint)_bits;

    public static NarrowItem Of(ulong rank, uint index) => new((rank << 32) | index);
}

/// <summary>A rank of 64 bits and an index.</summary>
internal readonly struct WideItem(ulong rank, uint index) : ISortItem<WideItem>
{
    public ulong Rank { get; } = rank;

    public uint Index { get; } = index;

    public static WideItem Of(ulong rank, uint index) => new(rank, index);
}

/// <summary>
/// Sorts by the bytes of the ranks, the lowest first; each pass keeps the order of equal bytes, so the sort is stable. Bytes that are the same in all
/// ranks cost nothing. Short lines are sorted by insertion.
/// </summary>
/// <remarks>Knuth, "The Art of Computer Programming" 3, algorithm 5.2.5 R.</remarks>
internal static unsafe class RadixSort<TItem>
    where TItem : unmanaged, ISortItem<TItem>
{
    private const int InsertionLimit = 32;
    private const int Buckets = 256;

    /// <summary>Sorts <paramref name="n"/> items and returns where they are: in one of the two buffers.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static TItem* Run(TItem* items, TItem* other, int n)
    {
        if (n <= InsertionLimit)
        {
            Insert(items, n);
            return items;
        }

        ulong first = items[0].Rank, varying = 0;
        for (int i = 1; i < n; i++) varying |= items[i].Rank ^ first;
        int* places = stackalloc int[Buckets];
        for (int shift = 0; shift < 64; shift += 8)
        {
            if ((byte)(varying >> shift) == 0) continue;
            new Span<int>(places, Buckets).Clear();
            for (int i = 0; i < n; i++) places[(byte)(items[i].Rank >> shift)]++;
            int place = 0;
            for (int bucket = 0; bucket < Buckets; bucket++) (places[bucket], place) = (place, place + places[bucket]);
            for (int i = 0; i < n; i++)
            {
                TItem item = items[i];
                other[places[(byte)(item.Rank >> shift)]++] = item;
            }

            TItem* sorted = other;
            other = items;
            items = sorted;
        }

        return items;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Insert(TItem* items, int n)
    {
        for (int i = 1; i < n; i++)
        {
            TItem item = items[i];
            int at = i;
            for (; at > 0 && items[at - 1].Rank > item.Rank; at--) items[at] = items[at - 1];
            items[at] = item;
        }
    }
}
