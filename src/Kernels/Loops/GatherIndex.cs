using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>An array of Int32 or Int64 indices into an axis; negative ones may count from its end.</summary>
internal readonly unsafe struct GatherIndex
{
    private const long SplitIndices = 32 * 1024;

    private readonly nint _data;
    private readonly bool _isLong;
    private readonly long _axis;

    /// <summary>Indices of type <paramref name="dtype"/> (Int32 or Int64) into an axis of <paramref name="axis"/> positions.</summary>
    public GatherIndex(nint data, DType dtype, long axis)
    {
        if (dtype is not (DType.Int32 or DType.Int64)) throw new DTypeException($"Indices are Int32 or Int64, not {dtype}. Convert them with AsType.");
        _data = data;
        _isLong = dtype == DType.Int64;
        _axis = axis;
    }

    /// <summary>The first index, Int32 or Int64.</summary>
    public nint Data => _data;

    /// <summary>The index as it was given.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long Raw(long i) => _isLong ? ((long*)_data)[i] : ((int*)_data)[i];

    /// <summary>The position on the axis, for a checked index.</summary>
    public long this[long i]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            long raw = Raw(i);
            return raw < 0 ? raw + _axis : raw;
        }
    }

    /// <summary>Where the first index is that is out of range, or −1.</summary>
    public long FirstBad(long count, bool allowNegative = true)
    {
        var check = new Check { Index = this, Count = count, Least = allowNegative ? -_axis : 0, Bad = long.MaxValue };
        check.Pieces = count < SplitIndices ? 1 : 4 * WorkerPool.Threads;
        WorkerPool.Run(check.Pieces, &CheckPiece, &check);
        return check.Bad == long.MaxValue ? -1 : check.Bad;
    }

    private static void CheckPiece(void* context, int piece)
    {
        Check* check = (Check*)context;
        long first = check->Count * piece / check->Pieces, count = (check->Count * (piece + 1) / check->Pieces) - first;
        long most = check->Index._axis - 1, bad = check->Index._isLong
            ? FirstOutside((long*)check->Index._data + first, count, check->Least, most)
            : FirstOutside((int*)check->Index._data + first, count, check->Least, most);
        if (bad < 0) return;
        bad += first;
        for (long known; (known = Volatile.Read(ref check->Bad)) > bad && Interlocked.CompareExchange(ref check->Bad, bad, known) != known;)
        {
        }
    }

    // Whole registers are only asked for their extremes; the elements of one that is out of range are then looked at.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long FirstOutside<T>(T* data, long count, long least, long most)
        where T : unmanaged, IBinaryInteger<T>
    {
        (T low, T high) = (T.CreateSaturating(least), T.CreateSaturating(most));
        Vector<T> lows = new(low), highs = new(high);
        long i = 0;
        for (; i + Vector<T>.Count <= count; i += Vector<T>.Count)
        {
            Vector<T> values = Vector.Load(data + i);
            if (Vector.LessThanAny(values, lows) || Vector.GreaterThanAny(values, highs)) break;
        }

        for (; i < count; i++)
        {
            if (data[i] < low || data[i] > high) return i;
        }

        return -1;
    }

    private struct Check
    {
        public GatherIndex Index;
        public long Count;
        public long Least;
        public long Bad;
        public int Pieces;
    }
}
