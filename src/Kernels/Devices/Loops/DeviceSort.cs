using System.Numerics;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>
/// Orders of lines on a device: stable, by <see cref="DeviceFloatKeys"/> and its sibling as the processor's. Short lines are sorted by counting, which takes as
/// many comparisons as there are pairs; longer ones by their keys' digits, a pass for four bits.
/// </summary>
internal static class DeviceSort
{
    private const long ShortLine = 256;
    private const long FewPairs = 1 << 26;

    /// <summary>As <see cref="ArgSort.Run"/>: the first <paramref name="k"/> Int64 places of each line's order.</summary>
    public static void ArgSort(
        GpuDevice device, DType dtype, DeviceBlock source, long sourceOffset, DeviceBlock order, long orderOffset, long lines, int n, int k, bool descending)
    {
        if (lines == 0 || k == 0) return;
        int count = DeviceGrid.Index(lines * n);
        ArrayView<long> first = order.View<long>(orderOffset, lines * k);
        using (device.Enter())
        {
            switch (dtype)
            {
                case DType.Float32:
                    Sort<DeviceFloatKeys, DeviceKey, int, uint>(device, source.View<int>(sourceOffset, count), first, n, k, descending, 32);
                    break;
                case DType.Float64:
                    Sort<DeviceFloatKeys, DeviceKey, long, ulong>(device, source.View<long>(sourceOffset, count), first, n, k, descending, 64);
                    break;
                case DType.Int32:
                    Sort<DeviceIntegerKeys, DeviceKey, int, uint>(device, source.View<int>(sourceOffset, count), first, n, k, descending, 32);
                    break;
                case DType.Int64:
                    Sort<DeviceIntegerKeys, DeviceKey, long, ulong>(device, source.View<long>(sourceOffset, count), first, n, k, descending, 64);
                    break;
                default:
                    Sort<DeviceIntegerKeys, DeviceKey, byte, uint>(device, source.View<byte>(sourceOffset, count), first, n, k, descending, 8);
                    break;
            }
        }

        GC.KeepAlive(source);
        GC.KeepAlive(order);
    }

    /// <summary>The order of each line of keys whose upper bits are equal: (lines, n) places, to be released by the caller.</summary>
    public static DeviceBlock Order<TOps, TKey>(GpuDevice device, ArrayView<TKey> keys, int n, int bits)
        where TOps : struct, IDeviceKey<TKey>
        where TKey : unmanaged =>
        n <= ShortLine || keys.Length * n <= FewPairs ? ByRank<TOps, TKey>(device, keys, n) : ByDigits<TOps, TKey>(device, keys, n, bits);

    /// <summary>The order by counting.</summary>
    public static DeviceBlock ByRank<TOps, TKey>(GpuDevice device, ArrayView<TKey> keys, int n)
        where TOps : struct, IDeviceKey<TKey>
        where TKey : unmanaged
    {
        int count = (int)keys.Length;
        var order = new DeviceBlock(device, (long)count * sizeof(int));
        device.LaunchCount++;
        Kernels<TOps, TKey>.Rank(device)(device.Stream, DeviceGrid.For(device, count), keys, order.View<int>(0, count), new DeviceDivisor(n), count);
        return order;
    }

    /// <summary>The order by passes from the lowest digit up.</summary>
    public static unsafe DeviceBlock ByDigits<TOps, TKey>(GpuDevice device, ArrayView<TKey> keys, int n, int bits)
        where TOps : struct, IDeviceKey<TKey>
        where TKey : unmanaged
    {
        int count = (int)keys.Length, lines = count / n, group = DeviceGrid.GroupSize(device);
        int tiles = (int)DeviceGrid.Divide(n, group * DeviceRadixJob.PerThread), counters = DeviceRadixJob.Digits * tiles;
        var offsets = new DeviceBlock(device, (long)lines * counters * sizeof(int));
        DeviceBlock? fromKeys = null, fromOrder = null;
        DeviceBlock toKeys = new(device, (long)count * sizeof(TKey)), toOrder = new(device, (long)count * sizeof(int));
        ArrayView<int> counts = offsets.View<int>(0, (long)lines * counters);
        for (int shift = 0; shift < bits; shift += 4)
        {
            var job = new DeviceRadixJob(n, tiles, shift, fromOrder is not null);
            KernelConfig config = DeviceGrid.Groups((long)lines * tiles, group);
            ArrayView<int> order = fromOrder is null ? counts : fromOrder.View<int>(0, count);
            device.LaunchCount += 2;
            Kernels<TOps, TKey>.Count(device)(device.Stream, config, keys, counts, job);
            DeviceScan.CumSum(device, DType.Int32, DType.Int32, offsets, 0, offsets, 0, lines, counters, 1, exclusive: true);
            Kernels<TOps, TKey>.Move(device)(device.Stream, config, keys, order, counts, toKeys.View<TKey>(0, count), toOrder.View<int>(0, count), job);
            keys = toKeys.View<TKey>(0, count);
            (fromKeys, toKeys) = (toKeys, fromKeys ?? new DeviceBlock(device, (long)count * sizeof(TKey)));
            (fromOrder, toOrder) = (toOrder, fromOrder ?? new DeviceBlock(device, (long)count * sizeof(int)));
        }

        toKeys.Release();
        toOrder.Release();
        fromKeys!.Release();
        offsets.Release();
        return fromOrder!;
    }

