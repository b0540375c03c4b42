using ILGPU;

namespace Fusion.Kernels;

/// <summary>The device code of <see cref="DeviceScan"/>.</summary>
internal static class DeviceScanKernels
{
    /// <summary>A thread for each chunk, which is added up in order.</summary>
    public static void Lines<TOp, TIn, TAcc, TOut>(ArrayView<TIn> x, ArrayView<TAcc> carries, ArrayView<TOut> y, DeviceScanJob job)
        where TOp : struct, IDeviceReduction<TIn, TAcc, TOut>
        where TIn : unmanaged
        where TAcc : unmanaged
        where TOut : unmanaged
    {
        int work = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (work >= job.Work) return;
        int part = DeviceDivisor.Divide(work, job.Inner), line = DeviceDivisor.Divide(part, job.Chunks);
        int start = (part - (line * job.Chunks.Value)) * job.Chunk;
        int left = job.Count - start < job.Chunk ? job.Count - start : job.Chunk;
        int row = job.Reverse != 0 ? job.Count - 1 - start : start, step = job.Reverse != 0 ? -job.Inner.Value : job.Inner.Value;
        int at = (((line * job.Count) + row) * job.Inner.Value) + work - (part * job.Inner.Value);
        TAcc sum = TOp.Identity;
        if (job.HasCarries != 0) sum = carries[work];

        // Four loads before four stores: the output may be the input.
        for (; left >= 4; left -= 4, at += 4 * step)
        {
            TIn p = x[at], q = x[at + step], r = x[at + (2 * step)], s = x[at + (3 * step)];
            TAcc a = TOp.Take(sum, p), b = TOp.Take(a, q), c = TOp.Take(b, r), d = TOp.Take(c, s);
            if (job.TotalsOnly == 0)
            {
                bool exclusive = job.Exclusive != 0;
                y[at] = TOp.Result(exclusive ? sum : a);
                y[at + step] = TOp.Result(exclusive ? a : b);
                y[at + (2 * step)] = TOp.Result(exclusive ? b : c);
                y[at + (3 * step)] = TOp.Result(exclusive ? c : d);
            }

            sum = d;
        }

        for (; left > 0; left--, at += step)
        {
            TAcc next = TOp.Take(sum, x[at]);
            if (job.TotalsOnly == 0) y[at] = TOp.Result(job.Exclusive != 0 ? sum : next);
            sum = next;
        }

        if (job.TotalsOnly != 0) y[work] = TOp.Result(sum);
    }

    /// <summary>
    /// A group for each chunk of a row, eight elements a thread: they pass through shared memory, so that neighbours read neighbouring elements; the threads'
    /// sums are scanned by doubling distances (W. Hillis and G. Steele, "Data parallel algorithms", CACM 29, 1986).
    /// </summary>
    public static void Tiles<TOp, TIn, TAcc, TOut>(ArrayView<TIn> x, ArrayView<TAcc> carries, ArrayView<TOut> y, DeviceScanJob job)
        where TOp : struct, IDeviceReduction<TIn, TAcc, TOut>
        where TIn : unmanaged
        where TAcc : unmanaged
        where TOut : unmanaged
    {
        ArrayView<TAcc> tile = SharedMemory.Allocate<TAcc>(DeviceScanJob.TileElements);
        ArrayView<TAcc> sums = SharedMemory.Allocate<TAcc>(DeviceGrid.MaxGroup);
        int work = Grid.IdxX, me = Group.IdxX, step = Group.DimX;
        int line = DeviceDivisor.Divide(work, job.Chunks);
        int start = (work - (line * job.Chunks.Value)) * job.Chunk;
        int length = job.Count - start < job.Chunk ? job.Count - start : job.Chunk;
        int first = line * job.Count, direction = 1;
        if (job.Reverse != 0)
        {
            first += job.Count - 1 - start;
            direction = -1;
        }
        else
        {
            first += start;
        }

        if (length == job.Chunk) LoadWhole<TOp, TIn, TAcc, TOut>(x, tile, first + (me * direction), step * direction);
        else
        {
            for (int i = me; i < job.Chunk; i += step)
            {
                TAcc value = TOp.Identity;
                if (i < length) value = TOp.Take(value, x[first + (i * direction)]);
                tile[i + (i >> 5)] = value;
            }
        }

        Group.Barrier();
        TAcc sum = TOp.Identity;
        int own = me * DeviceScanJob.PerThread;
        for (int i = own; i < own + DeviceScanJob.PerThread; i++)
        {
            TAcc next = TOp.Combine(sum, tile[i + (i >> 5)]);
            tile[i + (i >> 5)] = job.Exclusive != 0 ? sum : next;
            sum = next;
        }

        sums[me] = sum;
        for (int distance = 1; distance < step; distance <<= 1)
        {
            Group.Barrier();
            if (me >= distance) sum = TOp.Combine(sums[me - distance], sum);
            Group.Barrier();
            sums[me] = sum;
        }

        Group.Barrier();
        if (job.TotalsOnly != 0)
        {
            if (me == step - 1) y[work] = TOp.Result(sum);
            return;
        }

        TAcc before = TOp.Identity;
        if (job.HasCarries != 0) before = carries[work];
        if (me > 0) before = TOp.Combine(before, sums[me - 1]);
        for (int i = own; i < own + DeviceScanJob.PerThread; i++) tile[i + (i >> 5)] = TOp.Combine(before, tile[i + (i >> 5)]);
        Group.Barrier();
        for (int i = me; i < length; i += step) y[first + (i * direction)] = TOp.Result(tile[i + (i >> 5)]);
    }

    // Eight loads before eight stores.
    private static void LoadWhole<TOp, TIn, TAcc, TOut>(ArrayView<TIn> x, ArrayView<TAcc> tile, int at, int step)
        where TOp : struct, IDeviceReduction<TIn, TAcc, TOut>
        where TIn : unmanaged
        where TAcc : unmanaged
        where TOut : unmanaged
    {
        TIn a = x[at], b = x[at + step], c = x[at + (2 * step)], d = x[at + (3 * step)];
        TIn e = x[at + (4 * step)], f = x[at + (5 * step)], g = x[at + (6 * step)], h = x[at + (7 * step)];
        int to = Group.IdxX, pitch = Group.DimX;
        tile[to + (to >> 5)] = TOp.Take(TOp.Identity, a);
        to += pitch;
        tile[to + (to >> 5)] = TOp.Take(TOp.Identity, b);
        to += pitch;
        tile[to + (to >> 5)] = TOp.Take(TOp.Identity, c);
        to += pitch;
        tile[to + (to >> 5)] = TOp.Take(TOp.Identity, d);
        to += pitch;
        tile[to + (to >> 5)] = TOp.Take(TOp.Identity, e);
        to += pitch;
        tile[to + (to >> 5)] = TOp.Take(TOp.Identity, f);
        to += pitch;
        tile[to + (to >> 5)] = TOp.Take(TOp.Identity, g);
        to += pitch;
        tile[to + (to >> 5)] = TOp.Take(TOp.Identity, h);
    }
}
