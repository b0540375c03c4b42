using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>
/// Matrix products by tiles. 256 threads carry a stage of both operands (8 or 16 deep, lines side by side) into shared memory; each multiplies 8 + 8 (or
/// 4 + 4) lines of it into accumulators in registers. There are two stages in shared memory: while one is multiplied, the elements of the next
/// are on their way. An element of the result is one chain of multiply-adds in the order of the depth (per piece, where the depth is split).
/// </summary>
/// <remarks>
/// What an H100 multiprocessor has in a cycle: 128 fused multiply-adds of Float32 = 4 instructions of a warp, 128 bytes of shared memory, about 24 bytes of
/// L2 cache.
/// <para>128 × 128: at one depth a warp (4 × 8 threads) does 64 multiply-adds, 16 of the cycles, and four 16-byte loads, of which two meet
/// 64 different bytes and two 128: 4 to 8 cycles of shared memory. A stage of 8 adds 2 global loads, 2 to 8 stores and a barrier: 512 of about 570
/// instructions are multiply-adds, so some 85 % of the peak (67 TFLOP/s) is in reach. L2: 2 · 128 · 4 bytes for 128² multiply-adds, 8 bytes a cycle.</para>
/// <para>64 × 64: 16 multiply-adds (4 cycles) against two loads (2 to 4 cycles), 16 bytes of L2 a cycle: at most about 60 % of the peak.</para>
/// <para>Float64 has half of the multiply-adds and twice the bytes.</para>
/// </remarks>
internal static class TileKernels
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    public const int LargeEdge = 128;
    public const int SmallEdge = 64;

    /// <summary>How far past the end of a piece of the depth is loaded, not multiplied: the rest of a stage and two stages more.</summary>
    public const int Ahead = 3 * SmallDepth;

    private const int LargeDepth = 8;
    private const int SmallDepth = 16;

    // Quads from one depth to the next in shared memory. The odd quad spreads what is stored along the depth over the banks.
    private const int LargePitch = LargeEdge / 4 + 1;
    private const int SmallPitch = SmallEdge / 4 + 1;

    /// <summary>C = A · B by tiles of 128 × 128, 8 × 8 elements a thread.</summary>
    public static void Large<T, TA, TB, TC>(TA a, TB b, TC c, TileGrid grid)
        where T : unmanaged, INumber<T>
        where TA : struct, ITileSource<T, TA>
        where TB : struct, ITileSource<T, TB>
        where TC : struct, ITileTarget<T>
    {
        const int Stage = LargeDepth * LargePitch;
        ArrayView<Quartet<T>> sharedA = SharedMemory.Allocate1D<Quartet<T>>(2 * Stage), sharedB = SharedMemory.Allocate1D<Quartet<T>>(2 * Stage);
        int thread = Group.IdxX, row = Row(thread), column = Column(thread);
        TilePlace place = grid.Place(Grid.IdxX, LargeEdge);
        place.End = b.Limit(place.Batch, place.End);
        int lineA = Line(TA.Order, thread, LargeEdge, LargeDepth), depthA = Depth(TA.Order, thread, LargeEdge, LargeDepth);
        int lineB = Line(TB.Order, thread, LargeEdge, LargeDepth), depthB = Depth(TB.Order, thread, LargeEdge, LargeDepth);
        TA sourceA = a.At(place.Batch, place.Row + lineA, LargeEdge / 4, place.End);
        TB sourceB = b.At(place.Batch, place.Column + lineB, LargeEdge / 4, place.End);
        Quartet<T> nextA = sourceA.Load(place.Start + depthA), nextB = sourceB.Load(place.Start + depthB);
        Put(TA.Order, sharedA, depthA * LargePitch, lineA, LargeEdge, nextA);
        Put(TB.Order, sharedB, depthB * LargePitch, lineB, LargeEdge, nextB);
        nextA = sourceA.Load(place.Start + LargeDepth + depthA);
        nextB = sourceB.Load(place.Start + LargeDepth + depthB);

        RegisterTile8<T> sums = default;
        int stage = 0;
        for (int k = place.Start; k < place.End; k += LargeDepth)
        {
            // Everybody has written this stage and read the other one.
            Group.Barrier();
            int other = Stage - stage;
            Put(TA.Order, sharedA, other + depthA * LargePitch, lineA, LargeEdge, nextA);
            Put(TB.Order, sharedB, other + depthB * LargePitch, lineB, LargeEdge, nextB);
            nextA = sourceA.Load(k + 2 * LargeDepth + depthA);
            nextB = sourceB.Load(k + 2 * LargeDepth + depthB);
            ArrayView<Quartet<T>> rows = sharedA.SubView(stage + row, Stage), columns = sharedB.SubView(stage + column, Stage);
            sums = Outer8(sums, rows, columns, 0);
            sums = Outer8(sums, rows, columns, LargePitch);
            sums = Outer8(sums, rows, columns, 2 * LargePitch);
            sums = Outer8(sums, rows, columns, 3 * LargePitch);
            sums = Outer8(sums, rows, columns, 4 * LargePitch);
            sums = Outer8(sums, rows, columns, 5 * LargePitch);
            sums = Outer8(sums, rows, columns, 6 * LargePitch);
            sums = Outer8(sums, rows, columns, 7 * LargePitch);
            stage = other;
        }

        int firstRow = place.Row + 4 * row, firstColumn = place.Column + 4 * column;
        RegisterTile4<T>.Store(sums.TopLeft, c, place.Result, firstRow, firstColumn);
        RegisterTile4<T>.Store(sums.TopRight, c, place.Result, firstRow, firstColumn + LargeEdge / 2);
        RegisterTile4<T>.Store(sums.BottomLeft, c, place.Result, firstRow + LargeEdge / 2, firstColumn);
        RegisterTile4<T>.Store(sums.BottomRight, c, place.Result, firstRow + LargeEdge / 2, firstColumn + LargeEdge / 2);
    }

    /// <summary>C = A · B by tiles of 64 × 64, 4 × 4 elements a thread.</summary>
    public static void Small<T, TA, TB, TC>(TA a, TB b, TC c, TileGrid grid)
        where T : unmanaged, INumber<T>
        where TA : struct, ITileSource<T, TA>
        where TB : struct, ITileSource<T, TB>
        where TC : struct, ITileTarget<T>
    {
        const int Stage = SmallDepth * SmallPitch;
        ArrayView<Quartet<T>> sharedA = SharedMemory.Allocate1D<Quartet<T>>(2 * Stage), sharedB = SharedMemory.Allocate1D<Quartet<T>>(2 * Stage);
        int thread = Group.IdxX, row = Row(thread), column = Column(thread);
        TilePlace place = grid.Place(Grid.IdxX, SmallEdge);
        place.End = b.Limit(place.Batch, place.End);
        int lineA = Line(TA.Order, thread, SmallEdge, SmallDepth), depthA = Depth(TA.Order, thread, SmallEdge, SmallDepth);
        int lineB = Line(TB.Order, thread, SmallEdge, SmallDepth), depthB = Depth(TB.Order, thread, SmallEdge, SmallDepth);
        TA sourceA = a.At(place.Batch, place.Row + lineA, SmallEdge / 4, place.End);
        TB sourceB = b.At(place.Batch, place.Column + lineB, SmallEdge / 4, place.End);
        Quartet<T> nextA = sourceA.Load(place.Start + depthA), nextB = sourceB.Load(place.Start + depthB);
        Put(TA.Order, sharedA, depthA * SmallPitch, lineA, SmallEdge, nextA);
        Put(TB.Order, sharedB, depthB * SmallPitch, lineB, SmallEdge, nextB);
        nextA = sourceA.Load(place.Start + SmallDepth + depthA);
        nextB = sourceB.Load(place.Start + SmallDepth + depthB);

        RegisterTile4<T> sums = default;
        int stage = 0;
        for (int k = place.Start; k < place.End; k += SmallDepth)
        {
            // Everybody has written this stage and read the other one.
            Group.Barrier();
            int other = Stage - stage;
            Put(TA.Order, sharedA, other + depthA * SmallPitch, lineA, SmallEdge, nextA);
            Put(TB.Order, sharedB, other + depthB * SmallPitch, lineB, SmallEdge, nextB);
            nextA = sourceA.Load(k + 2 * SmallDepth + depthA);
            nextB = sourceB.Load(k + 2 * SmallDepth + depthB);
            ArrayView<Quartet<T>> rows = sharedA.SubView(stage + row, Stage), columns = sharedB.SubView(stage + column, Stage);
            sums = FourOuter4(sums, rows, columns, 0);
            sums = FourOuter4(sums, rows, columns, 4 * SmallPitch);
            sums = FourOuter4(sums, rows, columns, 8 * SmallPitch);
            sums = FourOuter4(sums, rows, columns, 12 * SmallPitch);
            stage = other;
        }

        RegisterTile4<T>.Store(sums, c, place.Result, place.Row + 4 * row, place.Column + 4 * column);
    }

    // The 16 × 16 threads: a warp is 4 × 8 of them, so that what it reads of shared memory and writes of C is as compact as can be.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Row(int thread) => ((thread >> 6) << 2) + ((thread & 31) >> 3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Column(int thread) => (((thread >> 5) & 1) << 3) + (thread & 7);

    // The line and the depth of the first element that a thread carries.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Line(TileOrder order, int thread, int edge, int depth)
    {
        if (order == TileOrder.Lines) return (thread & (edge / 4 - 1)) * 4;
        if (order == TileOrder.Depth) return thread / (depth / 4);
        return order == TileOrder.Gather ? thread & (edge - 1) : thread / depth;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Depth(TileOrder order, int thread, int edge, int depth)
    {
        if (order == TileOrder.Lines) return thread / (edge / 4);
        if (order == TileOrder.Depth) return (thread & (depth / 4 - 1)) * 4;
        return order == TileOrder.Gather ? thread / edge * 4 : thread & (depth - 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<T>(TileOrder order, ArrayView<Quartet<T>> shared, int start, int line, int edge, Quartet<T> values)
        where T : unmanaged, INumber<T>
    {
        if (order == TileOrder.Lines)
        {
            shared[start + (line >> 2)] = values;
            return;
        }

        ArrayView<T> elements = shared.Cast<T>();
        int index = 4 * start + line, step = order == TileOrder.Spread ? edge / 4 : edge + 4;
        elements[index] = values.X;
        elements[index + step] = values.Y;
        elements[index + 2 * step] = values.Z;
        elements[index + 3 * step] = values.W;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static RegisterTile8<T> Outer8<T>(RegisterTile8<T> sums, ArrayView<Quartet<T>> rows, ArrayView<Quartet<T>> columns, int depth)
        where T : unmanaged, INumber<T> =>
        RegisterTile8<T>.AddOuter(sums, rows[depth], rows[depth + LargeEdge / 8], columns[depth], columns[depth + LargeEdge / 8]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static RegisterTile4<T> FourOuter4<T>(RegisterTile4<T> sums, ArrayView<Quartet<T>> rows, ArrayView<Quartet<T>> columns, int depth)
        where T : unmanaged, INumber<T>
    {
        sums = RegisterTile4<T>.AddOuter(sums, rows[depth], columns[depth]);
        sums = RegisterTile4<T>.AddOuter(sums, rows[depth + SmallPitch], columns[depth + SmallPitch]);
        sums = RegisterTile4<T>.AddOuter(sums, rows[depth + 2 * SmallPitch], columns[depth + 2 * SmallPitch]);
        return RegisterTile4<T>.AddOuter(sums, rows[depth + 3 * SmallPitch], columns[depth + 3 * SmallPitch]);
    }
}
