using System.Numerics;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>
/// Values that are added to places. What a gather selects from is (outer, places, inner) here, and value (o, k, n) goes to (o, place[k], n).
/// In the order of their places, values of one place form a run; a run is cut into pieces, whose values a thread adds up one after the other.
/// </summary>
internal struct DeviceScatterJob
{
    /// <summary>Values of a piece at most. Runs that are not longer are added in the order of the indices, as on the processor.</summary>
    public const int PieceShift = 6;
    public const int Piece = 1 << PieceShift;

    /// <summary>The bit of a piece's code that marks a run's first one; the lower ones count its values.</summary>
    public const int IsFirst = 128;

    public DeviceDivisor Inner;
    public DeviceDivisor Count;
    public int Places;

    /// <summary>Values in all.</summary>
    public int Size;

    /// <summary>Sums of pieces that there is room for: two for every sixty-four values, since only longer runs have some.</summary>
    public int Sums;

    /// <summary>Where the sum of a piece is kept: in sixty-four values begin at most one first and one later piece of longer runs.</summary>
    public static int SumOf(int position, int code) => (2 * (position >> PieceShift)) + (code >> 7);
}

/// <summary>The device code of <see cref="DeviceScatter"/>.</summary>
internal static class DeviceScatterKernels
{
    /// <summary>Places of indices: in an array (outer, axis, inner), or with outer and inner 1 on the axis. A bad index is put behind all places.</summary>
    public static void Places<TReader, TIndex>(
        ArrayView<TIndex> indices, ArrayView<uint> places, DeviceIndex index, DeviceDivisor inner, DeviceDivisor count, int size, int end)
        where TReader : struct, IDeviceIndexReader<TIndex>
        where TIndex : unmanaged
    {
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i >= size) return;
        int part = DeviceDivisor.Divide(i, inner), outer = DeviceDivisor.Divide(part, count);
        int place = TReader.Place(indices[i], index), result = end;
        if (place >= 0) result = (((outer * index.Size) + place) * inner.Value) + i - (part * inner.Value);
        places[i] = (uint)result;
    }

    /// <summary>
    /// The pieces: for each position of the order the code of the piece that begins there, or 0. A code is negative when its run has several pieces.
    /// </summary>
    public static void Pieces(ArrayView<uint> places, ArrayView<int> order, ArrayView<int> codes, int count, int end)
    {
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i >= count) return;
        uint place = places[order[i]];
        int first = FirstNotBelow(places, order, place, 0, i);
        int code = 0;
        if (place < (uint)end && ((i - first) & (DeviceScatterJob.Piece - 1)) == 0)
        {
            int limit = count - i < DeviceScatterJob.Piece ? count : i + DeviceScatterJob.Piece;
            code = FirstNotBelow(places, order, place + 1, i + 1, limit) - i;
            if (first == i) code |= DeviceScatterJob.IsFirst;
            bool hasMore = first + DeviceScatterJob.Piece < count;
            if (hasMore) hasMore = places[order[first + DeviceScatterJob.Piece]] == place;
            if (hasMore) code = -code;
        }

        codes[i] = code;
    }

    /// <summary>A thread for each value and column, of which the first of a piece works: a whole run goes to its place, the sum of a part is kept.</summary>
    public static void AddPieces<T>(
        ArrayView<T> values, ArrayView<uint> places, ArrayView<int> order, ArrayView<int> codes, ArrayView<T> sums, ArrayView<T> target, DeviceScatterJob job)
        where T : unmanaged, INumberBase<T>
    {
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i >= job.Size) return;
        int row = DeviceDivisor.Divide(i, job.Inner), column = i - (row * job.Inner.Value);
        int outer = DeviceDivisor.Divide(row, job.Count), position = row - (outer * job.Count.Value);
        int code = codes[position];
        if (code == 0) return;
        int first = outer * job.Count.Value, inner = job.Inner.Value;
        if (code > 0)
        {
            int to = (((outer * job.Places) + (int)places[order[position]]) * inner) + column;
            target[to] = Add(values, order, position, code & (DeviceScatterJob.IsFirst - 1), first, inner, column, target[to]);
        }
        else
        {
            int sum = (((outer * job.Sums) + DeviceScatterJob.SumOf(position, -code)) * inner) + column;
            sums[sum] = Add(values, order, position, -code & (DeviceScatterJob.IsFirst - 1), first, inner, column, T.Zero);
        }
    }

    /// <summary>The sums of the pieces of longer runs, added to their places in order.</summary>
    public static void AddSums<T>(
        ArrayView<uint> places, ArrayView<int> order, ArrayView<int> codes, ArrayView<T> sums, ArrayView<T> target, DeviceScatterJob job)
        where T : unmanaged, INumberBase<T>
    {
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i >= job.Size) return;
        int row = DeviceDivisor.Divide(i, job.Inner), column = i - (row * job.Inner.Value);
        int outer = DeviceDivisor.Divide(row, job.Count), position = row - (outer * job.Count.Value);
        int code = -codes[position];
        if (code < DeviceScatterJob.IsFirst) return;
        int to = (((outer * job.Places) + (int)places[order[position]]) * job.Inner.Value) + column;
        T sum = target[to];
        do
        {
            sum += sums[(((outer * job.Sums) + DeviceScatterJob.SumOf(position, code)) * job.Inner.Value) + column];
            position += DeviceScatterJob.Piece;
            code = 0;
            if (position < job.Count.Value) code = -codes[position];
        }
        while (code > 0 && code < DeviceScatterJob.IsFirst);
        target[to] = sum;
    }

    /// <summary>
    /// target[o, index[o, k, n], n] += value[o, k, n] with a thread for each line, which adds in order: for many lines, or few values each.
    /// </summary>
    public static void AddLines<TReader, TIndex, T>(
        ArrayView<T> values, ArrayView<TIndex> indices, ArrayView<T> target, DeviceIndex index, DeviceDivisor inner, int count, int lines)
        where TReader : struct, IDeviceIndexReader<TIndex>
        where TIndex : unmanaged
        where T : unmanaged, INumberBase<T>
    {
        int line = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (line >= lines) return;
        int outer = DeviceDivisor.Divide(line, inner), column = line - (outer * inner.Value);
        int at = (outer * count * inner.Value) + column, first = (outer * index.Size * inner.Value) + column;
        for (int k = 0; k < count; k++, at += inner.Value)
        {
            int place = TReader.Place(indices[at], index);
            if (place < 0) continue;
            int to = first + (place * inner.Value);
            target[to] = target[to] + values[at];
        }
    }

    // Four values at a time, added in order.
    private static T Add<T>(ArrayView<T> values, ArrayView<int> order, int position, int left, int first, int inner, int column, T sum)
        where T : unmanaged, INumberBase<T>
    {
        for (; left >= 4; left -= 4, position += 4)
        {
            int p = order[position], q = order[position + 1], r = order[position + 2], s = order[position + 3];
            T a = values[((first + p) * inner) + column], b = values[((first + q) * inner) + column];
            T c = values[((first + r) * inner) + column], d = values[((first + s) * inner) + column];
            sum = sum + a + b + c + d;
        }

        for (; left > 0; left--, position++) sum += values[((first + order[position]) * inner) + column];
        return sum;
    }

    // The first position in [low, high) whose place is not less, or high.
    private static int FirstNotBelow(ArrayView<uint> places, ArrayView<int> order, uint place, int low, int high)
    {
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (places[order[middle]] < place) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}
