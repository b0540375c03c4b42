using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// A reduction of all elements to a number, or of rows to one row, a piece at a time. The bits of <see cref="Reduce"/> over all pieces at once: a block of
/// elements is reduced by the order of <see cref="ReduceTree"/>, a block of rows as in <see cref="ReduceColumns{TOp, L, T}"/>, and then the blocks.
/// </summary>
internal readonly unsafe struct BlockFold
{
    private readonly delegate*<nint, long, void> _start;
    private readonly delegate*<nint, nint, long, long, void> _take;
    private readonly delegate*<nint, nint, long, void> _end;
    private readonly delegate*<nint, long, nint, long, void> _join;

    private BlockFold(
        delegate*<nint, long, void> start, delegate*<nint, nint, long, long, void> take, delegate*<nint, nint, long, void> end,
        delegate*<nint, long, nint, long, void> join)
    {
        _start = start;
        _take = take;
        _end = end;
        _join = join;
    }

    /// <summary>The reduction at the current vector width: to a number, or of rows.</summary>
    public static BlockFold Of(ReduceKind kind, bool is64, bool rows) => is64 ? Of<double>(kind, rows) : Of<float>(kind, rows);

    /// <summary>Elements of a block: 16 K, or 256 rows.</summary>
    public static long BlockLength(long columns) => columns == 1 ? ReduceTree.Block : columns * ReduceColumns<SumReduction, Lane128<float>, float>.RowChunk;

    /// <summary>Elements of working memory for a block, besides the 64 bytes that follow it.</summary>
    public static long LaneCount(long columns) => columns == 1 ? ReduceTree.Lanes : columns;

    /// <summary>Begins a block.</summary>
    public void Start(nint lanes, long columns) => _start(lanes, columns);

    /// <summary>Takes n more elements: whole rows, or a multiple of 64 except at the end of the block.</summary>
    public void Take(nint lanes, nint x, long n, long columns) => _take(lanes, x, n, columns);

    /// <summary>Writes the result of the block.</summary>
    public void End(nint lanes, nint result, long columns) => _end(lanes, result, columns);

    /// <summary>Reduces the results of all blocks.</summary>
    public void Join(nint partials, long count, nint result, long columns) => _join(partials, count, result, columns);

    private static BlockFold Of<T>(ReduceKind kind, bool rows)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => SimdWidth.Current switch
        {
            512 => Of<Lane512<T>, T>(kind, rows),
            256 => Of<Lane256<T>, T>(kind, rows),
            _ => Of<Lane128<T>, T>(kind, rows),
        };

    private static BlockFold Of<L, T>(ReduceKind kind, bool rows)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => kind switch
        {
            ReduceKind.Sum => Of<SumReduction, L, T>(rows),
            ReduceKind.Prod => Of<ProdReduction, L, T>(rows),
            ReduceKind.Max => Of<MaxReduction, L, T>(rows),
            ReduceKind.Min => Of<MinReduction, L, T>(rows),
            ReduceKind.SumOfSquares => Of<SumOfSquaresReduction, L, T>(rows),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "A reduction of numbers."),
        };

    private static BlockFold Of<TOp, L, T>(bool rows)
        where TOp : IReduceOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => rows
            ? new(&RowBlocks<TOp, L, T>.Start, &RowBlocks<TOp, L, T>.Take, &RowBlocks<TOp, L, T>.End, &RowBlocks<TOp, L, T>.Join)
            : new(&ElementBlocks<TOp, L, T>.Start, &ElementBlocks<TOp, L, T>.Take, &ElementBlocks<TOp, L, T>.End, &ElementBlocks<TOp, L, T>.Join);
}

/// <summary>All elements to a number.</summary>
internal static unsafe class ElementBlocks<TOp, L, T>
    where TOp : IReduceOp
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static void Start(nint lanes, long columns) => ReduceTree.Start<TOp, L, T>((T*)lanes);

    public static void Take(nint lanes, nint x, long n, long columns) => ReduceTree.Accumulate<TOp, L, T>((T*)lanes, (T*)x, n);

    public static void End(nint lanes, nint result, long columns) => *(T*)result = ReduceTree.Fold<TOp, L, T>((T*)lanes);

    public static void Join(nint partials, long count, nint result, long columns) =>
        *(T*)result = count == 1 ? *(T*)partials : ReduceTree.ReducePartials<TOp, L, T>((T*)partials, count);
}

/// <summary>Rows to one row: every column takes its elements in order.</summary>
internal static unsafe class RowBlocks<TOp, L, T>
    where TOp : IReduceOp
    where L : struct, IVectorLane<L, T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Start(nint lanes, long columns)
    {
        var identity = L.Const(TOp.Identity);
        for (long i = 0; i < columns; i += L.Count) L.Store(identity, (T*)lanes + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Take(nint lanes, nint x, long n, long columns)
    {
        T* row = (T*)x, end = row + n, sums = (T*)lanes;
        for (; row + 4 * columns <= end; row += 4 * columns)
        {
            T* second = row + columns, third = second + columns, fourth = third + columns;
            for (long i = 0; i < columns; i += L.Count)
            {
                var lane = TOp.Accumulate(TOp.Accumulate(L.Load(sums + i), L.Load(row + i)), L.Load(second + i));
                L.Store(TOp.Accumulate(TOp.Accumulate(lane, L.Load(third + i)), L.Load(fourth + i)), sums + i);
            }
        }

        for (; row < end; row += columns)
        {
            for (long i = 0; i < columns; i += L.Count) L.Store(TOp.Accumulate(L.Load(sums + i), L.Load(row + i)), sums + i);
        }
    }

    public static void End(nint lanes, nint result, long columns) => Buffer.MemoryCopy((void*)lanes, (void*)result, columns * sizeof(T), columns * sizeof(T));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Join(nint partials, long count, nint result, long columns)
    {
        for (long i = 0; i < columns; i += L.Count)
        {
            var sum = L.Load((T*)partials + i);
            for (long b = 1; b < count; b++) sum = TOp.Combine(sum, L.Load((T*)partials + b * columns + i));
            LaneTail.Store<L, T>(sum, (T*)result + i, columns - i);
        }
    }
}
