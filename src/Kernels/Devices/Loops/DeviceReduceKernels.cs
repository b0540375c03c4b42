using ILGPU;

namespace Fusion.Kernels;

/// <summary>The device code of <see cref="DeviceReduce"/>.</summary>
internal static class DeviceReduceKernels
{
    /// <summary>
    /// A thread for each item, its loads in flight by eight: for many items, or few elements each. Neighbouring threads read neighbouring elements.
    /// </summary>
    public static void Direct<TOp, TIn, TAcc, TOut>(ArrayView<TIn> x, ArrayView<TOut> y, DeviceReduceJob job)
        where TOp : struct, IDeviceReduction<TIn, TAcc, TOut>
        where TIn : unmanaged
        where TAcc : unmanaged
        where TOut : unmanaged
    {
        ArrayView<TAcc> sums = SharedMemory.Allocate<TAcc>(DeviceGrid.MaxGroup);
        int origin = Grid.IdxX * job.GroupItems;

        // More than one round only where a group has fewer threads than a tree has lanes.
        for (int place = Group.IdxX; place < job.GroupItems; place += Group.DimX)
        {
            DeviceReduceItem item = DeviceReduceItem.Of(job, origin + place);
            TAcc sum = Take<TOp, TIn, TAcc, TOut>(x, item, job.Width.Value, TOp.Identity);
            if (job.Fold > 1) sums[place] = sum;
            else if (origin + place < job.Items) y[origin + place] = TOp.Result(sum);
        }

        if (job.Fold > 1) Fold<TOp, TIn, TAcc, TOut>(sums, y, job);
    }

    /// <summary>
    /// Several threads load for each item, through shared memory; one takes the elements in order. For few items with many elements.
    /// </summary>
    public static void Staged<TOp, TIn, TAcc, TOut>(ArrayView<TIn> x, ArrayView<TOut> y, DeviceReduceJob job)
        where TOp : struct, IDeviceReduction<TIn, TAcc, TOut>
        where TIn : unmanaged
        where TAcc : unmanaged
        where TOut : unmanaged
    {
        ArrayView<TAcc> sums = SharedMemory.Allocate<TAcc>(DeviceGrid.MaxGroup);
        ArrayView<TIn> tile = SharedMemory.Allocate<TIn>(DeviceReduceJob.TileElements);
        int origin = Grid.IdxX * job.GroupItems;
        int place = Group.IdxX & (job.GroupItems - 1), rowOffset = Group.IdxX / job.GroupItems;
        DeviceReduceItem item = DeviceReduceItem.Of(job, origin + place);
        int rows = DeviceReduceJob.LoadsPerThread * job.Loaders;
        TAcc sum = TOp.Identity;
        for (int first = 0; first < job.MaxCount; first += rows)
        {
            Load(x, tile, item, first + rowOffset, job);
            Group.Barrier();
            int count = Math.Min(rows, item.Count - first);
            if (rowOffset == 0) sum = Take<TOp, TIn, TAcc, TOut>(tile, new DeviceReduceItem(place, count), job.GroupItems, sum);
            Group.Barrier();
        }

        if (job.Fold > 1)
        {
            if (rowOffset == 0) sums[place] = sum;
            Fold<TOp, TIn, TAcc, TOut>(sums, y, job);
        }
        else if (rowOffset == 0 && origin + place < job.Items)
        {
            y[origin + place] = TOp.Result(sum);
        }
    }

    // The loads of eight rows stand in one block of code, so that they are under way together.
    private static TAcc Take<TOp, TIn, TAcc, TOut>(ArrayView<TIn> x, DeviceReduceItem item, int step, TAcc sum)
        where TOp : struct, IDeviceReduction<TIn, TAcc, TOut>
        where TIn : unmanaged
        where TAcc : unmanaged
        where TOut : unmanaged
    {
        int at = item.First, left = item.Count;
        for (; left >= 8; left -= 8)
        {
            TIn a = x[at], b = x[at + step], c = x[at + (2 * step)], d = x[at + (3 * step)];
            TIn e = x[at + (4 * step)], f = x[at + (5 * step)], g = x[at + (6 * step)], h = x[at + (7 * step)];
            sum = TOp.Take(TOp.Take(TOp.Take(TOp.Take(sum, a), b), c), d);
            sum = TOp.Take(TOp.Take(TOp.Take(TOp.Take(sum, e), f), g), h);
            at += 8 * step;
        }

        for (; left > 0; left--)
        {
            sum = TOp.Take(sum, x[at]);
            at += step;
        }

        return sum;
    }

    // Rows row, row + loaders, … up to eight of them, to the places that are read as rows again.
    private static void Load<TIn>(ArrayView<TIn> x, ArrayView<TIn> tile, DeviceReduceItem item, int row, DeviceReduceJob job)
        where TIn : unmanaged
    {
        int rows = job.Loaders, step = rows * job.Width.Value, left = item.Count - row;
        int at = item.First + (row * job.Width.Value), to = Group.IdxX, pitch = Group.DimX;
        if (left > 7 * rows)
        {
            TIn a = x[at], b = x[at + step], c = x[at + (2 * step)], d = x[at + (3 * step)];
            TIn e = x[at + (4 * step)], f = x[at + (5 * step)], g = x[at + (6 * step)], h = x[at + (7 * step)];
            tile[to] = a;
            tile[to + pitch] = b;
            tile[to + (2 * pitch)] = c;
            tile[to + (3 * pitch)] = d;
            tile[to + (4 * pitch)] = e;
            tile[to + (5 * pitch)] = f;
            tile[to + (6 * pitch)] = g;
            tile[to + (7 * pitch)] = h;
            return;
        }

        for (; left > 0; left -= rows)
        {
            tile[to] = x[at];
            to += pitch;
            at += step;
        }
    }

    /// <summary>Joins the items of each part, the upper half into the lower one until one is left, as <see cref="ReduceTree"/> does.</summary>
    private static void Fold<TOp, TIn, TAcc, TOut>(ArrayView<TAcc> sums, ArrayView<TOut> y, DeviceReduceJob job)
        where TOp : struct, IDeviceReduction<TIn, TAcc, TOut>
        where TIn : unmanaged
        where TAcc : unmanaged
        where TOut : unmanaged
    {
        for (int half = job.Fold >> 1; half > 0; half >>= 1)
        {
            Group.Barrier();
            for (int place = Group.IdxX; place < job.GroupItems; place += Group.DimX)
            {
                if ((place & (job.Fold - 1)) < half) sums[place] = TOp.Combine(sums[place], sums[place + half]);
            }
        }

        int origin = Grid.IdxX * job.GroupItems;
        for (int place = Group.IdxX; place < job.GroupItems; place += Group.DimX)
        {
            if ((place & (job.Fold - 1)) == 0 && origin + place < job.Items) y[(origin + place) / job.Fold] = TOp.Result(sums[place]);
        }
    }
}
