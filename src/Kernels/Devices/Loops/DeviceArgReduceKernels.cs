using System.Numerics;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>Which of two elements is taken; NaN is before nothing here.</summary>
internal interface IDeviceOrder<T>
{
    static abstract bool Before(T a, T b);
}

internal readonly struct GreaterElement<T> : IDeviceOrder<T>
    where T : unmanaged, INumber<T>
{
    public static bool Before(T a, T b) => a > b;
}

internal readonly struct LessElement<T> : IDeviceOrder<T>
    where T : unmanaged, INumber<T>
{
    public static bool Before(T a, T b) => a < b;
}

/// <summary>The row of a candidate.</summary>
internal interface IDeviceRows
{
    static abstract int Row(ArrayView<long> candidates, int first, int index);
}

/// <summary>Every row is one.</summary>
internal readonly struct EveryRow : IDeviceRows
{
    public static int Row(ArrayView<long> candidates, int first, int index) => index;
}

/// <summary>The results of a stage before.</summary>
internal readonly struct ChosenRows : IDeviceRows
{
    public static int Row(ArrayView<long> candidates, int first, int index) => (int)candidates[first + index];
}

/// <summary>The best element that was seen, and where; −1: none was.</summary>
internal readonly struct DeviceBest<T>(T value, int row)
    where T : unmanaged, INumber<T>
{
    public readonly T Value = value;
    public readonly int Row = row;

    /// <summary>The better one of two, or the one that stands before.</summary>
    public static DeviceBest<T> Of<TOrder>(DeviceBest<T> a, DeviceBest<T> b)
        where TOrder : struct, IDeviceOrder<T>
    {
        if (b.Row < 0) return a;
        if (a.Row < 0 || Better<TOrder>(b.Value, a.Value)) return b;
        return b.Row < a.Row && !Better<TOrder>(a.Value, b.Value) ? b : a;
    }

    private static bool Better<TOrder>(T a, T b)
        where TOrder : struct, IDeviceOrder<T>
    {
        if (T.IsNaN(b)) return false;
        return T.IsNaN(a) || TOrder.Before(a, b);
    }
}

/// <summary>The device code of <see cref="DeviceArgReduce"/>.</summary>
internal static class DeviceArgReduceKernels
{
    /// <summary>The position of the best candidate of each segment.</summary>
    public static void Find<TRows, TOrder, T>(ArrayView<T> x, ArrayView<long> candidates, ArrayView<long> y, DeviceArgReduceJob job)
        where TRows : struct, IDeviceRows
        where TOrder : struct, IDeviceOrder<T>
        where T : unmanaged, INumber<T>
    {
        ArrayView<T> values = SharedMemory.Allocate<T>(DeviceGrid.MaxGroup);
        ArrayView<int> rows = SharedMemory.Allocate<int>(DeviceGrid.MaxGroup);
        int me = Group.IdxX;
        int place = (me / job.WorkStep) & (job.GroupWork - 1), thread = (me / job.ThreadStep) & (job.Threads - 1);
        int work = (Grid.IdxX * job.GroupWork) + place;
        var best = new DeviceBest<T>(default, -1);
        if (work < job.Work)
        {
            int line = DeviceDivisor.Divide(work, job.Segments), segment = work - (line * job.Segments.Value);
            int outer = DeviceDivisor.Divide(line, job.Inner), start = segment * job.Segment;
            int at = (outer * job.Rows * job.Inner.Value) + line - (outer * job.Inner.Value), first = line * job.Count;
            int end = job.Count - start < job.Segment ? job.Count : start + job.Segment;
            int index = start + thread, step = job.Threads;

            // Four at a time, in order; the index does not overflow, since what is left is counted.
            int left = end - index;
            for (; left > 3 * step; left -= 4 * step, index += 4 * step)
            {
                int a = TRows.Row(candidates, first, index), b = TRows.Row(candidates, first, index + step);
                int c = TRows.Row(candidates, first, index + (2 * step)), d = TRows.Row(candidates, first, index + (3 * step));
                T p = x[at + (a * job.Inner.Value)], q = x[at + (b * job.Inner.Value)];
                T r = x[at + (c * job.Inner.Value)], s = x[at + (d * job.Inner.Value)];
                DeviceBest<T> pair = DeviceBest<T>.Of<TOrder>(new DeviceBest<T>(p, a), new DeviceBest<T>(q, b));
                DeviceBest<T> other = DeviceBest<T>.Of<TOrder>(new DeviceBest<T>(r, c), new DeviceBest<T>(s, d));
                best = DeviceBest<T>.Of<TOrder>(best, DeviceBest<T>.Of<TOrder>(pair, other));
            }

            for (; left > 0; left -= step, index += step)
            {
                int row = TRows.Row(candidates, first, index);
                best = DeviceBest<T>.Of<TOrder>(best, new DeviceBest<T>(x[at + (row * job.Inner.Value)], row));
            }
        }

        values[me] = best.Value;
        rows[me] = best.Row;
        for (int half = job.Threads >> 1; half > 0; half >>= 1)
        {
            Group.Barrier();
            if (thread >= half) continue;
            int other = me + (half * job.ThreadStep);
            best = DeviceBest<T>.Of<TOrder>(best, new DeviceBest<T>(values[other], rows[other]));
            values[me] = best.Value;
            rows[me] = best.Row;
        }

        if (thread == 0 && work < job.Work) y[work] = best.Row;
    }
}
