using ILGPU;

namespace Fusion.Kernels;

/// <summary>The device code of <see cref="DeviceCopy"/>.</summary>
internal static class DeviceCopyKernels
{
    /// <summary>A run: a thread takes elements that lie a group apart, all loads before all stores.</summary>
    public static void Run<T>(ArrayView<T> source, ArrayView<T> target)
        where T : unmanaged
    {
        int step = Group.DimX, count = source.IntLength;
        int i = (Grid.IdxX * DeviceGrid.PerThread * step) + Group.IdxX;
        if (i < count - (3 * step))
        {
            T first = source[i], second = source[i + step], third = source[i + (2 * step)], fourth = source[i + (3 * step)];
            target[i] = first;
            target[i + step] = second;
            target[i + (2 * step)] = third;
            target[i + (3 * step)] = fourth;
            return;
        }

        for (; i < count; i += step) target[i] = source[i];
    }

    /// <summary>Any layout: a thread takes elements that lie a group apart, all loads before all stores.</summary>
    public static void Strided<T>(ArrayView<T> source, ArrayView<T> target, DeviceWalk walk)
        where T : unmanaged
    {
        int step = Group.DimX;
        int i = (Grid.IdxX * DeviceGrid.PerThread * step) + Group.IdxX;
        if (i < walk.Count - (3 * step))
        {
            DevicePlaces a = DeviceWalk.At(walk, i), b = DeviceWalk.At(walk, i + step);
            DevicePlaces c = DeviceWalk.At(walk, i + (2 * step)), d = DeviceWalk.At(walk, i + (3 * step));
            T first = source[a.From], second = source[b.From], third = source[c.From], fourth = source[d.From];
            target[a.To] = first;
            target[b.To] = second;
            target[c.To] = third;
            target[d.To] = fourth;
            return;
        }

        // The last group. What is left is counted down, since the index itself could pass 2³¹.
        for (int left = walk.Count - i; left > 0; left -= step)
        {
            DevicePlaces a = DeviceWalk.At(walk, walk.Count - left);
            target[a.To] = source[a.From];
        }
    }

    /// <summary>One tile: read along axis 1, written along axis 0.</summary>
    public static void Transposed<T>(ArrayView<T> source, ArrayView<T> target, DeviceTranspose job)
        where T : unmanaged
    {
        ArrayView<T> tile = SharedMemory.Allocate<T>(DeviceTranspose.TileElements);
        int x = Group.IdxX & (job.Side - 1), y = Group.IdxX >> job.Shift;
        int rest = DeviceDivisor.Divide(Grid.IdxX, job.Tiles0);
        int origin0 = (Grid.IdxX - (rest * job.Tiles0.Value)) << job.Shift;
        int batch = DeviceDivisor.Divide(rest, job.Tiles1);
        int origin1 = (rest - (batch * job.Tiles1.Value)) << job.Shift;
        DevicePlaces start = DeviceWalk.At(job.Origins, batch);

        // Four rows of the tile for each thread, a quarter of the side apart.
        int step = job.Side >> 2, pitch = job.Side + 1;
        int row = origin0 + y, column = origin1 + x;
        int from = start.From + column + (row * job.From0);
        bool inside = column < job.Size1;
        T a = default, b = default, c = default, d = default;
        if (inside && row < job.Size0) a = source[from];
        if (inside && row + step < job.Size0) b = source[from + (step * job.From0)];
        if (inside && row + (2 * step) < job.Size0) c = source[from + (2 * step * job.From0)];
        if (inside && row + (3 * step) < job.Size0) d = source[from + (3 * step * job.From0)];
        int place = (y * pitch) + x;
        tile[place] = a;
        tile[place + (step * pitch)] = b;
        tile[place + (2 * step * pitch)] = c;
        tile[place + (3 * step * pitch)] = d;
        Group.Barrier();

        row = origin1 + y;
        column = origin0 + x;
        int to = start.To + column + (row * job.To1);
        place = (x * pitch) + y;
        inside = column < job.Size0;
        if (inside && row < job.Size1) target[to] = tile[place];
        if (inside && row + step < job.Size1) target[to + (step * job.To1)] = tile[place + step];
        if (inside && row + (2 * step) < job.Size1) target[to + (2 * step * job.To1)] = tile[place + (2 * step)];
        if (inside && row + (3 * step) < job.Size1) target[to + (3 * step * job.To1)] = tile[place + (3 * step)];
    }
}
