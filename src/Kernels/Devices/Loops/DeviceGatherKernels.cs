using ILGPU;

namespace Fusion.Kernels;

/// <summary>A gather of (outer, count, inner) out of (outer, axis, inner).</summary>
internal struct DeviceGatherJob
{
    public DeviceDivisor Inner;
    public DeviceDivisor Count;
    public DeviceIndex Index;

    /// <summary>Elements of the target.</summary>
    public int Size;
}

/// <summary>The device code of <see cref="DeviceGather"/>. A bad index gives 0, without a look at the source.</summary>
internal static class DeviceGatherKernels
{
    /// <summary>target[o, k, n] = source[o, index[k], n], four elements a thread, a group apart.</summary>
    public static void Take<TReader, TIndex, T>(ArrayView<T> source, ArrayView<TIndex> indices, ArrayView<T> target, DeviceGatherJob job)
        where TReader : struct, IDeviceIndexReader<TIndex>
        where TIndex : unmanaged
        where T : unmanaged
    {
        int step = Group.DimX;
        int left = job.Size - (Grid.IdxX * DeviceGrid.PerThread * step) - Group.IdxX;
        if (left > 3 * step)
        {
            int i = job.Size - left;
            int a = From<TReader, TIndex>(indices, job, i), b = From<TReader, TIndex>(indices, job, i + step);
            int c = From<TReader, TIndex>(indices, job, i + (2 * step)), d = From<TReader, TIndex>(indices, job, i + (3 * step));
            T first = source[a < 0 ? 0 : a], second = source[b < 0 ? 0 : b], third = source[c < 0 ? 0 : c], fourth = source[d < 0 ? 0 : d];
            if (a < 0) first = default;
            if (b < 0) second = default;
            if (c < 0) third = default;
            if (d < 0) fourth = default;
            target[i] = first;
            target[i + step] = second;
            target[i + (2 * step)] = third;
            target[i + (3 * step)] = fourth;
            return;
        }

        for (; left > 0; left -= step)
        {
            int from = From<TReader, TIndex>(indices, job, job.Size - left);
            T value = default;
            if (from >= 0) value = source[from];
            target[job.Size - left] = value;
        }
    }

    /// <summary>target[o, k, n] = source[o, index[o, k, n], n].</summary>
    public static void Pick<TReader, TIndex, T>(ArrayView<T> source, ArrayView<TIndex> indices, ArrayView<T> target, DeviceGatherJob job)
        where TReader : struct, IDeviceIndexReader<TIndex>
        where TIndex : unmanaged
        where T : unmanaged
    {
        int step = Group.DimX;
        for (int left = job.Size - (Grid.IdxX * DeviceGrid.PerThread * step) - Group.IdxX, k = 0; k < DeviceGrid.PerThread && left > 0; k++, left -= step)
        {
            int i = job.Size - left;
            int part = DeviceDivisor.Divide(i, job.Inner), outer = DeviceDivisor.Divide(part, job.Count);
            int place = TReader.Place(indices[i], job.Index);
            T value = default;
            if (place >= 0) value = source[(((outer * job.Index.Size) + place) * job.Inner.Value) + i - (part * job.Inner.Value)];
            target[i] = value;
        }
    }

    /// <summary>target[k, n] = one where n is index[k], else 0; the inner axis is the depth.</summary>
    public static void OneHot<TReader, TIndex, T>(ArrayView<TIndex> indices, ArrayView<T> target, T one, DeviceGatherJob job)
        where TReader : struct, IDeviceIndexReader<TIndex>
        where TIndex : unmanaged
        where T : unmanaged
    {
        int step = Group.DimX;
        for (int left = job.Size - (Grid.IdxX * DeviceGrid.PerThread * step) - Group.IdxX, k = 0; k < DeviceGrid.PerThread && left > 0; k++, left -= step)
        {
            int i = job.Size - left;
            int row = DeviceDivisor.Divide(i, job.Inner), column = i - (row * job.Inner.Value);
            int place = TReader.Place(indices[row], job.Index);
            T value = default;
            if (place == column) value = one;
            target[i] = value;
        }
    }

    private static int From<TReader, TIndex>(ArrayView<TIndex> indices, DeviceGatherJob job, int i)
        where TReader : struct, IDeviceIndexReader<TIndex>
        where TIndex : unmanaged
    {
        int row = DeviceDivisor.Divide(i, job.Inner), column = i - (row * job.Inner.Value);
        int outer = DeviceDivisor.Divide(row, job.Count), k = row - (outer * job.Count.Value);
        int place = TReader.Place(indices[k], job.Index);
        return place < 0 ? -1 : (((outer * job.Index.Size) + place) * job.Inner.Value) + column;
    }
}