    private static unsafe void Sort<TKeys, TOps, T, TKey>(
        GpuDevice device, ArrayView<T> x, ArrayView<long> first, int n, int k, bool descending, int bits)
        where TKeys : struct, IDeviceKeys<T, TKey>
        where TOps : struct, IDeviceKey<TKey>
        where T : unmanaged
        where TKey : unmanaged
    {
        int count = (int)x.Length, wanted = (int)first.Length;
        var block = new DeviceBlock(device, (long)count * sizeof(TKey));
        ArrayView<TKey> keys = block.View<TKey>(0, count);
        device.LaunchCount += 2;
        ElementKernels<TKeys, TOps, T, TKey>.Keys(device)(device.Stream, DeviceGrid.For(device, count), x, keys, descending ? 1 : 0, count);
        DeviceBlock order = Order<TOps, TKey>(device, keys, n, bits);
        Kernels<TOps, TKey>.First(device)(
            device.Stream, DeviceGrid.For(device, wanted), order.View<int>(0, count), first, n, new DeviceDivisor(k), wanted);
        order.Release();
        block.Release();
    }

    private static class ElementKernels<TKeys, TOps, T, TKey>
        where TKeys : struct, IDeviceKeys<T, TKey>
        where TOps : struct, IDeviceKey<TKey>
        where T : unmanaged
        where TKey : unmanaged
    {
        private static readonly object s_keys = new();

        public static Action<AcceleratorStream, KernelConfig, ArrayView<T>, ArrayView<TKey>, int, int> Keys(GpuDevice device) =>
            device.Kernel(s_keys, static accelerator =>
                accelerator.LoadKernel<ArrayView<T>, ArrayView<TKey>, int, int>(DeviceSortKernels.Keys<TKeys, TOps, T, TKey>));
    }

    private static class Kernels<TOps, TKey>
        where TOps : struct, IDeviceKey<TKey>
        where TKey : unmanaged
    {
        private static readonly object s_rank = new();
        private static readonly object s_count = new();
        private static readonly object s_move = new();
        private static readonly object s_first = new();

        public static Action<AcceleratorStream, KernelConfig, ArrayView<TKey>, ArrayView<int>, DeviceDivisor, int> Rank(GpuDevice device) =>
            device.Kernel(s_rank, static accelerator =>
                accelerator.LoadKernel<ArrayView<TKey>, ArrayView<int>, DeviceDivisor, int>(DeviceSortKernels.Rank<TOps, TKey>));

        public static Action<AcceleratorStream, KernelConfig, ArrayView<TKey>, ArrayView<int>, DeviceRadixJob> Count(GpuDevice device) =>
            device.Kernel(s_count, static accelerator =>
                accelerator.LoadKernel<ArrayView<TKey>, ArrayView<int>, DeviceRadixJob>(DeviceRadixKernels.Count<TOps, TKey>));

        public static Action<
            AcceleratorStream, KernelConfig, ArrayView<TKey>, ArrayView<int>, ArrayView<int>, ArrayView<TKey>, ArrayView<int>, DeviceRadixJob> Move(
            GpuDevice device) => device.Kernel(s_move, static accelerator =>
                accelerator.LoadKernel<ArrayView<TKey>, ArrayView<int>, ArrayView<int>, ArrayView<TKey>, ArrayView<int>, DeviceRadixJob>(
                    DeviceRadixKernels.Move<TOps, TKey>));

        public static Action<AcceleratorStream, KernelConfig, ArrayView<int>, ArrayView<long>, int, DeviceDivisor, int> First(GpuDevice device) =>
            device.Kernel(s_first, static accelerator =>
                accelerator.LoadKernel<ArrayView<int>, ArrayView<long>, int, DeviceDivisor, int>(DeviceSortKernels.First));
    }
}
